import { describe, expect, it } from "vitest";
import { type AnnouncedRun, matchExecutions } from "../../../src/audit/match-executions.ts";
import type { SudoExecution } from "../../../src/audit/sudo-record.ts";

function run(argv: readonly string[], more: Partial<AnnouncedRun> = {}): AnnouncedRun {
  const path = argv[0] ?? "";
  return { seq: 1, at: 100_000, endedAt: 101_000, argv, path, runAs: "root", isUnstarted: false, ...more };
}

function execution(command: string, more: Partial<SudoExecution> = {}): SudoExecution {
  return { at: 100_000, user: "bob", runAs: "root", command, ...more };
}

describe("matchExecutions (R-61)", () => {
  it.each([
    ["plain words", ["/bin/id", "-u"], "/bin/id -u"],
    ["words that sudo quotes", ["/bin/printf", "%s\\n", "a b", "x\ty", "é"], "/bin/printf %s\\\\n 'a b' x#011y é"],
    ["words that sudo joins", ["/bin/printf", "%s\\n", "a b", "x\ty"], "/bin/printf %s\\n a b x\ty"],
    ["a masked word", ["/bin/x", "--token=***", "y"], "/bin/x '--token=SEC RET' y"],
    ["a word that was cut", ["/bin/x", `${"w".repeat(20)}[+30]`, "y"], `/bin/x ${"w".repeat(50)} y`],
    ["words that were left out", ["/bin/x", "a", "[+2 words]"], "/bin/x a b c"],
    ["characters that mean something to a pattern", ["/bin/x", "a.*(b)[c]$"], "/bin/x a.*(b)[c]$"],
  ])("pairs an execution with its announcement: %s", (_what, argv, command) => {
    expect(matchExecutions([execution(command)], [run(argv)])).toEqual({ matched: 1, bypasses: [], unconfirmed: [] });
  });

  it.each([
    ["another command", {}, execution("/bin/ls")],
    ["more words", {}, execution("/bin/id -u -n")],
    ["another target user", {}, execution("/bin/id -u", { runAs: "daemon" })],
    ["a time before", {}, execution("/bin/id -u", { at: 90_000 })],
    ["a time after its end", {}, execution("/bin/id -u", { at: 110_000 })],
    ["a time long after one that never ended", { endedAt: null }, execution("/bin/id -u", { at: 5_000_000 })],
  ])("does not pair with %s", (_what, more, other) => {
    const announced = run(["/bin/id", "-u"], more);
    expect(matchExecutions([other], [announced])).toEqual({ matched: 0, bypasses: [other], unconfirmed: [announced] });
  });

  it("H10: lets one announcement stand for one execution only", () => {
    const twice = [execution("/bin/id"), execution("/bin/id", { at: 100_500 })];
    expect(matchExecutions(twice, [run(["/bin/id"])])).toEqual({ matched: 1, bypasses: [twice[1]], unconfirmed: [] });
  });

  it("pairs with the path that was executed, not with the word that was asked for", () => {
    const announced = run(["/bin/view", "x"], { path: "/usr/bin/view" });
    expect(matchExecutions([execution("/usr/bin/view x")], [announced]).matched).toBe(1);
  });

  it("expects nothing of a run that could not be started", () => {
    expect(matchExecutions([], [run(["/bin/id"], { isUnstarted: true })])).toEqual({
      matched: 0,
      bypasses: [],
      unconfirmed: [],
    });
  });
});
