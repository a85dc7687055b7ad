import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunResult, runAsUser } from "../unprivileged.ts";
import type { Gateway } from "./gateway.ts";

/** What an agent could leave running: reads the gateway's token from its config and says yes to what it is shown. */
const SCRIPT = `
import { readFileSync, writeFileSync } from "node:fs";
import { connectGateway } from "./test/helpers/gateway/connection.ts";
import { makeDevice } from "./test/helpers/gateway/device.ts";
const [configPath, how, ready] = process.argv.slice(2);
const { port, auth } = JSON.parse(readFileSync(configPath, "utf8")).gateway;
const answered = Promise.withResolvers();
const connection = await connectGateway({
  port,
  token: auth.token,
  caps: ["approvals"],
  ...(how === "paired" ? { device: makeDevice(), client: { id: "cli", mode: "cli" } } : {}),
  onEvent: ({ event, payload }) => {
    if (event !== "plugin.approval.requested") return;
    answered.resolve(connection.request("approval.resolve", { id: payload.id, kind: "plugin", decision: "allow-once" }));
  },
});
writeFileSync(ready, "");
process.stdout.write(JSON.stringify(await answered.promise));
await connection.close();
process.exit(0);
`;

/**
 * Starts it as a process of the gateway's own account, and resolves when it can be asked; its end says what it got.
 * @param how `token`: as whoever holds the token; `paired`: with a device it made and paired itself
 */
export async function startSelfApprover(
  gateway: Gateway,
  how: "token" | "paired",
): Promise<{ readonly end: Promise<RunResult> }> {
  const ready = join(gateway.home, `ready-${how}`);
  const run = runAsUser(SCRIPT, { home: gateway.home, user: gateway.user, args: [gateway.configPath, how, ready] });
  const failed = run.then(({ stderr }) => stderr);
  while (!existsSync(ready)) {
    const end = await Promise.race([failed, sleep(100, null)]);
    if (end !== null && !existsSync(ready)) throw new Error(`it ended: ${end}`);
  }
  return { end: run };
}
