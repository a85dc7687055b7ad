import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** One temporary folder for the whole run, open to the ordinary test user and removed at the end. */
export default function setup(): () => void {
  // Called once for each group of tests; a folder in the folder would make paths too long for sockets.
  if (basename(tmpdir()).startsWith("cse-test-")) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), "cse-test-"));
  chmodSync(folder, 0o1777);
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
