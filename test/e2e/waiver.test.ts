import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { DiffReport, HistoryReport } from "../../src/app/report-history.ts";
import type { WaiverReport } from "../../src/app/waiver.ts";
import type { AssessedCheck, Assessment, AssessmentSummary } from "../../src/assess/assessment.ts";
import type { PtyRun } from "../helpers/pty.ts";
import { itWith } from "../helpers/requires.ts";
import { cse, makePerson, type Person, TYPE_CODE, typeInstead, writePolicy } from "../helpers/run-in-terminal.ts";

const SOON = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
const REASON = "The vendor delivers a fix next month.";

const addWords = (check: string, change: Readonly<Record<string, string>> = {}): readonly string[] => {
  const flags = { reason: REASON, owner: "Operations", approver: "Head of security", expires: SOON, ...change };
  return ["waiver", "add", "--check", check, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
};

interface Assessed {
  readonly summary: AssessmentSummary;
  readonly assessment: Assessment;
}

async function assess(person: Person): Promise<Assessed> {
  const out = join(person.home, "out");
  const run = await cse(person, ["assess", "--out", out]);
  expect([run.exitCode, run.output.includes("error")]).toEqual([0, false]);
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(out, name), "utf8"));
  return {
    summary: (await read("compliance-summary.json")) as AssessmentSummary,
    assessment: (await read("openclaw-assessment.json")) as Assessment,
  };
}

function openGap({ assessment }: Assessed): AssessedCheck {
  const gap = assessment.checks.find(({ status }) => status === "violation" || status === "partial");
  if (gap === undefined) throw new Error("this host has no gap");
  return gap;
}

function jsonOf(run: PtyRun): unknown {
  return JSON.parse(run.output.slice(run.output.indexOf("{"), run.output.lastIndexOf("}") + 1));
}

const list = async (person: Person): Promise<WaiverReport> =>
  jsonOf(await cse(person, ["waiver", "list", "--json"])) as WaiverReport;

describe("cse waiver", () => {
  itWith(["python3", "setpriv"], "waives a gap once a person typed the code, and lets it count again", async () => {
    const person = await makePerson();
    const before = await assess(person);
    const { check_id: id, status } = openGap(before);
    const added = await cse(person, addWords(id), { steps: [TYPE_CODE] });
    expect([added.exitCode, added.output.includes("Agreed.")]).toEqual([0, true]);
    const file = join(person.security, "waivers.json");
    expect([(await stat(file)).mode & 0o777, (await stat(join(person.security, "waiver-key"))).mode & 0o777]).toEqual([
      0o600, 0o600,
    ]);

    const waived = await assess(person);
    const row = waived.assessment.checks.find((check) => check.check_id === id);
    expect([row?.status, row?.waiver?.state, row?.first_seen]).toEqual([status, "active", openGap(before).first_seen]);
    expect(waived.assessment.changes).toEqual([expect.objectContaining({ kind: "waived", check_id: id })]);
    expect(waived.summary.findings.at(-1)).toMatchObject({ check_id: id, waiver: row?.waiver?.id });
    expect(waived.assessment.score.waived).toBe(1);
    expect(waived.assessment.score.points).toBeGreaterThanOrEqual(waived.assessment.score.points_without_waivers ?? 0);

    const [waiver] = (await list(person)).waivers;
    const ended = await cse(person, ["waiver", "expire", waiver?.id ?? ""]);
    expect([ended.exitCode, ended.output.includes("over")]).toEqual([0, true]);
    const after = await assess(person);
    expect(after.assessment.changes).toEqual([expect.objectContaining({ kind: "waiver-expired", check_id: id })]);
    expect(after.assessment.score.points).toBe(before.assessment.score.points);

    const diff = jsonOf(await cse(person, ["report", "diff", "--json"])) as DiffReport;
    expect(diff.changes.map(({ kind }) => kind)).toEqual(["waiver-expired"]);
    const first = jsonOf(
      await cse(person, ["report", "diff", before.assessment.run_id.slice(0, 8), "latest", "--json"]),
    ) as DiffReport;
    expect(first.changes).toEqual([]);
    const history = jsonOf(await cse(person, ["report", "history", "--json"])) as HistoryReport;
    expect(history.points.map(({ waived: count }) => count)).toEqual([0, 1, 0]);
    expect((await cse(person, ["report", "history"])).output).toMatch(/Score +Coverage/);
  });

  itWith(["python3", "setpriv"], "adds nothing without the code, without a terminal, or for everything", async () => {
    const person = await makePerson();
    const { check_id: id } = openGap(await assess(person));
    const wrong = typeInstead("yes\n");
    const cases: readonly (readonly [PtyRun, string, number])[] = [
      [await cse(person, addWords(id), { steps: [wrong, wrong, wrong] }), "waiver-refused", 3],
      [await cse(person, addWords(id), { steps: [typeInstead("no\n")] }), "waiver-refused", 3],
      [await cse(person, addWords(id), { isControlling: false }), "not-a-terminal", 2],
      [await cse(person, addWords("*")), "unknown-check", 3],
      [await cse(person, addWords("all")), "unknown-check", 3],
      [await cse(person, addWords(id, { approver: " operations" })), "waiver-refused", 3],
      [await cse(person, addWords(id, { reason: "later" })), "waiver-refused", 3],
      [await cse(person, addWords(id, { expires: "2099-01-01" })), "waiver-refused", 3],
      [await cse(person, addWords(id, { expires: "soon" })), "waiver-refused", 3],
      [await cse(person, ["waiver", "expire", "w-0"]), "unknown-waiver", 3],
    ];
    expect(cases.map(([run, code]) => [run.output.includes(`error ${code}`), run.exitCode])).toEqual(
      cases.map(([, , exit]) => [true, exit]),
    );
    expect((await list(person)).waivers).toEqual([]);
  });

  itWith(["python3", "setpriv"], "a waiver edited by hand counts for nothing until a person confirms it", async () => {
    const person = await makePerson();
    const before = await assess(person);
    const { check_id: id } = openGap(before);
    await cse(person, addWords(id), { steps: [TYPE_CODE] });
    const file = join(person.security, "waivers.json");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(REASON, "No reason at all, says the agent."));
    const flagged = await assess(person);
    expect(flagged.summary.problems.map(({ code }) => code)).toEqual(["waiver-unconfirmed"]);
    expect(flagged.assessment.score.points).toBe(before.assessment.score.points);
    const [waiver] = (await list(person)).waivers;
    expect(waiver?.state).toBe("unconfirmed");
    const confirmed = await cse(person, ["waiver", "confirm", waiver?.id ?? ""], { steps: [TYPE_CODE] });
    expect([confirmed.exitCode, confirmed.output.includes("says the agent")]).toEqual([0, true]);
    expect((await list(person)).waivers[0]?.state).toBe("active");
    // Ending it keeps the seal; taking the end back by hand breaks it.
    await cse(person, ["waiver", "expire", waiver?.id ?? ""]);
    const ended = await readFile(file, "utf8");
    await writeFile(file, ended.replace(/,\n *"ended": "[^"]*"/, ""));
    expect((await list(person)).waivers[0]?.state).toBe("unconfirmed");
  });

  itWith(["python3", "setpriv"], "a file that cannot be read stops the assessment, and leaves no report", async () => {
    const waiver = {
      id: "w-1",
      check_id: "update_hygiene",
      target: "host",
      reason: REASON,
      owner: "A. Owner",
      approver: "B. Approver",
      created: "2026-11-01T08:00:00Z",
      expires: "2026-12-01",
    };
    const file = (...waivers: readonly unknown[]): string => JSON.stringify({ schemaVersion: 1, waivers });
    for (const [text, code] of [
      ["{", "json-invalid"],
      [file({ ...waiver, check_id: "*" }), "waivers-invalid"],
      [file({ ...waiver, target: "*" }), "waivers-invalid"],
      [file({ ...waiver, approver: "a. OWNER" }), "waivers-invalid"],
      [file({ ...waiver, reason: "short" }), "waivers-invalid"],
      [file({ ...waiver, expires: "2026-13-01" }), "waivers-invalid"],
      [file({ ...waiver, extra: 1 }), "waivers-invalid"],
      [file(waiver, waiver), "waivers-invalid"],
      ['{"schemaVersion":2,"waivers":[]}', "waivers-invalid"],
      ['{"schemaVersion":1,"waivers":[],"waivers":[]}', "json-duplicate-key"],
    ] as const) {
      const person = await makePerson();
      await writePolicy(person, "waivers.json", text);
      const out = join(person.home, "out");
      const run = await cse(person, ["assess", "--out", out]);
      expect([text, run.exitCode, run.output.includes(`error ${code}`)]).toEqual([text, 3, true]);
      await expect(stat(out)).rejects.toMatchObject({ code: "ENOENT" });
    }
  });
});
