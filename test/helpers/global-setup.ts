import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One temporary folder for the whole run, open to the ordinary test user and removed at the end. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "cse-test-"));
  chmodSync(folder, 0o1777);
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
