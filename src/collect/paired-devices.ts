import type { PairedDevice } from "../core/approvers.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { PAIRED_DEVICE_COLUMNS, readPairedDevice } from "../schema/paired-device.ts";
import { askStateDatabase, stateDatabasePath } from "./state-database.ts";

const MAX_DEVICES = 500;

/** The devices that OpenClaw let in, the newest first. */
export function collectPairedDevices(stateDir: string, now: () => EpochMs): Evidence<readonly PairedDevice[]> {
  const at = isoFromEpoch(now());
  const source = stateDatabasePath(stateDir);
  const own = askStateDatabase(stateDir, "device_identities", ["device_id"], (database) =>
    database.prepare("SELECT device_id FROM device_identities").all(),
  );
  const rows = askStateDatabase(stateDir, "device_pairing_paired", PAIRED_DEVICE_COLUMNS, (database) =>
    database
      .prepare(
        `SELECT ${PAIRED_DEVICE_COLUMNS.join(", ")} FROM device_pairing_paired ORDER BY approved_at_ms DESC LIMIT ${MAX_DEVICES}`,
      )
      .all(),
  );
  for (const answer of [own, rows]) {
    if (answer.kind === "failed") return unmeasured("collector-failed", answer.reason, source, at);
  }
  if (rows.kind !== "read") return measured([], source, at);
  const ownRows = own.kind === "read" ? own.value : [];
  const ownIds = new Set(ownRows.map((row) => String(row["device_id"])));
  const devices = rows.value.map((row) => readPairedDevice(row, ownIds));
  if (devices.includes(null)) return unmeasured("collector-failed", "a paired device cannot be read", source, at);
  return measured(
    devices.filter((device) => device !== null),
    source,
    at,
  );
}
