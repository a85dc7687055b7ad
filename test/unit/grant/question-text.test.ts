import { describe, expect, it } from "vitest";
import type { ApprovalQuestion } from "../../../src/core/elevation.ts";
import { GATEWAY_LIMITS, renderQuestion, TERMINAL_LIMITS } from "../../../src/grant/question-text.ts";
import { quoteText, quoteWord } from "../../../src/grant/quote.ts";
import {
  SAMPLE_LIMITS,
  sampleBinary,
  sampleCommand,
  sampleFile,
  sampleQuestion,
  sha256Hex,
} from "../../helpers/sample-question.ts";

function linesOf(question: ApprovalQuestion, limits = TERMINAL_LIMITS): readonly string[] {
  const text = renderQuestion(question, limits, sha256Hex);
  return text.kind === "refused" ? [text.code] : text.lines;
}

const linesWith = (request: Parameters<typeof sampleCommand>[0], limits = TERMINAL_LIMITS): readonly string[] =>
  linesOf(sampleQuestion({ command: sampleCommand(request) }), limits);

describe("quoteWord", () => {
  it.each([
    ["update", '"update"'],
    ["", '""'],
    ["   ", '"   "'],
    ['a"b', '"a\\"b"'],
    ["a\\nb", '"a\\\\nb"'],
    ["a\nb", '"a\\nb"'],
    ["\u001b[8m", '"\\u{1b}[8m"'],
    ["\u0085\u009b", '"\\u{85}\\u{9b}"'],
    ["\u202egpj.exe", '"\\u{202e}gpj.exe"'],
    ["a\u200bb", '"a\\u{200b}b"'],
    ["a\u00a0b\u2003", '"a\\u{a0}b\\u{2003}"'],
    ["e\u0301", '"e\\u{301}"'],
    ["אב", '"\\u{5d0}\\u{5d1}"'],
    ["\ud800", '"\\u{d800}"'],
    ["\ue000", '"\\u{e000}"'],
    ["é", '"é" = "\\u{e9}"'],
    // A Cyrillic letter that looks like a Latin one.
    ["\u0430pt", '"\u0430pt" = "\\u{430}pt"'],
    ["\\u{430}pt", '"\\\\u{430}pt"'],
  ])("shows %j as %s", (word, shown) => {
    expect(quoteWord(word)).toBe(shown);
  });

  it("has a form for prose without the repetition", () => {
    expect(quoteText("Grüße\u202e")).toBe('"Grüße\\u{202e}"');
  });
});

describe("renderQuestion", () => {
  it("H36: names the caller's limits where they are less than usual, and none otherwise", () => {
    const limits = SAMPLE_LIMITS.map((limit) =>
      limit.name === "Max cpu time" ? { ...limit, soft: "7200", hard: "7200" } : limit,
    );
    const command = sampleCommand({}, { limits });
    const line = "Limits of the asking process, for the command too: processor time 7200 s";
    expect(linesOf(sampleQuestion({ command }))).toContain(line);
    expect(linesOf(sampleQuestion()).filter((each) => each.startsWith("Limits"))).toEqual([]);
  });

  it("shows whom it would run as first and the claim last", () => {
    const command = sampleCommand(
      { argv: ["/usr/bin/xz", "-d", "a b"], env: { TZ: "UTC", LANG: "C" }, stdin: new TextEncoder().encode("yes\nno") },
      {
        binary: { ...sampleBinary("/usr/bin/xz"), realPath: "/opt/xz/bin/xz" },
        interpreter: sampleBinary("/bin/dash"),
        operands: [{ ...sampleFile("/home/a/b"), index: 2 }],
      },
    );
    const question = sampleQuestion({ command, risks: ["gives a shell"], isUntrusted: true, asksToKeep: true });
    expect(renderQuestion(question, TERMINAL_LIMITS, sha256Hex)).toEqual({
      kind: "question",
      title: 'Run as "root"? [1f58b914]',
      lines: [
        'Run as: "root" (uid 0)',
        "Command, one word per line:",
        '  "/usr/bin/xz"',
        '  "-d"',
        '  "a b"',
        'Real file: "/opt/xz/bin/xz"',
        'Script, run by: "/bin/dash"',
        'Others can change word 2: "/home/a/b"',
        'In: "/srv"',
        'Environment: "LANG" = "C"',
        'Environment: "TZ" = "UTC"',
        "Standard input: 6 bytes:",
        '  "yes\\n"',
        '  "no"',
        "Time limit: 120 s",
        'Session: "task-a" (gateway), agent "main"',
        "Digest: 1f58b914",
        'RISK: "gives a shell"',
        "UNTRUSTED: this task took in content from an untrusted source.",
        "KEEP: a yes can keep it: run again unasked, 30 min idle, 2 h at most",
        'Claimed reason (not checked): "refresh the package lists"',
      ],
    });
  });

  it("H11: lets a reason neither start a line nor hide one", () => {
    const reason = 'routine\nCommand argv:\n["/usr/bin/apt-get"]\nApprove? [y/N]: \u001b[8m';
    const lines = linesWith({ argv: ["/bin/rm", "-rf", "/x"], reason });
    expect(lines.at(-1)).toBe(
      'Claimed reason (not checked): "routine\\nCommand argv:\\n[\\"/usr/bin/apt-get\\"]\\nApprove? [y/N]: \\u{1b}[8m"',
    );
    expect(lines.slice(2, 5)).toEqual(['  "/bin/rm"', '  "-rf"', '  "/x"']);
  });

  it("shows the program where it is not the word that was given", () => {
    const command = sampleCommand({ argv: ["/bin/id"] }, { binary: sampleBinary("/usr/bin/id") });
    expect(linesOf(sampleQuestion({ command }))).toContain('Program: "/usr/bin/id"');
  });

  it("R-24: shows input that is no text in hex, and long input by length, hash and start", () => {
    expect(linesWith({ stdin: new Uint8Array([0xff, 0x0a, 0x00]) })).toEqual(
      expect.arrayContaining(["Standard input: 3 bytes:", "  bytes ff0a", '  "\\u{0}"']),
    );
    const long = new Uint8Array(2_001).fill(0x78);
    const lines = linesWith({ stdin: long });
    const at = lines.indexOf("Standard input: 2001 bytes, NOT shown whole");
    expect(lines.slice(at + 1, at + 3)).toEqual([`  SHA-256 ${sha256Hex(long)}`, `  starts with "${"x".repeat(100)}"`]);
    expect(linesWith({ stdin: new Uint8Array() })).toContain("Standard input: 0 bytes:");
    expect(linesWith({ stdin: null })).toContain("Standard input: none");
  });

  it("shows a byte order mark of the input", () => {
    expect(linesWith({ stdin: new Uint8Array([0xef, 0xbb, 0xbf, 0x61]) })).toContain('  "\\u{feff}a"');
  });

  it("R-05, T31: refuses what does not fit instead of cutting it", () => {
    const wide = linesWith({ argv: ["/bin/echo", "x".repeat(496)] });
    expect(wide).toContain(`  "${"x".repeat(496)}"`);
    expect(linesWith({ argv: ["/bin/echo", "x".repeat(497)] })).toEqual(["too-long-to-review"]);
    const words = (count: number): readonly [string, ...string[]] => [
      "/bin/echo",
      ...Array.from({ length: count }, () => "x"),
    ];
    const rest = linesWith({}).length - 2;
    expect(linesWith({ argv: words(100 - rest - 1) })).toHaveLength(100);
    expect(linesWith({ argv: words(100 - rest) })).toEqual(["too-long-to-review"]);
  });

  it("R-05, T31: refuses what 512 characters of a gateway cannot hold", () => {
    const fitting = linesWith({}, GATEWAY_LIMITS).join("\n").length;
    expect(linesWith({ argv: ["/usr/bin/apt-get", `update${"x".repeat(512 - fitting)}`] }, GATEWAY_LIMITS)).not.toEqual(
      ["too-long-to-review"],
    );
    expect(linesWith({ argv: ["/usr/bin/apt-get", `update${"x".repeat(513 - fitting)}`] }, GATEWAY_LIMITS)).toEqual([
      "too-long-to-review",
    ]);
  });

  it("leaves room for a common command and its reason in a gateway's 512 characters", () => {
    const command = sampleCommand({
      argv: ["/usr/bin/apt-get", "install", "--no-install-recommends", "-y", "nginx"],
      env: { DEBIAN_FRONTEND: "noninteractive" },
      reason: "the web server that was asked for is not installed yet",
    });
    expect(linesOf(sampleQuestion({ command }), GATEWAY_LIMITS).length).toBeGreaterThan(1);
  });

  it("keeps the title within 80 characters for the longest name of a user", () => {
    const command = sampleCommand({ runAs: "a".repeat(32) });
    expect(renderQuestion(sampleQuestion({ command }), GATEWAY_LIMITS, sha256Hex)).toMatchObject({
      title: `Run as "${"a".repeat(32)}"? [1f58b914]`,
    });
    const long = sampleQuestion({ command: sampleCommand({ runAs: "a".repeat(70) }) });
    expect(renderQuestion(long, GATEWAY_LIMITS, sha256Hex)).toMatchObject({ code: "too-long-to-review" });
  });
});
