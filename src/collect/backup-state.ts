import { realpathSync, statSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { BackupState } from "../core/host-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { hasOpenClawState } from "./openclaw-presence.ts";
import { askStateDatabase, stateDatabasePath } from "./state-database.ts";

/** Records to look through for a full backup behind snapshots of single databases. */
const MAX_ROWS = 200;

const NONE: BackupState = {
  latest_at: null,
  kind: null,
  push_failed: false,
  archive_bytes: null,
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
  const columns = ["created_at", "archive_path", "status", "manifest_json"];
  const answer = askStateDatabase(stateDir, "backup_runs", columns, (database) =>
    database
      .prepare(
        "SELECT created_at, archive_path, manifest_json FROM backup_runs WHERE status = 'ok' ORDER BY created_at DESC, id DESC LIMIT ?",
      )
      .all(MAX_ROWS),
  );
  if (answer.kind === "failed") return unmeasured(answer.code, answer.reason, source, at);
  if (answer.kind === "absent" && !hasOpenClawState(stateDir)) {
    return unmeasured("not-applicable", `OpenClaw keeps no state at ${stateDir} that could be backed up`, source, at);
  }
  const runs =
    answer.kind === "absent" ? [] : answer.value.map((row) => ({ row, ...manifestOf(row["manifest_json"]) }));
  // Like OpenClaw itself, what is of no known kind does not count.
  const latest =
    runs.find(({ kind }) => kind === "archive" || kind === "git") ?? runs.find(({ kind }) => kind !== null);
  if (latest === undefined) return measured(NONE, source, at);
  const { created_at: createdAt, archive_path: archive } = latest.row;
  if (typeof createdAt !== "number" || !isTime(createdAt) || typeof archive !== "string") {
    return unmeasured(
      "schema-version-unsupported",
      "The last backup is recorded in a form that is not known",
      source,
      at,
    );
  }
  return measured(
    {
      latest_at: isoFromEpoch(createdAt),
      kind: latest.kind,
      push_failed: latest.pushFailed,
      verified: null,
      ...lookAtArchive(archive, stateDir),
    },
    source,
    at,
  );
}

function manifestOf(text: unknown): { kind: BackupState["kind"]; pushFailed: boolean } {
  try {
    const manifest = JSON.parse(String(text)) as { kind?: unknown; pushFailed?: unknown } | null;
    const kind = (["archive", "git", "sqlite-snapshot"] as const).find((known) => known === manifest?.kind) ?? null;
    return { kind, pushFailed: manifest?.pushFailed === true };
  } catch {
    return { kind: null, pushFailed: false };
  }
}

/** From 2000 to 2100: seconds or garbage would give a date that looks real. */
function isTime(value: number): boolean {
  return Number.isInteger(value) && value > 946_684_800_000 && value < 4_102_444_800_000;
}

function lookAtArchive(
  archive: string,
  stateDir: string,
): Pick<BackupState, "archive_path" | "archive_exists" | "archive_bytes" | "outside_state_dir"> {
  const unseen = { archive_path: archive, archive_exists: null, archive_bytes: null, outside_state_dir: null };
  if (!isAbsolute(archive)) return unseen;
  try {
    const stat = statSync(archive);
    const way = relative(realpathSync(stateDir), realpathSync(archive));
    const isOutside = way === ".." || way.startsWith("../") || isAbsolute(way);
    const bytes = stat.isFile() ? stat.size : null;
    return { archive_path: archive, archive_exists: true, archive_bytes: bytes, outside_state_dir: isOutside };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isGone = code === "ENOENT" || code === "ENOTDIR";
    return { ...unseen, archive_exists: isGone ? false : null };
  }
}
