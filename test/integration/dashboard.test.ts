import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { type DashboardInput, renderDashboard } from "../../src/report/dashboard.ts";
import { itWith, toolPath } from "../helpers/requires.ts";
import {
  cleanChecks,
  crowdedReports,
  hostileReports,
  sampleAssessment,
  sampleEgressReport,
  samplePortReport,
} from "../helpers/sample-assessment.ts";

const PHONE = { viewport: { width: 390, height: 844 } };
const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let folder = "";
let browser: Browser | null = null;

beforeAll(async () => {
  const executablePath = toolPath("chromium");
  if (executablePath === null) return;
  folder = mkdtempSync(join(tmpdir(), "cse-dashboard-"));
  // Chromium's own sandbox refuses root, and containers often forbid it to others.
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", ...FLAGS] });
});

afterAll(async () => {
  await browser?.close();
  if (folder !== "") rmSync(folder, { recursive: true });
});

interface OpenPage {
  readonly page: Page;
  /** Requests beyond the file itself: address, and why it failed when it did. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

/** Opens a rendered dashboard in a fresh context, hands it to `use`, and closes it. */
async function withPage(
  html: string,
  options: BrowserContextOptions,
  use: (open: OpenPage) => Promise<void>,
): Promise<void> {
  if (browser === null) throw new Error("chromium did not start");
  const file = join(folder, "dashboard.html");
  writeFileSync(file, html);
  const url = pathToFileURL(file).href;
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on("requestfinished", (request) => {
      if (request.url() !== url) requests.push(request.url());
    });
    page.on("requestfailed", (request) => {
      requests.push(`${request.url()}: ${request.failure()?.errorText}`);
    });
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(url);
    await use({ page, requests, complaints });
  } finally {
    await context.close();
  }
}

type Reports = Omit<DashboardInput, "sha256Base64">;

function render(reports: Reports): string {
  return renderDashboard({
    ...reports,
    sha256Base64: (text) => createHash("sha256").update(text, "utf8").digest("base64"),
  });
}

const SAMPLE: Reports = { assessment: sampleAssessment(), ports: samplePortReport(), egress: sampleEgressReport() };
const HOSTILE: Reports = hostileReports();
const NOTHING_FOUND: Reports = { assessment: sampleAssessment(cleanChecks()), ports: null, egress: null };

const LIGHT: BrowserContextOptions = { colorScheme: "light", viewport: { width: 1280, height: 900 } };
const DARK: BrowserContextOptions = { ...LIGHT, colorScheme: "dark" };
const DARK_PHONE: BrowserContextOptions = { ...PHONE, colorScheme: "dark" };
const AXE_CASES: readonly (readonly [string, Reports, BrowserContextOptions])[] = [
  ["the sample in light", SAMPLE, LIGHT],
  ["the sample in dark", SAMPLE, DARK],
  ["the sample in light on a phone", SAMPLE, { ...PHONE, colorScheme: "light" }],
  ["the sample in dark on a phone", SAMPLE, DARK_PHONE],
  ["hostile evidence in dark on a phone", HOSTILE, DARK_PHONE],
  ["nothing found in light", NOTHING_FOUND, LIGHT],
  ["nothing found in dark", NOTHING_FOUND, DARK],
];

async function openAll(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Open all" }).click();
}

/** Elements, SVG parts included, that stick out of the viewport to either side. */
async function sticksOut(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    return Array.from(document.querySelectorAll("body *"))
      .filter((element) => {
        const box = element.getBoundingClientRect();
        const isShown = box.width > 1 && box.height > 1;
        return isShown && (box.left < -0.5 || box.right > width + 0.5);
      })
      .map((element) => element.tagName + "." + element.getAttribute("class"))
      .concat(document.documentElement.scrollWidth > width ? ["page scrolls sideways"] : []);
  })()`);
}

async function shownChecks(page: Page): Promise<number> {
  return page.locator("details.check:visible").count();
}

describe("the dashboard in Chromium", () => {
  for (const [what, reports, options] of AXE_CASES) {
    itWith(["chromium"], `has no axe violation, request or complaint with ${what}`, async () => {
      await withPage(render(reports), options, async ({ page, requests, complaints }) => {
        await openAll(page);
        const { violations, passes } = await new AxeBuilder({ page }).analyze();
        const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`));
        expect(found).toEqual([]);
        // Proof that it looked: one rule of its best practices, one of WCAG AA.
        const passed = passes.map(({ id }) => id);
        expect(passed).toContain("region");
        expect(passed).toContain("color-contrast");
        expect(requests).toEqual([]);
        expect(complaints).toEqual([]);
      });
    });
  }

  for (const [what, reports] of [
    ["the sample", SAMPLE],
    ["hostile evidence", HOSTILE],
    ["nothing found", NOTHING_FOUND],
  ] as const) {
    itWith(["chromium"], `keeps every element inside a 390 px screen with ${what}`, async () => {
      await withPage(render(reports), PHONE, async ({ page }) => {
        expect(await sticksOut(page)).toEqual([]);
        await openAll(page);
        expect(await sticksOut(page)).toEqual([]);
      });
    });
  }

  itWith(["chromium"], "would notice an element that sticks out", async () => {
    const page = render(SAMPLE).replace(
      "<footer>",
      '<footer><svg width="500" height="9"><rect width="500" height="9"/></svg>',
    );
    await withPage(page, PHONE, async (open) => {
      expect(await sticksOut(open.page)).toContain("rect.null");
    });
  });

  itWith(["chromium"], "runs nothing that evidence brought along and creates no element from it", async () => {
    await withPage(render(HOSTILE), {}, async ({ page }) => {
      expect(await page.evaluate("globalThis.pwned")).toBeUndefined();
      expect(await page.locator("script").count()).toBe(1);
      expect(await page.locator("style").count()).toBe(1);
      expect(
        await page.locator("img, base, iframe, textarea, [onerror], [onmouseover], a[href^=javascript]").count(),
      ).toBe(0);
      expect(await page.locator("main").getByText("<script>globalThis.pwned = 1</script>").count()).toBeGreaterThan(0);
    });
  });

  itWith(["chromium"], "would block a script, a style and an image if escaping ever failed", async () => {
    const injected =
      '<script>globalThis.pwned = 1</script><img src="https://example.invalid/x.png" onerror="globalThis.pwned = 2"><h1 id="probe" style="color: red">x</h1><style>#probe { display: none }</style>';
    const page = render(SAMPLE).replace("</footer>", `</footer>${injected}`);
    await withPage(page, { colorScheme: "light" }, async (open) => {
      expect(await open.page.evaluate("globalThis.pwned")).toBeUndefined();
      expect(open.requests).toEqual(["https://example.invalid/x.png: csp"]);
      expect(open.complaints.length).toBeGreaterThanOrEqual(4);
      const probe = await open.page.evaluate(
        "(() => { const { color, display } = getComputedStyle(document.getElementById('probe')); return { color, display }; })()",
      );
      expect(probe).toEqual({ color: "rgb(23, 32, 43)", display: "block" });
      // The page's own style and script still work.
      expect(await open.page.getByRole("button", { name: "Open all" }).isVisible()).toBe(true);
    });
  });

  itWith(["chromium"], "searches and filters by keyboard alone and says how many are left", async () => {
    await withPage(render(SAMPLE), {}, async ({ page }) => {
      const count = page.locator("form[data-filters=check-list] [role=status]");
      expect(await count.textContent()).toBe("20 of 20 checks shown");
      for (let presses = 0; presses < 40; presses += 1) {
        await page.keyboard.press("Tab");
        if (await page.evaluate("document.activeElement.name === 'text'")) break;
      }
      await page.keyboard.type("TELEGRAM bot");
      expect(await count.textContent()).toBe("1 of 20 checks shown");
      expect(await shownChecks(page)).toBe(1);
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.press("Delete");
      await page.keyboard.press("Tab");
      await page.keyboard.type("Vio");
      expect(await count.textContent()).toBe("4 of 20 checks shown");
      await page.keyboard.press("Tab");
      await page.keyboard.type("Crit");
      expect(await count.textContent()).toBe("1 of 20 checks shown");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await expect.poll(() => count.textContent()).toBe("20 of 20 checks shown");
      expect(await shownChecks(page)).toBe(20);
    });
  });

  itWith(["chromium"], "opens a check by keyboard and closes all again", async () => {
    await withPage(render(SAMPLE), {}, async ({ page }) => {
      const body = page.locator("#check-gateway_loopback_only .body");
      expect(await body.isVisible()).toBe(false);
      await page.locator("#check-gateway_loopback_only summary").focus();
      await page.keyboard.press("Enter");
      expect(await body.isVisible()).toBe(true);
      await openAll(page);
      expect(await page.locator("details.check[open]").count()).toBe(20);
      await page.getByRole("button", { name: "Close all" }).click();
      expect(await page.locator("details.check[open]").count()).toBe(0);
    });
  });

  itWith(["chromium"], "filters the network tables by text and approval", async () => {
    await withPage(render(SAMPLE), {}, async ({ page }) => {
      const form = page.getByRole("search", { name: "Filter the network tables" });
      await form.getByLabel("Approved").selectOption("no");
      expect(await form.getByRole("status").textContent()).toBe("5 of 15 rows shown");
      await form.getByLabel("Search").fill("python");
      expect(await form.getByRole("status").textContent()).toBe("1 of 15 rows shown");
      expect(await shownChecks(page)).toBe(20);
    });
  });

  itWith(["chromium"], "shows the checks behind a number of the risk matrix", async () => {
    await withPage(render(SAMPLE), {}, async ({ page }) => {
      await page.getByRole("button", { name: "4: show Partial, medium risk" }).click();
      expect(await shownChecks(page)).toBe(4);
      expect(await page.evaluate("document.activeElement.name")).toBe("text");
    });
  });

  itWith(["chromium"], "opens the check that a first step links to, even when a filter hides it", async () => {
    await withPage(render(SAMPLE), {}, async ({ page }) => {
      const form = page.getByRole("search", { name: "Filter the checks" });
      await form.getByLabel("Status").selectOption("compliant");
      await page.getByRole("link", { name: "Only known senders can reach the agent" }).click();
      await expect.poll(() => page.locator("#check-channel_allowlist_configured .body").isVisible()).toBe(true);
      await expect.poll(() => form.getByRole("status").textContent()).toBe("20 of 20 checks shown");
    });
  });

  itWith(
    ["chromium"],
    "shows every check and row without JavaScript, and no control that would do nothing",
    async () => {
      await withPage(render(SAMPLE), { javaScriptEnabled: false }, async ({ page }) => {
        expect(await shownChecks(page)).toBe(20);
        expect(await page.locator("tr[data-item]:visible").count()).toBe(15);
        expect(await page.locator("form:visible, button:visible").count()).toBe(0);
        await page.locator("#check-gateway_loopback_only summary").click();
        expect(await page.locator("#check-gateway_loopback_only .body").isVisible()).toBe(true);
      });
    },
  );

  itWith(["chromium"], "prints every detail in light colours and without controls", async () => {
    await withPage(
      render(SAMPLE),
      { colorScheme: "dark", viewport: { width: 720, height: 1000 } },
      async ({ page }) => {
        const heights = `Array.from(document.querySelectorAll("details.check .body"), (body) => body.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }) && body.getBoundingClientRect().height > 50)`;
        expect(await page.evaluate(heights)).toEqual(Array.from({ length: 20 }, () => false));
        await page.emulateMedia({ media: "print" });
        // Chromium unlocks hidden content with the next frame.
        await expect.poll(() => page.evaluate(heights)).toEqual(Array.from({ length: 20 }, () => true));
        expect(await page.locator("nav:visible, input:visible, select:visible, form button:visible").count()).toBe(0);
        expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
        expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(23, 32, 43)");
        expect(await sticksOut(page)).toEqual([]);
      },
    );
  });

  itWith(["chromium"], "puts as much on paper with all checks closed as with all open", async () => {
    await withPage(render(SAMPLE), {}, async ({ page }) => {
      const countPages = async (): Promise<number> => {
        const pdf = await page.pdf({ format: "A4" });
        return pdf.toString("latin1").split(/\/Type \/Page\b/).length - 1;
      };
      const closed = await countPages();
      await openAll(page);
      expect(await countPages()).toBe(closed);
      await page.evaluate("for (const body of document.querySelectorAll('.check .body')) body.remove()");
      expect(await countPages()).toBeLessThan(closed);
    });
  });

  itWith(["chromium"], "says on paper that a filter was on", async () => {
    await withPage(render(SAMPLE), {}, async ({ page }) => {
      await page.getByRole("search", { name: "Filter the checks" }).getByLabel("Risk").selectOption("low");
      await page.emulateMedia({ media: "print" });
      expect(await page.getByText("2 of 20 checks shown").isVisible()).toBe(true);
    });
  });

  itWith(["chromium"], "stays usable with a thousand sockets on a phone", async () => {
    await withPage(render({ assessment: sampleAssessment(), ...crowdedReports(1_000) }), PHONE, async ({ page }) => {
      expect(await sticksOut(page)).toEqual([]);
      expect(await page.locator("tr[data-item]").count()).toBe(400);
    });
  });
});
