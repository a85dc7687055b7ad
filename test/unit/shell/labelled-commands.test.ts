import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface LabelledCommand {
  readonly id: string;
  readonly command: string;
  readonly expected: string;
  readonly technique: string;
  readonly over_approximation_ok: boolean;
}

const file = new URL("../../fixtures/shell/labelled-commands.json", import.meta.url);
const commands = JSON.parse(readFileSync(file, "utf8")) as readonly LabelledCommand[];
const elevating = commands.filter(({ expected }) => expected === "elevates");
const harmless = commands.filter(({ expected }) => expected === "not-elevates");

function countBy(rows: readonly LabelledCommand[], technique: RegExp): number {
  return rows.filter((row) => technique.test(row.technique)).length;
}

describe("the labelled commands", () => {
  it("have one of two labels, and no id and no command twice", () => {
    expect(elevating.length + harmless.length).toBe(commands.length);
    expect(new Set(commands.map(({ id }) => id)).size).toBe(commands.length);
    expect(new Set(commands.map(({ command }) => command)).size).toBe(commands.length);
  });

  it("are enough of each kind to measure shares of one in a hundred", () => {
    expect(elevating.length).toBeGreaterThanOrEqual(350);
    expect(new Set(elevating.map(({ technique }) => technique)).size).toBeGreaterThanOrEqual(45);
    expect(countBy(harmless, /mention-|lookalike-/)).toBeGreaterThanOrEqual(150);
    expect(countBy(harmless, /ordinary-/)).toBeGreaterThanOrEqual(200);
  });

  it("were run, but for less than 15 %", () => {
    expect(countBy(commands, /^unverified-/) / commands.length).toBeLessThan(0.15);
  });

  it("excuse an alarm only where nothing elevates", () => {
    expect(elevating.filter((row) => row.over_approximation_ok)).toEqual([]);
  });
});
