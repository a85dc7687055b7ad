import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { openTerminal } from "../../src/cli/terminal.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Our commands as texts name them: in backticks, from `cse` on. Placeholders stand in angle brackets. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/`cse ([^`\\$]+)\\?`/g)].map((match) => match[1] ?? "");
}

/** What is wrong with the words after `cse`; null when such a command line exists. */
function faultOf(line: string): string | null {
  const words = line.trim().split(/\s+/);
  let command: Command = buildProgram(openTerminal(), { exitCode: 0 });
  while (command.commands.length > 0) {
    const name = words.shift();
    if (name === "--help" || name === "--version") return null;
    const found = command.commands.find((other) => other.name() === name);
    if (found === undefined) return `${line}: there is no command ${name ?? ""} below ${command.name()}`;
    command = found;
  }
  for (const word of words.filter((other) => other.startsWith("-"))) {
    const isKnown = command.options.some((option) => option.long === word || option.short === word);
    if (!isKnown) return `${line}: ${command.name()} has no ${word}`;
  }
  return null;
}

async function sourceTexts(): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const folder of ["src", "references"]) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      if (!/\.(?:ts|json)$/.test(name)) continue;
      texts.set(join(folder, name), await readFile(join(ROOT, folder, name), "utf8"));
    }
  }
  return texts;
}

describe("what our texts tell a reader to run", () => {
  it("is a command that exists, with options that exist", async () => {
    const faults: string[] = [];
    let seen = 0;
    for (const [name, text] of await sourceTexts()) {
      for (const line of commandsIn(text)) {
        seen += 1;
        const fault = faultOf(line);
        if (fault !== null) faults.push(`${name}: ${fault}`);
      }
    }
    expect(faults).toEqual([]);
    expect(seen).toBeGreaterThan(20);
  });

  it.each([
    ["egress watch", "egress watch: there is no command egress below cse"],
    ["scan", "scan: there is no command  below scan"],
    ["scan egress --watch 60", "scan egress --watch 60: egress has no --watch"],
    ["scan egress --json", null],
    ["baseline review", null],
  ])("this test can tell for %s", (line, fault) => {
    expect(faultOf(line)).toBe(fault);
  });
});
