import { chmod, chown, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { REPORT_FILES } from "../../src/app/assess.ts";
import type { Assessment, AssessmentSummary } from "../../src/assess/assessment.ts";
import type { AssessmentRun } from "../../src/schema/assessment-history.ts";
import { assessWith, cseIn, giveTree, makeHomeOfUser, readReports, notesOf } from "../helpers/assess-run.ts";
import { makeUserFolders } from "../helpers/cli.ts";
import { makeHardenedHost } from "../helpers/hardened-host.ts";
import type { TestHome } from "../helpers/homes.ts";
import { IS_ROOT, STRANGER } from "../helpers/outcome.ts";
import { itOnOwnHost } from "../helpers/own-host.ts";
import { itUnless } from "../helpers/requires.ts";
import { collect, copyPackageForUser, startAsUser } from "../helpers/unprivileged.ts";

let home: TestHome;
let out: string;

beforeEach(async () => {
  home = await makeHomeOfUser("weak");
  out = join(home.home, "out");
});

const SORTED_FILES = [...REPORT_FILES].toSorted();
/** Checks that together bring all five files. */
const FEW = ["--checks", "channel_allowlist_configured,open_ports_approved,egress_connections_approved"];

describe("the five files", () => {
  it("are exactly these, for their owner alone, whatever the umask", async () => {
    const { node, folder } = await copyPackageForUser();
    const line = `umask 000; exec "$0" "$1" assess --out "$2"`;
    const args = ["-c", line, node, join(folder, "dist/cli.js"), out];
    const child = await startAsUser("/bin/sh", args, { home: home.home });
    child.stdin.end();
    const run = await collect(child);
    expect([run.exitCode, notesOf(run)]).toEqual([0, ""]);
    expect((await readdir(out)).toSorted()).toEqual(SORTED_FILES);
    for (const name of REPORT_FILES) expect([name, (await stat(join(out, name))).mode & 0o7777]).toEqual([name, 0o600]);
    expect((await stat(out)).mode & 0o7777).toBe(0o700);
  });

  it("are JSON with a version and one run, and a page that may load nothing", async () => {
    const { summary } = await assessWith(cseIn(home.home), out);
    const texts = await readReports(out);
    for (const name of REPORT_FILES.filter((file) => file.endsWith(".json"))) {
      expect([name, JSON.parse(texts[name])]).toEqual([name, expect.objectContaining({ schemaVersion: 1 })]);
    }
    const assessment = JSON.parse(texts["openclaw-assessment.json"]) as Assessment;
    const stored = JSON.parse(texts["compliance-summary.json"]) as AssessmentSummary;
    expect([assessment.run_id, stored]).toEqual([summary.run_id, summary]);
    expect(summary.files).toEqual(Object.fromEntries(REPORT_FILES.map((name) => [name, join(out, name)])));
    const page = texts["compliance-dashboard.html"];
    const csp = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/i.exec(page)?.[1] ?? "";
    expect(csp).toContain("default-src 'none'");
    expect(csp).not.toContain("unsafe");
    expect(page).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i);
    expect(page).toContain(summary.run_id);
    expect(page.trimEnd().endsWith("</html>")).toBe(true);
  });

  it("go into the package's own folder when none is named, and all five elsewhere when one is", async () => {
    const { folder } = await copyPackageForUser();
    const assessments = join(folder, "assessments");
    const run = await cseIn(home.home)(["assess", "--json"]);
    expect(run.exitCode).toBe(0);
    expect((await readdir(assessments)).toSorted()).toEqual(SORTED_FILES);
    const before = await readReports(assessments);
    await assessWith(cseIn(home.home), join(home.home, "a/new/folder"));
    expect((await readdir(join(home.home, "a/new/folder"))).toSorted()).toEqual(SORTED_FILES);
    expect(await readReports(assessments)).toEqual(before);
  });

  it("are replaced by the next run, which keeps since when a gap is open and when it is due", async () => {
    await assessWith(cseIn(home.home), out);
    const history = join(home.stateDir, "security/assessment-history.jsonl");
    const run = JSON.parse(await readFile(history, "utf8")) as AssessmentRun;
    const threeDaysAgo = new Date(Date.now() - 3 * 86_400_000).toISOString().replace(/\.\d+Z$/, "Z");
    // As if the first run had been three days ago: a high gap is due a week after it, so in four days.
    const inFourDays = new Date(Date.now() + 4 * 86_400_000).toISOString().slice(0, 10);
    const checks = run.checks.map((check) =>
      check.first_seen === null ? check : { ...check, first_seen: threeDaysAgo, due_date: inFourDays },
    );
    await writeFile(history, `${JSON.stringify({ ...run, checks })}\n`);
    const inode = (await stat(join(out, "compliance-dashboard.html"))).ino;

    const second = await assessWith(cseIn(home.home), out);
    expect((await readdir(out)).toSorted()).toEqual(SORTED_FILES);
    expect((await stat(join(out, "compliance-dashboard.html"))).ino).not.toBe(inode);
    expect(second.assessment.run_id).not.toBe(run.run_id);
    const known = new Set(checks.flatMap((check) => (check.first_seen === null ? [] : [check.check_id])));
    const open = second.assessment.checks.filter((check) => check.status === "violation" && known.has(check.check_id));
    expect(open.length).toBeGreaterThan(5);
    for (const { check_id: id, first_seen: seen, due_date: due, overdue } of open) {
      expect([id, seen, due, overdue]).toEqual([id, threeDaysAgo, inFourDays, false]);
    }
    expect((await readReports(out))["compliance-dashboard.html"]).toContain(inFourDays);
  });

  it("tell of a failed scan instead of keeping an older good one", async () => {
    await assessWith(cseIn(home.home), out);
    await makeUserFolders(join(home.stateDir, "security"));
    await writeFile(join(home.stateDir, "security/approved_ports.json"), "[{", { mode: 0o600 });
    await giveTree(home.stateDir);
    const { summary } = await assessWith(cseIn(home.home), out);
    expect(JSON.parse((await readReports(out))["port-monitor-latest.json"])).toMatchObject({
      status: "error",
      code: "json-invalid",
    });
    expect(summary.problems).toMatchObject([{ code: "json-invalid" }]);
  });
});

interface BadFolder {
  readonly what: string;
  readonly code: string;
  readonly spoil: () => Promise<void>;
}

/** Nothing is replaced here: what was there stays, byte for byte. */
const BAD_FOLDERS: readonly BadFolder[] = [
  { what: "a folder that cannot be written to", code: "read-only", spoil: async () => await chmod(out, 0o500) },
  {
    what: "a file where the assessment goes that is a link",
    code: "state-file-symlink",
    spoil: async () => {
      const path = join(out, "openclaw-assessment.json");
      await writeFile(join(home.home, "elsewhere"), await readFile(path));
      await chmod(join(home.home, "elsewhere"), 0o666);
      await rm(path);
      await symlink(join(home.home, "elsewhere"), path);
    },
  },
];

describe("a place where reports cannot be written", () => {
  it.each(BAD_FOLDERS)("$what: said on stderr and in the summary, which is still printed", async (bad) => {
    await assessWith(cseIn(home.home), out);
    await bad.spoil();
    await giveTree(home.home);
    const before = await readReports(out);
    const json = await cseIn(home.home)(["assess", "--json", "--out", out, ...FEW]);
    const text = await cseIn(home.home)(["assess", "--out", out, ...FEW]);

    expect([json.exitCode, text.exitCode]).toEqual([0, 0]);
    const summary = JSON.parse(json.stdout) as AssessmentSummary;
    expect(summary).toMatchObject({ status: "incomplete", files: {}, problems: [{ code: bad.code }] });
    expect(notesOf(json)).toBe(`${bad.code}: ${summary.problems[0]?.message}\n`);
    expect(notesOf(text)).toBe(notesOf(json));
    expect(text.stdout).toMatch(/\d open gaps?/);
    expect(text.stdout).toContain("Dashboard: not written, see the problems above");
    expect(await readReports(out)).toEqual(before);
  });

  it.each([
    ["a file", async () => await writeFile(out, "keep me"), "state-file-not-regular"],
    ["below a file", async () => await writeFile(join(home.home, "file"), "keep me"), "write-failed"],
  ])("is %s: the run goes on without it", async (what, make, code) => {
    await make();
    await giveTree(home.home);
    const target = what === "a file" ? out : join(home.home, "file/below");
    const run = await cseIn(home.home)(["assess", "--json", "--out", target, ...FEW]);
    expect([run.exitCode, JSON.parse(run.stdout)]).toEqual([
      0,
      expect.objectContaining({ files: {}, problems: [expect.objectContaining({ code })] }),
    ]);
    expect(await readFile(what === "a file" ? out : join(home.home, "file"), "utf8")).toBe("keep me");
  });

  it("holds something else by a report's name: it stays, and the summary on disk does not speak of files that are not there", async () => {
    const first = await assessWith(cseIn(home.home), out);
    const page = join(out, "compliance-dashboard.html");
    await rm(page);
    await mkdir(page);
    await writeFile(join(page, "mine"), "keep me");
    await giveTree(home.home);
    const run = await cseIn(home.home)(["assess", "--json", "--out", out]);
    expect(JSON.parse(run.stdout)).toMatchObject({ files: {}, problems: [{ code: "state-file-not-regular" }] });
    expect(await readFile(join(page, "mine"), "utf8")).toBe("keep me");
    const stored = JSON.parse(await readFile(join(out, "compliance-summary.json"), "utf8")) as AssessmentSummary;
    expect(stored.run_id).toBe(first.summary.run_id);
  });

  itUnless(IS_ROOT ? null : "only root can give files away", "has a report of another account: it stays", async () => {
    await assessWith(cseIn(home.home), out);
    const path = join(out, "openclaw-assessment.json");
    await chown(path, STRANGER, STRANGER);
    const { ino } = await lstat(path);
    const run = await cseIn(home.home)(["assess", "--json", "--out", out, ...FEW]);
    expect(JSON.parse(run.stdout)).toMatchObject({ files: {}, problems: [{ code: "state-owner-mismatch" }] });
    expect(await lstat(path)).toMatchObject({ ino, uid: STRANGER });
  });
});

describe("a full disk", () => {
  itOnOwnHost("leaves the previous reports and the history whole, and is named", async () => {
    const { home: place, host } = await makeHardenedHost();
    const disk = join(place, "disk");
    await makeUserFolders(disk);
    host.sh('mount -t tmpfs -o size=1m,mode=777 tmpfs "$1"', [disk]);
    const env = { OPENCLAW_STATE_DIR: join(disk, "state") };
    const args = ["assess", "--json", "--out", join(disk, "out")];
    const list = (): string =>
      host.sh('cd "$1" && find . -type f ! -name filler ! -name "*.jsonl" -exec sha256sum {} + | sort -k2', [disk]);
    const history = (): string => host.sh('cat "$1"', [join(disk, "state/security/assessment-history.jsonl")]);

    expect(await host.cse(args, place, env)).toMatchObject({ exitCode: 0 });
    const before = list();
    host.sh('cd "$1" && cat /dev/zero > filler || true', [disk]);
    const run = await host.cse(args, place, env);
    expect(run.exitCode).toBe(0);
    const summary = JSON.parse(run.stdout) as AssessmentSummary;
    expect(summary).toMatchObject({ status: "incomplete", files: {} });
    // The short line of the history may still fit where its last page has room; half of it never stays.
    expect([...new Set(summary.problems.map(({ code }) => code))]).toEqual(["disk-full"]);
    expect(notesOf(run).match(/^disk-full: /gm)).toHaveLength(summary.problems.length);
    expect(list()).toBe(before);
    for (const line of history().trimEnd().split("\n")) expect(JSON.parse(line)).toMatchObject({ schemaVersion: 1 });

    host.sh('rm "$1/filler"', [disk]);
    const after = await host.cse(args, place, env);
    expect([after.exitCode, notesOf(after)]).toEqual([0, ""]);
    expect(JSON.parse(after.stdout)).toMatchObject({ problems: [] });
  });
});
