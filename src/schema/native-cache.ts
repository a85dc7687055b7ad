import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import { NATIVE_COMMANDS, type NativeFinding, type NativeRun } from "../core/native-evidence.ts";
import { parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const text = Type.String({ maxLength: 1_000 });
const command = Type.Union(NATIVE_COMMANDS.map((name) => Type.Literal(name)));
const CACHE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    key: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    taken_at: Type.String({ maxLength: 40 }),
    runs: Type.Array(
      Type.Object(
        {
          command,
          status: Type.Union([Type.Literal("done"), Type.Literal("failed"), Type.Literal("skipped")]),
          said: text,
          duration_ms: Type.Number({ minimum: 0 }),
        },
        closed,
      ),
      { maxItems: NATIVE_COMMANDS.length },
    ),
    findings: Type.Array(
      Type.Object(
        {
          id: text,
          severity: Type.Union([Type.Literal("critical"), Type.Literal("warn"), Type.Literal("info")]),
          command,
          title: text,
          suppressed: Type.Boolean(),
        },
        closed,
      ),
      { maxItems: 2_000 },
    ),
  },
  closed,
);

/** `<state>/security/native-evidence.json`: what OpenClaw's own commands said last, and for what it holds. */
export interface NativeCache {
  readonly schemaVersion: 1;
  /** SHA-256 over the config, OpenClaw's version and whether the gateway ran. */
  readonly key: string;
  /** ISO-8601 UTC. */
  readonly taken_at: string;
  readonly runs: readonly NativeRun[];
  readonly findings: readonly NativeFinding[];
}

const WHAT = "The kept answers of OpenClaw's own commands";

/** @throws {SecurityError} json-invalid, json-duplicate-key, invalid-input */
export function parseNativeCache(content: string): NativeCache {
  return parseWith(CACHE, parseStrictJson(content, WHAT), WHAT, "invalid-input");
}
