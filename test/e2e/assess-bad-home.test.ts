import { execFileSync } from "node:child_process";
import { chmod, lstat, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../src/assess/assessment.ts";
import {
  assessWith,
  type AssessRun,
  cseIn,
  expectExplained,
  giveTree,
  makeHomeOfUser,
  readReports,
  rowOf,
  statusesOf,
  notesOf,
} from "../helpers/assess-run.ts";
import { controlsIn, writeUserFile } from "../helpers/cli.ts";
import { HOSTILE_TEXT, type TestHome } from "../helpers/homes.ts";
import { collect, copyPackageForUser, makeUserFolder, startAsUser } from "../helpers/unprivileged.ts";

/** Answers that rest on the config alone. */
const BY_CONFIG_ALONE = ["channel_allowlist_configured", "group_mentions_required", "privilege_approval_required"];

/** The status every other check must still reach in the weak home, whatever happened to its config. */
const UNTOUCHED: Readonly<Record<string, CheckStatus>> = {
  secrets_permissions_hardened: "violation",
  command_policy_enforced: "violation",
  backup_configured: "violation",
};

describe("a home without OpenClaw", () => {
  it("has nothing said about it that was not seen, in the first run and in those after it", async () => {
    const { home } = await makeHomeOfUser("empty");
    for (const turn of ["first", "second"]) {
      const { assessment, summary, run } = await assessWith(cseIn(home), join(home, "out"));
      expect(notesOf(run)).toBe("");
      expect([turn, statusesOf(assessment)]).toEqual([
        turn,
        expect.objectContaining({
          privilege_approval_required: "not_assessed",
          channel_allowlist_configured: "not_assessed",
          group_mentions_required: "not_assessed",
          gateway_loopback_only: "not_assessed",
          prompt_injection_controls: "not_assessed",
          session_boundary_enforced: "not_assessed",
          alternate_privilege_paths_restricted: "not_assessed",
          secrets_permissions_hardened: "not_applicable",
          backup_configured: "not_applicable",
          update_hygiene: "not_applicable",
          // True on any host: there is no policy file.
          command_policy_enforced: "violation",
        }),
      ]);
      expectExplained(assessment);
      expect(summary.problems).toEqual([]);
    }
  });

  it("that uses OpenClaw without a config has its defaults, which are open", async () => {
    const { home, stateDir } = await makeHomeOfUser("empty");
    await writeUserFile(join(stateDir, "agents/main/sessions/one.jsonl"), "{}\n");
    const { assessment } = await assessWith(cseIn(home), join(home, "out"));
    expect(rowOf(assessment, "privilege_approval_required")).toMatchObject({
      status: "violation",
      observed_state: expect.stringMatching(
        /^main: exec full\/off \(default\), host auto, sandbox off; plugins enabled true/,
      ),
    });
  });
});

describe("no home folder", () => {
  it("is a named error, before anything is written", async () => {
    const run = await cseIn("")(["assess", "--json"]);
    expect([run.exitCode, notesOf(run)]).toEqual([5, ""]);
    expect(JSON.parse(run.stdout)).toMatchObject({ status: "error", code: "no-home" });
  });

  it("does not matter when the state folder is named", async () => {
    const stateDir = join(await makeUserFolder(), "state");
    const { assessment, summary } = await assessWith(
      cseIn("", { OPENCLAW_STATE_DIR: stateDir }),
      join(await makeUserFolder(), "out"),
    );
    expect([assessment.host.state_dir, summary.problems]).toEqual([stateDir, []]);
  });

  it("that only the account's entry names, and that does not exist, is a problem of the history alone", async () => {
    const { node, folder } = await copyPackageForUser();
    const out = join(await makeUserFolder(), "out");
    const args = ["-u", "HOME", node, join(folder, "dist/cli.js"), "assess", "--json", "--out", out];
    const child = await startAsUser("/usr/bin/env", args, { home: "" });
    child.stdin.end();
    const run = await collect(child);
    expect([0, 5]).toContain(run.exitCode);
    expect(JSON.parse(run.stdout)).toHaveProperty("status");
  });
});

describe("a home that cannot be written to", () => {
  it("is assessed all the same; only the history is lost, and that is said", async () => {
    const { home, stateDir } = await makeHomeOfUser("weak");
    await chmod(stateDir, 0o500);
    await chmod(home, 0o500);
    const { assessment, summary, run } = await assessWith(cseIn(home), join(await makeUserFolder(), "out"));
    expect(statusesOf(assessment)).toMatchObject({ channel_allowlist_configured: "violation" });
    expect(summary.problems).toEqual([
      {
        code: "read-only",
        message: `This run could not be added to the history: ${join(stateDir, "security")} cannot be written here (EACCES)`,
      },
    ]);
    expect(notesOf(run)).toBe(`read-only: ${summary.problems[0]?.message}\n`);
    expect(Object.keys(summary.files)).toHaveLength(5);
  });
});

interface BadConfig {
  readonly what: string;
  readonly make: (home: TestHome) => Promise<void>;
  /** Begins the reason of every check that rests on the config. */
  readonly reason: RegExp;
}

const include = (name: string): string => JSON.stringify({ $include: name });
const beside = (home: TestHome, name: string): string => join(home.stateDir, name);

const BAD_CONFIGS: readonly BadConfig[] = [
  {
    what: "cut off in the middle",
    make: async ({ configPath }) => await writeUserFile(configPath, '{ gateway: { bind: "loopback"'),
    reason: /openclaw\.json is not valid JSON5: JSON5: invalid end of input at 1:30/,
  },
  {
    what: "an empty file",
    make: async ({ configPath }) => await writeUserFile(configPath, ""),
    reason: /not valid JSON5: the file is empty/,
  },
  {
    what: "no object",
    make: async ({ configPath }) => await writeUserFile(configPath, "[]"),
    reason: /openclaw\.json is not valid: Expected an object/,
  },
  {
    what: "no text",
    make: async ({ configPath }) => await writeUserFile(configPath, Buffer.from([0xff, 0xfe, 0x00])),
    reason: /is not UTF-8 text/,
  },
  {
    what: "two files that include each other",
    make: async (home) => {
      await writeUserFile(home.configPath, include("./more.json5"));
      await writeUserFile(beside(home, "more.json5"), include("./openclaw.json"));
    },
    reason: /more\.json5 includes .*openclaw\.json, which is being read already/,
  },
  {
    what: "an include from outside the config's folder",
    make: async ({ configPath }) => await writeUserFile(configPath, include("/etc/passwd")),
    reason: /\/etc\/passwd is outside the folder of the config/,
  },
  {
    what: "a text of 5 MB",
    make: async ({ configPath }) => await writeUserFile(configPath, JSON.stringify({ note: "x".repeat(5_000_000) })),
    reason: /is larger than any real one/,
  },
  {
    what: "100,000 brackets",
    make: async ({ configPath }) => await writeUserFile(configPath, "[".repeat(100_000) + "]".repeat(100_000)),
    reason: /is nested deeper than 64 levels/,
  },
  {
    what: "a FIFO",
    make: async ({ configPath }) => {
      execFileSync("mkfifo", ["-m", "600", configPath]);
      await Promise.resolve();
    },
    reason: /is not a regular file/,
  },
  {
    what: "a folder",
    make: async ({ configPath }) => {
      await mkdir(configPath, { mode: 0o700 });
    },
    reason: /is not a regular file/,
  },
  {
    what: "a file nobody may read",
    make: async ({ configPath }) => {
      await writeUserFile(configPath, "{}");
      await chmod(configPath, 0);
    },
    reason: /Cannot read the OpenClaw config .*: EACCES/,
  },
  {
    what: "a link to itself",
    make: async ({ configPath }) => await symlink("openclaw.json", configPath),
    reason: /is a symbolic link|Cannot read/,
  },
  {
    what: "a value of the wrong type",
    make: async ({ configPath }) => await writeUserFile(configPath, '{ gateway: { port: "18789" } }'),
    reason: /openclaw\.json is not valid at \/gateway\/port: Expected a whole number/,
  },
];

describe("a config OpenClaw could not read either", () => {
  it.each(BAD_CONFIGS)("$what: what rests on it is not assessed and says why, the rest is answered", async (bad) => {
    const home = await makeHomeOfUser("weak");
    await rm(home.configPath);
    await bad.make(home);
    await giveTree(home.home);
    const before = await lstat(home.configPath);
    const { assessment, run, summary } = await assessWith(cseIn(home.home), join(home.home, "out"));

    for (const id of BY_CONFIG_ALONE) {
      const { status, gap } = rowOf(assessment, id);
      expect([id, status, bad.reason.test(gap) ? "explained" : gap]).toEqual([id, "not_assessed", "explained"]);
    }
    expect(statusesOf(assessment)).toMatchObject(UNTOUCHED);
    expectExplained(assessment);
    expect([notesOf(run), summary.problems]).toEqual(["", []]);
    const after = await lstat(home.configPath);
    expect([after.ino, after.size, after.mtimeMs, after.mode]).toEqual([
      before.ino,
      before.size,
      before.mtimeMs,
      before.mode,
    ]);
  });
});

describe("a config that is unusual but sound", () => {
  it.each([
    ["a byte order mark", "\ufeff{ channels: {} }"],
    ["comments and trailing commas", "// a note\n{ channels: { /* none */ }, }\n"],
    ["a key that is dangerous to merge", '{ "__proto__": { "polluted": true }, "channels": {} }'],
  ])("with %s is read", async (_what, text) => {
    const { home, configPath } = await makeHomeOfUser("weak");
    await writeUserFile(configPath, text);
    const { assessment } = await assessWith(cseIn(home), join(home, "out"));
    expect(rowOf(assessment, "channel_allowlist_configured").status).toBe("not_applicable");
  });

  it("through includes is read as one, and the files that bring it are looked at too", async () => {
    const home = await makeHomeOfUser("hardened");
    await rename(home.configPath, beside(home, "base.json5"));
    await writeUserFile(home.configPath, include("./base.json5"));
    await chmod(beside(home, "base.json5"), 0o644);
    const { assessment } = await assessWith(cseIn(home.home), join(home.home, "out"));
    expect(rowOf(assessment, "channel_allowlist_configured").status).toBe("compliant");
    expect(rowOf(assessment, "secrets_permissions_hardened").gap).toContain("base.json5 (0644");
  });
});

describe("hostile text in the config and in file names", () => {
  /** Everything a reader of this run could look at. */
  async function everythingShown(home: string, made: AssessRun): Promise<string> {
    const printed = await cseIn(home, { FORCE_COLOR: "1" })(["assess", "--out", made.outDir]);
    const reports = await readReports(made.outDir);
    return [made.run.stdout, made.run.stderr, printed.stdout, printed.stderr, ...Object.values(reports)].join("\n");
  }

  it("leaves only escaped: no control character, nothing that turns text around, no markup", async () => {
    const { home, configPath } = await makeHomeOfUser("hostile");
    const config = JSON.parse(await readFile(configPath, "utf8")) as Record<string, unknown>;
    await writeUserFile(
      configPath,
      JSON.stringify({
        ...config,
        agents: { entries: { [HOSTILE_TEXT]: { tools: { exec: { host: "gateway" }, profile: "full" } } } },
        tools: { exec: { mode: "allowlist", safeBins: [HOSTILE_TEXT, "/usr/bin/python3"] } },
        gateway: { bind: "custom", customBindHost: HOSTILE_TEXT },
        proxy: { proxyUrl: `http://${HOSTILE_TEXT}:1/` },
        channels: { [HOSTILE_TEXT]: { dmPolicy: "open", allowFrom: ["*"] } },
      }),
    );
    const made = await assessWith(cseIn(home), join(home, "out"));
    expect(rowOf(made.assessment, "channel_allowlist_configured").status).toBe("violation");
    const shown = await everythingShown(home, made);
    expect(controlsIn(shown)).toEqual([]);
    expect(shown).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/u);
    expect(shown.includes("alert(1)")).toBe(true);
    const page = (await readReports(made.outDir))["compliance-dashboard.html"];
    expect(page).not.toContain("<script>alert");
    expect(page).not.toContain(HOSTILE_TEXT);
  });

  it("does not make the reports grow with it", async () => {
    const { home, configPath } = await makeHomeOfUser("weak");
    const long = "x".repeat(100_000);
    const entries = Array.from({ length: 8 }, (_, index) => [`${index}${long}`, { requireMention: false }] as const);
    await writeUserFile(
      configPath,
      JSON.stringify({
        channels: { telegram: { botToken: "1:x", allowFrom: [long, "*"], groups: Object.fromEntries(entries) } },
      }),
    );
    const { outDir, assessment, run } = await assessWith(cseIn(home), join(home, "out"));
    expect(rowOf(assessment, "group_mentions_required").status).toBe("violation");
    expect(run.stdout.length).toBeLessThan(100_000);
    const sizes = Object.values(await readReports(outDir)).map((text) => text.length);
    expect(Math.max(...sizes)).toBeLessThan(1_000_000);
  });
});
