import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const HOLES = Array.from({ length: 51 }, (_, index) => `H${String(index + 1).padStart(2, "0")}`);
const STATES = ["closed", "L0", "open"];

interface Row {
  readonly hole: string;
  readonly state: string;
  /** Null where no test is named. */
  readonly test: { readonly file: string; readonly title: string } | null;
}

function parseRow(line: string): Row {
  const cells = line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
  const [hole = "", , state = "", , test = ""] = cells;
  if (cells.length !== 5) throw new Error(`not five cells: ${line}`);
  if (test === "none") return { hole, state, test: null };
  const { file, title } = /^`(?<file>[\w/.-]+\.test\.ts)`: (?<title>.+)$/.exec(test)?.groups ?? {};
  if (file === undefined || title === undefined) throw new Error(`no test and not none: ${line}`);
  return { hole, state, test: { file, title } };
}

const text = await readFile(join(ROOT, "references/known-attacks.md"), "utf8");
const rows = text
  .split("\n")
  .filter((line) => /^\| [HG]\d/.test(line))
  .map(parseRow);

describe("references/known-attacks.md", () => {
  it("has exactly one row for each hole, with a known state", () => {
    const ofGateway = rows.filter(({ hole }) => hole.startsWith("G"));
    expect(rows.map(({ hole }) => hole)).toEqual([
      ...HOLES,
      ...ofGateway.map((_, index) => `G${String(index + 1).padStart(2, "0")}`),
    ]);
    expect(ofGateway.length).toBeGreaterThan(20);
    expect(rows.filter(({ state }) => !STATES.includes(state))).toEqual([]);
  });

  it("calls nothing closed without a test", () => {
    expect(rows.filter(({ state, test }) => state === "closed" && test === null)).toEqual([]);
  });

  it("names tests that exist", async () => {
    const missing: unknown[] = [];
    for (const { hole, test } of rows) {
      if (test === null) continue;
      const source = await readFile(join(ROOT, "test", test.file), "utf8").catch(() => "");
      const isThere = ['"', "'", "`"].some((quote) => source.includes(`${quote}${test.title}`));
      if (!isThere) missing.push({ hole, ...test });
    }
    expect(missing).toEqual([]);
  });

  it("is followed in SECURITY.md for what cannot be prevented", async () => {
    expect(await readFile(join(ROOT, "SECURITY.md"), "utf8")).toContain("references/known-attacks.md");
  });
});
