import { asSecurityError } from "../core/error.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { PairedDevice, PairedDevices, StandingApprovals } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { parseExecApprovals } from "../schema/exec-approvals.ts";
import { hasOpenClawState } from "./openclaw-presence.ts";
import { askStateDatabase, stateDatabasePath } from "./state-database.ts";

interface Options {
  readonly now: () => EpochMs;
}

/** What OpenClaw's approvals allow for good. */
export async function collectStandingApprovals(
  stateDir: string,
  { now }: Options,
): Promise<Evidence<StandingApprovals>> {
  const at = isoFromEpoch(now());
  const source = `${stateDatabasePath(stateDir)}, table exec_approvals_config`;
  const answer = askStateDatabase(stateDir, "exec_approvals_config", ["config_key", "raw_json"], (database) =>
    database.prepare("SELECT raw_json FROM exec_approvals_config WHERE config_key = 'current'").get(),
  );
  if (answer.kind === "failed") return unmeasured(answer.code, answer.reason, source, at);
  if (answer.kind === "absent" && !hasOpenClawState(stateDir)) {
    return unmeasured("not-applicable", `OpenClaw keeps no state at ${stateDir}`, source, at);
  }
  const text = answer.kind === "read" ? answer.value?.["raw_json"] : undefined;
  if (text === undefined) return measured({ present: false, entries: [], auto_allow_skills: [] }, source, at);
  try {
    return await Promise.resolve(measured({ present: true, ...parseExecApprovals(String(text)) }, source, at));
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    return unmeasured(code, message, source, at);
  }
}

const PAIRED = [
  "device_id",
  "display_name",
  "operator_label",
  "role",
  "approved_at_ms",
  "last_seen_at_ms",
  "approved_via",
];
const MAX_DEVICES = 10_000;

/** Devices that the gateway lets in, and those that ask to be. */
export async function collectPairedDevices(stateDir: string, { now }: Options): Promise<Evidence<PairedDevices>> {
  const at = isoFromEpoch(now());
  const source = `${stateDatabasePath(stateDir)}, tables device_pairing_paired and device_pairing_pending`;
  const paired = askStateDatabase(stateDir, "device_pairing_paired", PAIRED, (database) =>
    database.prepare(`SELECT ${PAIRED.join(", ")} FROM device_pairing_paired LIMIT ?`).all(MAX_DEVICES),
  );
  const pending = askStateDatabase(stateDir, "device_pairing_pending", ["request_id"], (database) =>
    database.prepare("SELECT count(*) AS number FROM device_pairing_pending").get(),
  );
  for (const answer of [paired, pending]) {
    if (answer.kind === "failed") return unmeasured(answer.code, answer.reason, source, at);
  }
  if (paired.kind === "absent" && !hasOpenClawState(stateDir)) {
    return unmeasured("not-applicable", `OpenClaw keeps no state at ${stateDir}`, source, at);
  }
  const rows = paired.kind === "read" ? paired.value : [];
  const number = pending.kind === "read" ? pending.value?.["number"] : 0;
  return await Promise.resolve(
    measured({ paired: rows.map(deviceOf), pending: typeof number === "number" ? number : 0 }, source, at),
  );
}

function deviceOf(row: Readonly<Record<string, unknown>>): PairedDevice {
  const text = (key: string): string | null => (typeof row[key] === "string" && row[key] !== "" ? row[key] : null);
  const time = (key: string): string | null => (typeof row[key] === "number" ? isoFromEpoch(row[key]) : null);
  return {
    name: text("operator_label") ?? text("display_name") ?? text("device_id") ?? "a device without a name",
    role: text("role") ?? "no role",
    approved_at: time("approved_at_ms") ?? "",
    last_seen_at: time("last_seen_at_ms"),
    approved_via: text("approved_via"),
  };
}
