import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import { parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const hash = Type.String({ pattern: "^[0-9a-f]{64}$" });
const id = Type.String({ pattern: "^[0-9a-f]{32}$" });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const HEAD = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    logId: id,
    seq: count,
    sha256: hash,
    at: Type.String({ maxLength: 40 }),
    anchored: Type.Union([
      Type.Literal("sent"),
      Type.Literal("failed"),
      Type.Literal("pending"),
      Type.Literal("nowhere"),
    ]),
  },
  closed,
);
const SEALER = Type.Object({ epoch: count, keyHex: hash, lineage: id }, closed);
const KEY = Type.Object(
  { schemaVersion: Type.Literal(1), current: SEALER, pending: Type.Union([SEALER, Type.Null()]) },
  closed,
);

/** audit-head.json: the last checkpoint, kept apart from the log. */
export interface AuditHeadFile {
  readonly schemaVersion: 1;
  readonly logId: string;
  readonly seq: number;
  /** SHA-256 of the checkpoint's line. */
  readonly sha256: string;
  /** ISO-8601 UTC. */
  readonly at: string;
  /** Whether the checkpoint was also given to the system's log; `nowhere`: this machine has none. */
  readonly anchored: "sent" | "failed" | "pending" | "nowhere";
}

/** audit-key.json: the key of the records to come, and a new one whose record is about to be written. */
export interface AuditKeyFile {
  readonly schemaVersion: 1;
  readonly current: { readonly epoch: number; readonly keyHex: string; readonly lineage: string };
  readonly pending: AuditKeyFile["current"] | null;
}

/** @throws {SecurityError} audit-broken, json-invalid, json-duplicate-key */
export function parseAuditHead(text: string): AuditHeadFile {
  return parseWith(HEAD, parseStrictJson(text, "audit-head.json"), "audit-head.json", "audit-broken");
}

/** @throws {SecurityError} audit-broken, json-invalid, json-duplicate-key */
export function parseAuditKey(text: string): AuditKeyFile {
  return parseWith(KEY, parseStrictJson(text, "audit-key.json"), "audit-key.json", "audit-broken");
}

export function formatAuditFile(file: AuditHeadFile | AuditKeyFile): string {
  return `${JSON.stringify(file)}\n`;
}
