import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { analyzeCommand } from "../../../src/shell/analyze-command.ts";
import { interpret } from "../../../src/shell/interpret.ts";
import { type LabelledCommand, judge } from "../../helpers/labelled-commands.ts";
import { SHELL_COMMANDS } from "../../helpers/shell-commands.ts";

const ROWS = Object.entries(SHELL_COMMANDS).flatMap(([technique, groups]) =>
  Object.entries(groups).map(([verdict, commands]: [string, readonly string[]]) => ({ technique, verdict, commands })),
);
const LABELLED = join(import.meta.dirname, "../../fixtures/shell/labelled-commands.json");

describe("analyzeCommand", () => {
  it.each(ROWS)("$technique: says $verdict for each command of the table", ({ verdict, commands }) => {
    const wrong = commands.filter((command) => analyzeCommand(command).verdict !== verdict);
    expect(wrong).toEqual([]);
  });

  it("does little work for any command of the table", () => {
    const all = ROWS.flatMap(({ commands }) => commands);
    expect(all.filter((command) => interpret(command).work > 200 + command.length)).toEqual([]);
  });

  it("has a table worth the name", () => {
    const all = ROWS.flatMap(({ commands }) => commands);
    expect(all.length).toBeGreaterThan(1_000);
    expect(all.filter((command, at) => all.indexOf(command) !== at)).toEqual([]);
  });

  it("gives the words of each elevation and what leads to it", () => {
    const { elevations } = analyzeCommand("sudo -n id -u; env A=1 nice bash -c 'x=1; sudo cat \"$F\"'");
    expect(elevations).toEqual([
      { program: "sudo", argv: ["sudo", "-n", "id", "-u"], via: [] },
      { program: "sudo", argv: null, via: ["env", "nice", "bash -c"] },
    ]);
  });

  it("says why it elevates, or why it cannot be known, and nothing when it is clear", () => {
    expect(analyzeCommand("pkexec id").reasons).toEqual(["pkexec runs a command as another user."]);
    expect(analyzeCommand("$X id").reasons).toEqual([
      "It cannot be known without running it: the name of a program is known only when it runs.",
    ]);
    expect(analyzeCommand("ls").reasons).toEqual([]);
  });

  it.each([undefined, null, 7, {}, [], Symbol("x")])("calls %s opaque", (value) => {
    expect(analyzeCommand(value as string).verdict).toBe("opaque");
  });

  it("reads the echo of sh as sh does", () => {
    const text = "echo '\\163udo id' | sh";
    expect(analyzeCommand(text, { dialect: "sh" }).verdict).toBe("elevates");
    expect(analyzeCommand(text, { dialect: "bash" }).verdict).toBe("clear");
  });

  it("is not misled by the characters that it marks the unknown with", () => {
    expect(analyzeCommand("\ufdd1 id; sudo\ufdd0 id; \ufdd3").verdict).toBe("clear");
    expect(analyzeCommand("eval '\ufdd1'; sudo id").verdict).toBe("elevates");
  });

  it("finds 98 % of the labelled set with at most 5 % false alarms", () => {
    const rows = JSON.parse(readFileSync(LABELLED, "utf8")) as LabelledCommand[];
    const { foundShare, falseAlarmShare, missed, falseAlarms } = judge(rows);
    expect(foundShare, `missed: ${missed.join(" ### ")}`).toBeGreaterThanOrEqual(0.98);
    expect(falseAlarmShare, `false alarms: ${falseAlarms.join(" ### ")}`).toBeLessThanOrEqual(0.05);
  });
});

/** 256 KiB at 40 characters a step. */
const LONGEST_VALUE_STEPS = 6_554;

/** What is deep, long or doubles itself; each from a size that a shell would still take. */
const SHAPES: Readonly<Record<string, (size: number) => string>> = {
  "nested quotes": (size) => `echo ${"\"'".repeat(size)}`,
  "nested parentheses": (size) => "(".repeat(size),
  "nested substitutions": (size) => "$(".repeat(size),
  "balanced substitutions": (size) => `echo ${"$(echo ".repeat(size)}${")".repeat(size)}`,
  "nested expansions": (size) => "${a:-".repeat(size),
  "nested arithmetic": (size) => "$((".repeat(size),
  "process substitutions": (size) => `cat ${"<(echo) ".repeat(size)}`,
  backticks: (size) => "`".repeat(size),
  "one long word": (size) => "a".repeat(size),
  "many commands": (size) => "ls;".repeat(size),
  "many words": (size) => `echo ${"a ".repeat(size)}`,
  "a long pipe": (size) => `${"a|".repeat(size)}a`,
  "a chain": (size) => "a&&".repeat(size),
  "here-documents in one line": (size) => "cat <<A ".repeat(size),
  "here-documents": (size) => "cat <<A\n".repeat(size),
  "function headers": (size) => "f() ".repeat(size),
  "doubling values": (size) => `x=aaaaaaaa;${"x=$x$x;".repeat(size)}echo $x`,
  "doubling evals": () => 'a=\'eval "$a$a"\'; eval "$a"',
  "a function that calls itself twice": () => "f() { f; f; }; f",
  "an alias of itself": () => "alias a='a a'\na",
  "loops in loops": () => `${"for a in 1 2 3 4 5 6 7 8 9; do ".repeat(30)}ls;${"done;".repeat(30)}`,
  "braces in braces": (size) => `echo ${"{a,b}".repeat(size)}`,
  "wildcards in one word": (size) => `/usr/bin/${"*a".repeat(size)}`,
  "wrappers of wrappers": (size) => `${"env ".repeat(size)}id`,
  "code that starts much": (size) => `python3 -c '${'os.system("ls");'.repeat(size)}'`,
  "quotes without an end in code": (size) => `perl -e '${"qx{".repeat(size)}'`,
  "patterns on long values": (size) => `x=${"a".repeat(size)}; ${"echo ${x//*b/c} ${x%%b*};".repeat(50)}`,
};

describe("the work of analyzeCommand", () => {
  it.each(Object.entries(SHAPES))("stays within its bound for %s", (_name, shape) => {
    for (const size of [100, 3_000, 30_000]) {
      const text = shape(size);
      const { work } = interpret(text);
      // One step may pay for a whole list of words or for the longest value, so the limit may be passed by that.
      expect(work).toBeLessThanOrEqual(60_000 + text.length + LONGEST_VALUE_STEPS);
      expect(["clear", "opaque", "elevates"]).toContain(analyzeCommand(text).verdict);
    }
  });

  it.each(["(", "$(", "$((", "${a:-", "ls;", "env ", "cat <<A ", "f() "])(
    "calls much of '%s' opaque, not clear",
    (part) => {
      expect(analyzeCommand(part.repeat(30_000)).verdict).toBe("opaque");
    },
  );

  it("pays for values that grow beyond the text", () => {
    const text = `x=a; ${"x=$x$x; ".repeat(1_000)}echo "$x"`;
    expect(interpret(text).work).toBeGreaterThan(60_000);
    expect(analyzeCommand(text).verdict).toBe("opaque");
  });

  it("takes twice the steps for twice the text", () => {
    const line = 'cd "$DIR" && for f in *.txt; do grep -c sudo "$f" | sort > out; done\n';
    const [once, twice] = [interpret(line.repeat(50)).work, interpret(line.repeat(100)).work];
    expect(twice / once).toBeGreaterThan(1.9);
    expect(twice / once).toBeLessThan(2.1);
  });

  it("reads a megabyte that only becomes a file", () => {
    const text = `cat > notes.txt <<'EOF'\n${"sudo is mentioned here\n".repeat(45_000)}EOF\nls`;
    expect(text.length).toBeGreaterThan(1_000_000);
    expect(analyzeCommand(text).verdict).toBe("clear");
  });

  it("finds what stands after a megabyte of something else", () => {
    const text = `cat > notes.txt <<'EOF'\n${"words\n".repeat(170_000)}EOF\nsudo id`;
    expect(analyzeCommand(text).verdict).toBe("elevates");
  });
});
