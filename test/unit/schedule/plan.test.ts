import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  changeCrontab,
  MARKER,
  planSchedule,
  type ScheduleWish,
  taskSchedulerText,
} from "../../../src/schedule/plan.ts";

const WISH: ScheduleWish = {
  node: "/usr/bin/node",
  cli: "/opt/cse/dist/cli.js",
  home: "/home/op",
  uid: 1001,
  everyMinutes: 30,
  env: { OPENCLAW_STATE_DIR: "/home/op/.openclaw" },
};
const ODD: ScheduleWish = { ...WISH, cli: `/opt/100% "$HOME" it's \\ here/cli.js`, env: { A: `1% "x" $y <z> & it's` } };

const textOf = (kind: "systemd" | "launchd", wish: ScheduleWish, ending: string): string =>
  planSchedule(kind, wish).files.find(({ path }) => path.endsWith(ending))?.text ?? "";

describe("the systemd units", () => {
  it("run the cycle every 30 minutes, with the state folder that was in use", () => {
    const plan = planSchedule("systemd", WISH);
    expect(plan.files.map(({ path }) => path)).toEqual([
      "/home/op/.config/systemd/user/cyber-security-engineer.service",
      "/home/op/.config/systemd/user/cyber-security-engineer.timer",
    ]);
    expect(plan.files.every(({ text }) => text.startsWith(`# ${MARKER}\n`))).toBe(true);
    const service = textOf("systemd", WISH, ".service").split("\n");
    expect(service).toContain('ExecStart="/usr/bin/node" "/opt/cse/dist/cli.js" cycle');
    expect(service).toContain('Environment="OPENCLAW_STATE_DIR=/home/op/.openclaw"');
    expect(textOf("systemd", WISH, ".timer")).toContain("\nOnUnitActiveSec=30min\n");
    expect([plan.enable.at(-1), plan.disable]).toEqual([
      ["systemctl", "--user", "enable", "--now", "cyber-security-engineer.timer"],
      [["systemctl", "--user", "disable", "--now", "cyber-security-engineer.timer"]],
    ]);
  });

  it("mean odd characters as they are", () => {
    const service = textOf("systemd", ODD, ".service").split("\n");
    expect(service).toContain(`ExecStart="/usr/bin/node" "/opt/100%% \\"$$HOME\\" it's \\\\ here/cli.js" cycle`);
    expect(service).toContain(`Environment="A=1%% \\"x\\" $y <z> & it's"`);
  });
});

describe("the launchd plist", () => {
  it("runs the cycle every 1800 seconds and escapes what it holds", () => {
    const plist = textOf("launchd", ODD, ".plist");
    expect(plist).toContain("<key>StartInterval</key><integer>1800</integer>");
    expect(plist).toContain(`<key>A</key><string>1% "x" $y &lt;z&gt; &amp; it's</string>`);
    expect(plist).toContain("<string>/usr/bin/node</string>");
    expect(planSchedule("launchd", WISH).disable).toEqual([
      ["launchctl", "bootout", "gui/1001/net.openclaw.cyber-security-engineer"],
    ]);
  });
});

describe("the crontab", () => {
  it.each([
    [5, "*/5 * * * *"],
    [30, "*/30 * * * *"],
    [60, "7 */1 * * *"],
    [240, "7 */4 * * *"],
    [1_440, "7 3 * * *"],
  ])("every %d minutes is %s", (everyMinutes, times) => {
    expect(planSchedule("cron", { ...WISH, everyMinutes }).block?.split("\n")[1]).toMatch(
      new RegExp(`^${times.replaceAll(/[*/]/g, "\\$&")} `),
    );
  });

  it("has each word quoted and percent signs escaped", () => {
    expect(planSchedule("cron", ODD).block?.split("\n")[1]).toBe(
      `*/30 * * * * A='1\\% "x" $y <z> & it'\\''s' '/usr/bin/node' '/opt/100\\% "$HOME" it'\\''s \\ here/cli.js' cycle >/dev/null 2>&1`,
    );
  });

  const line = fc.constantFrom(
    "0 4 * * * /usr/bin/true",
    "# a note",
    "",
    "MAILTO=op",
    "# cyber-security-engineer: end",
  );

  it("gets one block, however often it is enabled, and is as it was once that is taken back", () => {
    const block = planSchedule("cron", WISH).block ?? "";
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        const table = lines.length === 0 ? "" : `${lines.join("\n")}\n`;
        const once = changeCrontab(table, block);
        expect(once.split(`# ${MARKER}`)).toHaveLength(2);
        expect(changeCrontab(once, block)).toBe(once);
        expect(changeCrontab(once, null)).toBe(table);
      }),
    );
  });

  it("is left alone where the end of our block is gone: what follows may be anybody's", () => {
    const table = `# ${MARKER}\n*/30 * * * * x\n0 4 * * * /usr/bin/true\n`;
    expect(changeCrontab(table, null)).toBe(table);
  });
});

it("Windows gets a line that a person can run", () => {
  expect(taskSchedulerText(WISH)).toBe(
    'schtasks /Create /F /TN cyber-security-engineer /SC MINUTE /MO 30 /TR "\\"/usr/bin/node\\" \\"/opt/cse/dist/cli.js\\" cycle"',
  );
});
