import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Paint } from "../../src/report/terminal-layout.ts";

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), "..", "fixtures", "golden");

/** Path of a reviewed expected output. `vitest -u` rewrites it; the change is read like code. */
export function goldenPath(name: string): string {
  return join(FOLDER, name);
}

const same = (text: string): string => text;

/** What a pipe gets. */
export const NO_PAINT: Paint = { bold: same, dim: same, red: same, yellow: same, green: same, cyan: same };

const mark =
  (name: string) =>
  (text: string): string =>
    `\u001b[${name}]${text}\u001b[/]`;

/** Visible stand-ins for the colours of a terminal. */
export const MARKED_PAINT: Paint = {
  bold: mark("bold"),
  dim: mark("dim"),
  red: mark("red"),
  yellow: mark("yellow"),
  green: mark("green"),
  cyan: mark("cyan"),
};
