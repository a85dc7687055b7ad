import { Type } from "@sinclair/typebox";
import { parseWith } from "./validate.ts";

/** `root-session-state.json`, as far as it is shown. It is never read for a decision. */
export interface SessionRecordFile {
  readonly privilege_mode: "normal" | "elevated";
  readonly written_at: string;
  readonly grants: readonly RecordedGrantFile[];
}

export interface RecordedGrantFile {
  readonly session: string;
  readonly run_as: string;
  readonly argv: readonly string[];
  readonly kept: boolean;
  readonly approved_by: string;
  readonly expires_at: string;
}

const text = Type.String({ maxLength: 10_000 });
const RECORD = Type.Object({
  schemaVersion: Type.Literal(1),
  privilege_mode: Type.Union([Type.Literal("normal"), Type.Literal("elevated")]),
  written_at: text,
  grants: Type.Array(
    Type.Object({
      session: text,
      run_as: text,
      argv: Type.Array(text),
      kept: Type.Boolean(),
      approved_by: text,
      expires_at: text,
    }),
  ),
});

/** @throws {SecurityError} invalid-input */
export function parseSessionRecord(value: unknown): SessionRecordFile {
  return parseWith(RECORD, value, "root-session-state.json", "invalid-input");
}
