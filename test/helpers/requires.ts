import { accessSync, constants } from "node:fs";
import { it } from "vitest";

const FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** CI sets this: there a missing tool is a failure, elsewhere a skip that names the tool. */
const SKIPPING_FORBIDDEN = process.env["CSE_NO_SKIP"] === "1";

/** Absolute path of an installed tool, or null. */
export function toolPath(name: string): string | null {
  for (const folder of FOLDERS) {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK);
      return `${folder}/${name}`;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** Like `it`, for a test that needs system tools; skipped by name where one is missing. */
export function itWith(
  tools: readonly string[],
  title: string,
  run: () => Promise<void> | void,
  timeoutMs?: number,
): void {
  const missing = tools.filter((tool) => toolPath(tool) === null);
  itUnless(missing.length === 0 ? null : `${missing.join(", ")} not installed`, title, run, timeoutMs);
}

/** Like `it`, but skipped under the obstacle's name when there is one. */
export function itUnless(
  obstacle: string | null,
  title: string,
  run: () => Promise<void> | void,
  timeoutMs?: number,
): void {
  if (obstacle === null) {
    it(title, run, timeoutMs);
  } else if (SKIPPING_FORBIDDEN) {
    it(title, () => {
      throw new Error(`not possible on this machine: ${obstacle}`);
    });
  } else {
    it.skip(`${title} (skipped: ${obstacle})`, run);
  }
}
