import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SecurityError } from "../../src/core/error.ts";
import { normalizeOpenClawConfig } from "../../src/schema/normalize-openclaw-config.ts";
import { mergeIncluded, parseOpenClawText } from "../../src/schema/openclaw-text.ts";

/** Fixed, so that a failure is the same everywhere. */
const SEED = 20_261_123;
const CANARY = "canary-5d1e";

/** Objects made of the keys that are read, in places right and wrong, with values right and wrong. */
const KEYS =
  "gateway auth token password bind port channels telegram accounts dmPolicy allowFrom groups * requireMention tools exec mode security elevated agents entries list id sandbox docker network plugins hooks mappings env vars __proto__ constructor".split(
    " ",
  );
const leaf = fc.oneof(
  fc.constantFrom("lan", "open", "ask", "full", "all", "*", CANARY, "$\u007bX}", ""),
  fc.boolean(),
  fc.integer(),
  fc.constant(null),
);
const { config } = fc.letrec((tie) => ({
  config: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    leaf,
    fc.array(tie("config"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("config"), { maxKeys: 6 }),
  ),
}));

function normalize(authored: unknown): unknown {
  return normalizeOpenClawConfig({
    path: "/x/openclaw.json",
    authored,
    includes: [],
    env: { X: "y" },
    home: "/x",
    profile: null,
    inContainer: false,
  });
}

/** Everything that comes out, whether the configuration is taken or refused. */
function outcomeText(authored: unknown): string {
  try {
    return JSON.stringify(normalize(authored));
  } catch (error) {
    if (!(error instanceof SecurityError)) throw error;
    return JSON.stringify([error.message, error.hint, error.details]);
  }
}

describe("OpenClaw's configuration, whatever it holds", () => {
  it("is accepted or refused as config-invalid, with no third outcome", () => {
    fc.assert(
      fc.property(config, (authored) => {
        try {
          normalize(authored);
        } catch (error) {
          expect(error instanceof SecurityError ? error.code : error).toBe("config-invalid");
        }
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("gives no secret away, accepted or refused", () => {
    fc.assert(
      fc.property(config, fc.constantFrom("token", "password"), (rest, key) => {
        const authored = { gateway: { auth: { [key]: CANARY } }, models: rest, hooks: { token: CANARY } };
        expect(outcomeText(authored)).not.toContain(CANARY);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("is parsed or refused as config-invalid from any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parseOpenClawText(text, "f");
        } catch (error) {
          expect(error instanceof SecurityError ? error.code : error).toBe("config-invalid");
        }
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it("merges without reaching a prototype, and keeps what only one side has", () => {
    fc.assert(
      fc.property(config, config, (base, later) => {
        mergeIncluded(base, later);
        expect(Object.keys(Object.prototype)).toEqual([]);
        expect(mergeIncluded({ a: base }, {})).toEqual({ a: base });
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});
