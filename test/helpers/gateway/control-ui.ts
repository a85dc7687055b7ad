import { chromium, type Page } from "playwright-core";
import { toolPath } from "../requires.ts";
import type { Gateway } from "./gateway.ts";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];

/** A person at the Control UI, in a browser with a fresh profile. The gateway must serve it (`controlUi: true`). */
export interface ControlUi {
  /** As the gateway knows this browser. */
  readonly deviceId: string;
  readonly page: Page;
  /** Opens the approval's own page, reads it and clicks. Returns the text that was shown. */
  decide(id: string, decision: "Allow once" | "Deny"): Promise<string>;
  close(): Promise<void>;
}

/** Opens the Control UI with the gateway's token, as its dashboard link does; on loopback the browser is paired unasked. */
export async function openControlUi(gateway: Gateway): Promise<ControlUi> {
  const executablePath = toolPath("chromium");
  if (executablePath === null) throw new Error("chromium not installed");
  const before = new Set((await browsers(gateway)).map(({ deviceId }) => deviceId));
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const page = await (await browser.newContext()).newPage();
  const address = `http://127.0.0.1:${gateway.port}`;
  await page.goto(`${address}/#token=${gateway.token}`);
  let deviceId: string | undefined;
  while (deviceId === undefined) {
    await page.waitForTimeout(200);
    deviceId = (await browsers(gateway)).find((device) => !before.has(device.deviceId))?.deviceId;
  }
  return {
    deviceId,
    page,
    decide: async (id, decision) => {
      await page.goto(`${address}/approve/${encodeURIComponent(id)}`);
      const button = page.getByRole("button", { name: decision });
      await button.waitFor();
      const shown = await page.locator("body").innerText();
      await button.click();
      return shown;
    },
    close: async () => await browser.close(),
  };
}

async function browsers(gateway: Gateway): Promise<readonly { readonly deviceId: string }[]> {
  const { paired } = (await gateway.call("device.pair.list")) as {
    paired: readonly { deviceId: string; clientId?: string; connected?: boolean }[];
  };
  return paired.filter(({ clientId, connected }) => clientId === "openclaw-control-ui" && connected === true);
}
