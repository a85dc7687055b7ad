import { lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { SecurityErrorCode } from "../core/error.ts";

/** OpenClaw's shared database below its state folder. */
export function stateDatabasePath(stateDir: string): string {
  return join(stateDir, "state", "openclaw.sqlite");
}

export type DatabaseAnswer<T> =
  | { readonly kind: "read"; readonly value: T }
  /** There is no database, or not the table: nothing was ever recorded. */
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly code: SecurityErrorCode; readonly reason: string };

/** A database this big has been filled by something else; reading it could take long. */
const MAX_BYTES = 4_294_967_296;
const BUSY_MS = 500;

/**
 * Asks OpenClaw's database one question, read-only, and closes it again.
 * @param columns the columns the question relies on; a table without them is of another version
 */
export function askStateDatabase<T>(
  stateDir: string,
  table: string,
  columns: readonly string[],
  ask: (database: DatabaseSync) => T,
): DatabaseAnswer<T> {
  const path = stateDatabasePath(stateDir);
  try {
    const stat = lstatSync(path);
    if (!stat.isFile()) return failed("state-file-not-regular", `${path} is not a regular file`);
    if (stat.size > MAX_BYTES) return failed("file-too-large", `${path} is larger than any real one`);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
    return failed("file-unreadable", `Cannot look at ${path}: ${code ?? "unknown reason"}`);
  }
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(addressOf(path), { readOnly: true, timeout: BUSY_MS });
    const found = database.prepare("SELECT name FROM pragma_table_info(?)").all(table);
    if (found.length === 0) return { kind: "absent" };
    const names = new Set(found.map((row) => row["name"]));
    const missing = columns.filter((column) => !names.has(column));
    if (missing.length > 0) {
      return failed("schema-version-unsupported", `${table} in ${path} has no column ${missing.join(", ")}`);
    }
    return { kind: "read", value: ask(database) };
  } catch (cause) {
    return failed("file-unreadable", `Cannot read ${path}: ${(cause as Error).message}`);
  } finally {
    database?.close();
  }
}

/**
 * Without a write-ahead log nothing is being written: opened as immutable, SQLite makes no lock and
 * no file of its own beside the database.
 */
function addressOf(path: string): URL {
  const address = pathToFileURL(path);
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (log === undefined || log.size === 0) address.searchParams.set("immutable", "1");
  return address;
}

function failed(code: SecurityErrorCode, reason: string): { kind: "failed"; code: SecurityErrorCode; reason: string } {
  return { kind: "failed", code, reason };
}
