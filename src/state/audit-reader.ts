import { dirname, join } from "node:path";
import { AUDIT_LOG_NAME, listArchives, openAuditFile } from "./audit-file.ts";

/** One file of the log; the text holds one character per byte. */
export interface AuditFileText {
  readonly name: string;
  readonly text: string;
}

/**
 * The files of the log, oldest first, the present one last. Files are read one at a time.
 * @param path of the present file, which need not exist
 * @throws {SecurityError} audit-broken, audit-unavailable
 */
export function* readAuditFiles(path: string): Generator<AuditFileText> {
  const folder = dirname(path);
  for (const name of [...listArchives(folder), AUDIT_LOG_NAME]) {
    const file = openAuditFile(name === AUDIT_LOG_NAME ? path : join(folder, name), "read");
    if (file === null) continue;
    try {
      yield { name, text: file.readFrom(0) };
    } finally {
      file.close();
    }
  }
}

/** Changes whenever something is appended or a file is full. */
export function auditFilesState(path: string): string {
  const file = openAuditFile(path, "read");
  try {
    return `${listArchives(dirname(path)).length} ${file?.size() ?? 0}`;
  } finally {
    file?.close();
  }
}
