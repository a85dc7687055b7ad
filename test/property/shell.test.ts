import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyzeCommand } from "../../src/shell/analyze-command.ts";
import { findProtectedUse } from "../../src/shell/protected-use.ts";
import { readCommands } from "../../src/shell/read-commands.ts";
import { SHELL_COMMANDS } from "../helpers/shell-commands.ts";

const runs = (numRuns: number): fc.Parameters<unknown> => ({ seed: 20_261_128, numRuns });

const ALL = Object.values(SHELL_COMMANDS).flatMap(({ elevates = [], opaque = [], clear = [] }) => [
  ...elevates,
  ...opaque,
  ...clear,
]);
const ELEVATING = Object.values(SHELL_COMMANDS).flatMap(({ elevates = [] }) => elevates);
const THINGS = {
  paths: ["/home/a/.openclaw/openclaw.json"],
  home: "/home/a",
  gatewayPids: [12],
  gatewayPorts: [18_789],
  secretVariables: ["OPENCLAW_GATEWAY_TOKEN"],
};

/** A command of the table with a piece cut out, doubled or replaced. */
const mutated = fc
  .tuple(fc.constantFrom(...ALL), fc.nat(200), fc.nat(20), fc.string({ maxLength: 6 }))
  .map(
    ([command, at, length, text]) =>
      command.slice(0, at) + text + command.slice(at + length) + command.slice(at, at + 3),
  );
const shellish = fc
  .array(
    fc.constantFrom(
      "sudo",
      " ",
      "$(",
      ")",
      "`",
      "'",
      '"',
      "${",
      "}",
      "<<",
      "\n",
      "|",
      ";",
      "&&",
      "x=",
      "$x",
      "eval",
      "sh -c",
      "{a,b}",
      "[[",
      "((",
      "\\",
      "*",
      "id",
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

describe("the shell reader", () => {
  it("answers any text, twice the same, with reasons unless it is clear", () => {
    fc.assert(
      fc.property(fc.oneof(mutated, shellish, fc.string({ unit: "binary" })), (text) => {
        const analysis = analyzeCommand(text);
        expect(analyzeCommand(text)).toEqual(analysis);
        expect(analysis.reasons.length === 0).toBe(analysis.verdict === "clear");
        expect(analysis.elevations.length > 0).toBe(analysis.verdict === "elevates");
        expect(Array.isArray(readCommands(text).commands)).toBe(true);
        expect(Array.isArray(findProtectedUse(text, THINGS))).toBe(true);
      }),
      runs(1_500),
    );
  });

  it("goes on finding an elevation behind something harmless", () => {
    const harmless = fc.constantFrom(
      "true; ",
      "ls && ",
      "cd /tmp\n",
      "echo 'a b' | cat; ",
      "X=1; ",
      "for i in 1 2; do :; done; ",
    );
    fc.assert(
      fc.property(harmless, fc.constantFrom(...ELEVATING), (before, command) => {
        expect(analyzeCommand(before + command).verdict).toBe("elevates");
      }),
      runs(600),
    );
  });

  it("finds sudo however its letters are quoted", () => {
    const letter = (char: string): fc.Arbitrary<string> =>
      fc.constantFrom(
        char,
        `'${char}'`,
        `"${char}"`,
        `\\${char}`,
        `$'\\x${char.charCodeAt(0).toString(16)}'`,
        `$'\\${char.charCodeAt(0).toString(8)}'`,
        `''${char}`,
        `${char}""`,
        `\${u:+}${char}`.replace("${u:+}", "$@"),
      );
    fc.assert(
      fc.property(
        fc.tuple(..."sudo".split("").map(letter)),
        fc.constantFrom("", "/usr/bin/", "/bin/"),
        (letters, folder) => {
          expect(analyzeCommand(`${folder}${letters.join("")} id`).verdict).toBe("elevates");
        },
      ),
      runs(1_000),
    );
  });

  it("finds sudo behind any pile of wrappers and shells", () => {
    const wrap = fc.constantFrom<(inner: string) => string>(
      (inner) => `bash -c ${quote(inner)}`,
      (inner) => `sh -c ${quote(inner)}`,
      (inner) => `eval ${quote(inner)}`,
      (inner) => `env -S ${quote(`sh -c ${quote(inner)}`)}`,
      (inner) => `timeout 5 sh -c ${quote(inner)}`,
      (inner) => `echo "$( ${inner} )"`,
      (inner) => `( ${inner} )`,
      (inner) => `f() { ${inner}; }; f`,
      (inner) => `printf %s ${quote(inner)} | sh`,
      (inner) => `x=${quote(inner)}; eval "$x"`,
      (inner) => `find . -exec sh -c ${quote(inner)} \\;`,
    );
    fc.assert(
      fc.property(fc.array(wrap, { maxLength: 4 }), (wraps) => {
        const text = wraps.reduce((inner, each) => each(inner), "sudo id");
        expect(analyzeCommand(text).verdict).toBe("elevates");
      }),
      runs(1_000),
    );
  });
});

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
