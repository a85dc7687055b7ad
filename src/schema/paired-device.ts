import { Type } from "@sinclair/typebox";
import { Check } from "@sinclair/typebox/value";
import type { PairedDevice } from "../core/approvers.ts";
import { isoFromEpoch } from "../core/time.ts";

const text = Type.Union([Type.String({ maxLength: 10_000 }), Type.Null()]);
/** A row of OpenClaw's table device_pairing_paired. */
const ROW = Type.Object({
  device_id: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  operator_label: text,
  display_name: text,
  platform: text,
  client_id: text,
  approved_via: text,
  remote_ip: text,
  scopes_json: text,
  approved_at_ms: Type.Integer({ minimum: 0, maximum: 253_402_300_799_999 }),
});

export const PAIRED_DEVICE_COLUMNS: readonly string[] = Object.keys(ROW.properties);
const APPROVING: readonly unknown[] = ["operator.admin", "operator.approvals"];

/** Null: not a row that this release can read. */
export function readPairedDevice(row: unknown, ownIds: ReadonlySet<string>): PairedDevice | null {
  if (!Check(ROW, row)) return null;
  return {
    id: row.device_id,
    name: row.operator_label ?? row.display_name ?? "",
    platform: row.platform ?? "",
    client: row.client_id ?? "",
    pairedAt: isoFromEpoch(row.approved_at_ms),
    pairedVia: row.approved_via ?? "",
    from: row.remote_ip,
    canApprove: scopesOf(row.scopes_json).some((scope) => APPROVING.includes(scope)),
    isKeyHere: ownIds.has(row.device_id),
  };
}

function scopesOf(json: string | null): readonly unknown[] {
  try {
    const scopes: unknown = JSON.parse(json ?? "[]");
    return Array.isArray(scopes) ? scopes : [];
  } catch {
    // Not JSON: it names no scope.
    return [];
  }
}
