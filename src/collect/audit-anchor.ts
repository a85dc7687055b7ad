import { lstat } from "node:fs/promises";
import { type AuditAnchor, parseAnchor } from "../audit/anchor.ts";
import { SecurityError } from "../core/error.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { readTextFile } from "../state/read-file.ts";

const TAG = "openclaw-audit";
const SYSTEM_LOG_SOCKET = "/dev/log";
/** Where syslog daemons put what is sent to the auth facility. */
const SYSTEM_LOG_FILES = ["/var/log/auth.log", "/var/log/secure", "/var/log/syslog", "/var/log/messages"];
const SEND_TIMEOUT_MS = 3_000;
const READ_TIMEOUT_MS = 20_000;
const MAX_ANCHORS = 20_000;
const MAX_BYTES = 256 * 1024 * 1024;

export interface AnchorTools {
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
}

/**
 * What hands one line to the system's log (syslog or journald, which listen at the same socket), or null
 * where there is none. The result is true when the line was taken; whether it was kept, only reading tells.
 */
export async function createAnchorSender(
  { runTool, locateTool }: AnchorTools,
  socket: string = SYSTEM_LOG_SOCKET,
): Promise<((text: string) => Promise<boolean>) | null> {
  const logger = await locateTool("logger");
  if (logger === null || !(await isThere(socket))) return null;
  return async (text) => {
    const result = await runTool({
      file: logger,
      args: ["--socket", socket, "--socket-errors=on", "--tag", TAG, "--priority", "auth.notice", "--", text],
      timeoutMs: SEND_TIMEOUT_MS,
      maxBytes: 10_000,
    });
    return result.kind === "done" && result.exitCode === 0;
  };
}

/** The anchors that the system's log holds, in the order in which it holds them. */
export interface FoundAnchors {
  readonly anchors: readonly AuditAnchor[];
  /** Where something could be read; empty: nobody can tell what was anchored. */
  readonly sources: readonly string[];
}

/**
 * @param uid whose anchors count: anybody can send a line that looks like one
 * @param maxBytes a source with more than this is passed over
 */
export async function collectAnchors(
  { runTool, locateTool }: AnchorTools,
  uid: number,
  files: readonly string[] = SYSTEM_LOG_FILES,
  maxBytes: number = MAX_BYTES,
): Promise<FoundAnchors> {
  const anchors: AuditAnchor[] = [];
  const sources: string[] = [];
  const journalctl = await locateTool("journalctl");
  if (journalctl !== null) {
    const result = await runTool({
      file: journalctl,
      args: [
        "--quiet",
        "--no-pager",
        "--output=cat",
        `--lines=${MAX_ANCHORS}`,
        `SYSLOG_IDENTIFIER=${TAG}`,
        `_UID=${uid}`,
      ],
      timeoutMs: READ_TIMEOUT_MS,
      maxBytes,
    });
    if (result.kind === "done" && result.exitCode === 0) take("journal", result.stdout);
  }
  for (const path of files) {
    const text = await readLog(path, maxBytes);
    if (text !== null) take(path, text);
  }
  return { anchors, sources };

  function take(source: string, text: string): void {
    sources.push(source);
    for (const line of text.split("\n")) {
      if (!line.includes(TAG)) continue;
      const anchor = parseAnchor(line);
      if (anchor !== null) anchors.push(anchor);
    }
  }
}

async function readLog(path: string, maxBytes: number): Promise<string | null> {
  try {
    return await readTextFile(path, { maxBytes, trust: "untrusted", what: "system log" });
  } catch (thrown) {
    if (thrown instanceof SecurityError) return null;
    throw thrown;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    // On most systems /dev/log is a link to journald's socket.
    return found.isSocket() || found.isSymbolicLink();
  } catch {
    // No system log is a fact, not a failure; the head file says that nothing was anchored.
    return false;
  }
}
