import { describe, expect, it } from "vitest";
import { type Fact, line, missing, weigh } from "../../../src/assess/weigh.ts";
import { measured, unmeasured } from "../../../src/core/evidence.ts";

const good: Fact = { kind: "good", seen: "a is fine" };
const partial: Fact = { kind: "partial", seen: "b is half", gap: "b lacks a half", fix: "mend b" };
const violation: Fact = {
  kind: "violation",
  seen: "c is open",
  gap: "c lets anyone in",
  fix: "close c",
  risk: "critical",
};
const unknown: Fact = { kind: "unknown", reason: "d could not be read", remedy: "let d be read" };
const unbuilt: Fact = { kind: "unbuilt", part: "hook-probe" };
const none: Fact = { kind: "no-object", seen: "there is no e" };

describe("weigh", () => {
  it.each([
    [
      "a violation stands whatever else is known or unknown",
      [good, none, partial, unknown, unbuilt, violation],
      "violation",
    ],
    [
      "what is unknown outweighs a partial gap, because it could hide worse",
      [good, none, partial, unbuilt, unknown],
      "not_assessed",
    ],
    ["a partial gap is shown although a part is not built yet", [good, none, unbuilt, partial], "partial"],
    ["a part that is not built yet keeps good facts from being enough", [good, none, unbuilt], "not_assessed"],
    ["good facts alone are compliant", [good, none], "compliant"],
    ["without an object nothing is applicable", [none], "not_applicable"],
    ["without any fact nothing was assessed", [], "not_assessed"],
  ] as const)("%s", (_title, facts, status) => {
    expect(weigh(facts, []).status).toBe(status);
    expect(weigh(facts.toReversed(), []).status).toBe(status);
  });

  it("names gaps worst first, then what is not known, and takes the worst risk", () => {
    expect(weigh([unknown, partial, good, violation], [])).toEqual({
      status: "violation",
      risk: "critical",
      observed_state: "c is open; b is half; a is fine",
      evidence: [],
      gap: "C lets anyone in. B lacks a half. Not measured: d could not be read.",
      mitigation: "Close c. Mend b.",
    });
  });

  it("says why it could not be measured, what would help, and which gap is already known", () => {
    expect(weigh([partial, unknown], [])).toEqual({
      status: "not_assessed",
      observed_state: "b is half",
      evidence: [],
      gap: "D could not be read. Already seen: b lacks a half.",
      mitigation: "Let d be read. Mend b.",
    });
  });

  it("escapes what comes from outside", () => {
    const hostile: Fact = { kind: "good", seen: "name\n\u001b[31mred\u202e" };
    expect(weigh([hostile], []).observed_state).toBe("name\\n\\u{1b}[31mred\\u{202e}");
  });
});

describe("a line of evidence", () => {
  it("says what was found, where and when", () => {
    expect(line(measured(1, "/etc/x", "2026-11-23T08:00:00Z"), "one")).toEqual({
      source: "/etc/x",
      at: "2026-11-23T08:00:00Z",
      detail: "one",
    });
  });

  it("says why there is nothing instead of what was not found", () => {
    expect(line(unmeasured("timeout", "no answer", "tool", "2026-11-23T08:00:00Z"), "one").detail).toBe(
      "not measured (timeout): no answer",
    );
  });
});

describe("missing evidence", () => {
  it.each(["timeout", "tool-missing", "file-unreadable", "permission-denied", "json-invalid", "not-built"] as const)(
    "is unknown and comes with a way to measure it when the code is %s",
    (code) => {
      const fact = missing(unmeasured(code, "why", "the source", "2026-11-23T08:00:00Z"));
      expect(fact.kind).toBe("unknown");
      expect(fact.kind === "unknown" && fact.remedy !== "").toBe(true);
    },
  );

  it("means that there is no object only when the collector says so", () => {
    expect(missing(unmeasured("not-applicable", "nothing here", "x", "2026-11-23T08:00:00Z"))).toEqual({
      kind: "no-object",
      seen: "nothing here",
    });
  });
});
