import { realpathSync, statSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { BackupState } from "../core/host-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { hasOpenClawState } from "./openclaw-presence.ts";
import { askStateDatabase, stateDatabasePath } from "./state-database.ts";

const NONE: BackupState = {
  latest_at: null,
  archive_path: null,
  verified: null,
  outside_state_dir: null,
  archive_exists: null,
};

/** The last backup that OpenClaw recorded as done. Whether it can be restored is not known from that. */
export async function collectBackupState(
  stateDir: string,
  options: { readonly now: () => EpochMs },
): Promise<Evidence<BackupState>> {
  const at = isoFromEpoch(options.now());
  const source = `${stateDatabasePath(stateDir)}, table backup_runs`;
  const answer = askStateDatabase(stateDir, "backup_runs", ["created_at", "archive_path", "status"], (database) =>
    database
      .prepare(
        "SELECT created_at, archive_path FROM backup_runs WHERE status = 'ok' ORDER BY created_at DESC, id DESC LIMIT 1",
      )
      .get(),
  );
  if (answer.kind === "failed") return unmeasured(answer.code, answer.reason, source, at);
  if (answer.kind === "absent" && !hasOpenClawState(stateDir)) {
    return unmeasured("not-applicable", `OpenClaw keeps no state at ${stateDir} that could be backed up`, source, at);
  }
  if (answer.kind === "absent" || answer.value === undefined) return measured(NONE, source, at);
  const { created_at: createdAt, archive_path: archive } = answer.value;
  if (typeof createdAt !== "number" || !isTime(createdAt) || typeof archive !== "string") {
    return unmeasured(
      "schema-version-unsupported",
      "The last backup is recorded in a form that is not known",
      source,
      at,
    );
  }
  return measured(
    { latest_at: isoFromEpoch(createdAt), verified: null, ...lookAtArchive(archive, stateDir) },
    source,
    at,
  );
}

/** From 2000 to 2100: seconds or garbage would give a date that looks real. */
function isTime(value: number): boolean {
  return Number.isInteger(value) && value > 946_684_800_000 && value < 4_102_444_800_000;
}

function lookAtArchive(
  archive: string,
  stateDir: string,
): Pick<BackupState, "archive_path" | "archive_exists" | "outside_state_dir"> {
  // A git backup records where it pushed to, which is no path here.
  if (!isAbsolute(archive)) return { archive_path: archive, archive_exists: null, outside_state_dir: null };
  try {
    statSync(archive);
    const way = relative(realpathSync(stateDir), realpathSync(archive));
    const isOutside = way === ".." || way.startsWith("../") || isAbsolute(way);
    return { archive_path: archive, archive_exists: true, outside_state_dir: isOutside };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isGone = code === "ENOENT" || code === "ENOTDIR";
    return { archive_path: archive, archive_exists: isGone ? false : null, outside_state_dir: null };
  }
}
