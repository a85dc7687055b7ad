import { describe, expect, it } from "vitest";
import { CHECKS } from "../../../src/assess/checks.ts";
import { chooseChecks, evidenceFor, runChecks } from "../../../src/assess/run-checks.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { AT, badEvidence, goodEvidence } from "../../helpers/assess-evidence.ts";

function codeOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof SecurityError ? error.code : error;
  }
}

describe("choosing checks", () => {
  it("takes all 45 when none is named", () => {
    expect(chooseChecks(undefined)).toEqual(CHECKS);
    expect(CHECKS).toHaveLength(45);
    expect(new Set(CHECKS.map(({ meta }) => meta.check_id)).size).toBe(45);
  });

  it("takes the named ones in the order of the reports", () => {
    const chosen = chooseChecks(["update_hygiene", "open_ports_approved", "update_hygiene"]);
    expect(chosen.map(({ meta }) => meta.check_id)).toEqual(["open_ports_approved", "update_hygiene"]);
  });

  it.each([[["open_ports_approved", "nonsense"]], [["__proto__"]], [[]]])("refuses %j", (ids) => {
    expect(codeOf(() => chooseChecks(ids))).toBe("unknown-check");
  });

  it("asks only for the evidence that the chosen checks read", () => {
    expect(evidenceFor(chooseChecks(["backup_configured"]))).toEqual(["backup"]);
    expect(evidenceFor(chooseChecks(["open_ports_approved", "insecure_ports_remediated"]))).toEqual([
      "ports",
      "native",
    ]);
  });
});

describe("running checks", () => {
  it.each(CHECKS.map((check) => [check.meta.check_id, check] as const))(
    "lets %s read no other evidence than it declares",
    (_id, { meta, check }) => {
      for (const evidence of [goodEvidence(), badEvidence()]) {
        const read = new Set<string>();
        const watched = new Proxy(evidence, {
          get(target, key) {
            read.add(String(key));
            return Reflect.get(target, key);
          },
        });
        check(watched);
        expect([...read].toSorted()).toEqual([...meta.uses].toSorted());
      }
    },
  );

  it("makes a failing check not_assessed with its reason and lets the others answer", () => {
    const [first, second] = CHECKS;
    if (first === undefined || second === undefined) throw new Error("no checks");
    const failing = {
      meta: first.meta,
      check: () => {
        throw new TypeError("undefined is no object");
      },
    };
    const [broken, fine] = runChecks([failing, second], goodEvidence(), AT);
    expect(broken?.result).toEqual({
      status: "not_assessed",
      observed_state: "Nothing could be observed.",
      evidence: [
        {
          source: `check ${first.meta.check_id}`,
          at: AT,
          detail: "collector-failed: Unexpected failure: undefined is no object",
        },
      ],
      gap: "The check failed (collector-failed): Unexpected failure: undefined is no object",
      mitigation: "This is a bug; please report it with this message.",
    });
    expect(fine?.result.status).toBe("compliant");
  });
});
