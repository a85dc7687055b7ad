import * as fs from "node:fs";
import { fail, FAILED } from "./fail.ts";

/** Words of our own command line before the caller's: node, script, SOCKET, REAL_SUDO, NAME. */
const OWN_WORDS = 5;

/**
 * The caller's words as bytes, one character for each. `process.argv` has lost bytes that are not
 * UTF-8, so they are read from the system where it shows them; elsewhere lost bytes stay visible as
 * U+FFFD, which the gateway refuses.
 */
export function readWords(): readonly string[] {
  const count = process.argv.length - OWN_WORDS;
  if (count <= 0) return [];
  if (process.platform !== "linux") return process.argv.slice(OWN_WORDS).map(asBytes);
  const line = fs.readFileSync("/proc/self/cmdline", "latin1");
  const all = line.slice(0, -1).split("\0");
  if (!line.endsWith("\0") || all.length < process.argv.length) {
    fail(FAILED, "argv-invalid", "the command line cannot be read", "Run the command again.");
  }
  return all.slice(-count);
}

export function asBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
