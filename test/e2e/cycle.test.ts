import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CycleReport } from "../../src/app/cycle.ts";
import type { AssessmentSummary } from "../../src/assess/assessment.ts";
import type { NotifyMessage, NotifyState } from "../../src/schema/notify-state.ts";
import { cseIn, giveTree, makeHomeOfUser } from "../helpers/assess-run.ts";
import { makeUserFolders, readJson, reportOf } from "../helpers/cli.ts";
import { itWith } from "../helpers/requires.ts";
import { cse, makePerson, TYPE_CODE } from "../helpers/run-in-terminal.ts";

const TEE = "/usr/bin/tee";

describe("cse cycle", () => {
  it("tells a planted change exactly once, though the sink fails twice", async () => {
    const { home, stateDir, configPath } = await makeHomeOfUser("hardened");
    const inbox = join(home, "inbox");
    await makeUserFolders(inbox);
    const file = join(inbox, "messages");
    const run = cseIn(home, {
      OPENCLAW_VIOLATION_NOTIFY_CMD: `${TEE} -a ${file}`,
      OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST: JSON.stringify([[TEE, "-a", file]]),
    });
    const out = join(home, "out");
    const turn = async (): Promise<CycleReport> =>
      reportOf(await run(["cycle", "--json", "--out", out])) as CycleReport;
    expect((await turn()).notify).toMatchObject({ status: "ok", delivered: 1 });

    const config = JSON.parse(await readFile(configPath, "utf8")) as Record<string, unknown>;
    const channels = { telegram: { enabled: true, botToken: "x", dmPolicy: "open", allowFrom: ["*"] } };
    await writeFile(configPath, JSON.stringify({ ...config, channels }));
    await rm(inbox, { recursive: true });
    expect((await turn()).notify).toMatchObject({ status: "incomplete", delivered: 0, waiting: 1 });
    // The waiting times are real ones; here they are over.
    const statePath = join(stateDir, "security/violation-notify-state.json");
    const waitOver = async (): Promise<void> => {
      const state = (await readJson(statePath)) as NotifyState;
      const outbox = state.outbox.map((entry) => ({ ...entry, next_at: "2026-01-01T00:00:00Z" }));
      await writeFile(statePath, JSON.stringify({ ...state, outbox }));
    };
    await waitOver();
    expect((await turn()).notify).toMatchObject({ delivered: 0, waiting: 1 });
    await makeUserFolders(inbox);
    await waitOver();
    expect((await turn()).notify).toMatchObject({ status: "ok", delivered: 1, waiting: 0 });
    expect((await turn()).notify).toMatchObject({ status: "ok", delivered: 0 });

    const messages = (await readFile(file, "utf8")).trimEnd().split("\n");
    const told = messages.map((line) => JSON.parse(line) as NotifyMessage);
    expect(told.map(({ kind }) => kind)).toEqual(["alert"]);
    expect(told[0]?.items.map((item) => `${item.kind} ${item.check_id}`)).toContain("new channel_allowlist_configured");
    const log = join(stateDir, "logs/cyber-security-engineer-auto.log");
    expect((await stat(log)).mode & 0o777).toBe(0o600);
    const lines = await readFile(log, "utf8");
    expect([lines.match(/cycle starts/g)?.length, lines.match(/cycle ends: ok/g)?.length]).toEqual([5, 5]);
  });

  it("runs once when two begin at the same time, and the other says so and leaves", async () => {
    const { home } = await makeHomeOfUser("weak");
    const run = cseIn(home);
    const all = await Promise.all(
      [1, 2, 3].map(async () => await run(["cycle", "--json", "--out", join(home, "out")])),
    );
    const statuses = all.map((one) => (reportOf(one) as CycleReport).status);
    expect(statuses.toSorted()).toContain("busy");
    expect(statuses.filter((status) => status === "ok").length).toBeGreaterThan(0);
  });

  it("that fails ends with the code of what failed, and the next report says so", async () => {
    const { home, stateDir } = await makeHomeOfUser("weak");
    const run = cseIn(home);
    const waivers = join(stateDir, "security/waivers.json");
    await mkdir(join(stateDir, "security"), { recursive: true, mode: 0o700 });
    await writeFile(waivers, "{", { mode: 0o600 });
    await giveTree(home);
    const failed = await run(["cycle", "--json"]);
    expect(reportOf(failed, 3)).toMatchObject({ status: "failed", problems: [{ code: "json-invalid" }] });
    await rm(waivers);
    const summary = reportOf(await run(["assess", "--json", "--out", join(home, "out")])) as AssessmentSummary;
    expect(summary.problems.map(({ code }) => code)).toContain("cycle-failed");
    expect(reportOf(await run(["cycle", "--json", "--out", join(home, "out")]))).toMatchObject({ status: "ok" });
    const after = reportOf(await run(["assess", "--json", "--out", join(home, "out")])) as AssessmentSummary;
    expect(after.problems.map(({ code }) => code)).not.toContain("cycle-failed");
  });
});

describe("cse schedule", () => {
  it("changes nothing without a person, and says when nothing is scheduled", async () => {
    const { home } = await makeHomeOfUser("weak");
    const run = cseIn(home);
    expect(reportOf(await run(["schedule", "status", "--json"]))).toMatchObject({
      enabled: false,
      kind: null,
      files: [],
    });
    const refused = await run(["schedule", "enable", "--using", "systemd", "--json"]);
    expect(reportOf(refused, 2)).toMatchObject({ code: "not-a-terminal" });
    await expect(stat(join(home, ".config"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(reportOf(await run(["schedule", "disable", "--json"]))).toMatchObject({ enabled: false });
    expect(reportOf(await run(["schedule", "enable", "--every", "1", "--json"]), 2)).toMatchObject({
      code: "invalid-argument",
    });
  });

  itWith(
    ["python3", "setpriv", "systemctl"],
    "shows what it will write, and leaves nothing where it cannot work",
    async () => {
      const person = await makePerson();
      const run = await cse(person, ["schedule", "enable", "--using", "systemd"], { steps: [TYPE_CODE] });
      expect(run.output).toContain("OnUnitActiveSec=30min");
      expect(run.output).toContain("Then: systemctl --user enable --now cyber-security-engineer.timer");
      // Here is no service manager of this account.
      expect([run.exitCode, run.output.includes("error tool-failed")]).toEqual([5, true]);
      await expect(stat(join(person.home, ".config/systemd/user/cyber-security-engineer.timer"))).rejects.toMatchObject(
        {
          code: "ENOENT",
        },
      );
    },
  );
});
