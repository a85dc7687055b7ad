import { describe, expect, it } from "vitest";
import { clip, escapeControl, plural } from "../../../src/core/text.ts";

describe("escapeControl", () => {
  it.each([
    ["a newline", "a\nb", "a\\nb"],
    ["a tab", "a\tb", "a\\tb"],
    ["a carriage return", "a\rb", "a\\u{d}b"],
    ["NUL", "a\u0000b", "a\\u{0}b"],
    ["an ANSI colour", "\u001b[31mred", "\\u{1b}[31mred"],
    ["an OSC window title", "\u001b]0;x\u0007", "\\u{1b}]0;x\\u{7}"],
    ["the one-byte CSI", "\u009b31m", "\\u{9b}31m"],
    ["DEL", "\u007f", "\\u{7f}"],
    ["NEL", "\u0085", "\\u{85}"],
    ["a right-to-left override", "a\u202egpj.exe", "a\\u{202e}gpj.exe"],
    ["a left-to-right isolate", "\u2066a\u2069", "\\u{2066}a\\u{2069}"],
    ["the Arabic letter mark", "\u061c", "\\u{61c}"],
    ["a zero-width space", "ro\u200bot", "ro\\u{200b}ot"],
    ["a zero-width joiner", "\u200d", "\\u{200d}"],
    ["a word joiner", "\u2060", "\\u{2060}"],
    ["a byte order mark", "\ufeff", "\\u{feff}"],
    ["a soft hyphen", "\u00ad", "\\u{ad}"],
    ["the combining grapheme joiner", "\u034f", "\\u{34f}"],
    ["a Hangul filler", "\u3164", "\\u{3164}"],
    ["a variation selector", "a\ufe0f", "a\\u{fe0f}"],
    ["a line separator", "\u2028", "\\u{2028}"],
    ["a paragraph separator", "\u2029", "\\u{2029}"],
    ["an interlinear annotation", "\ufff9", "\\u{fff9}"],
    ["a tag character", "\u{e0041}", "\\u{e0041}"],
    ["a supplementary variation selector", "\u{e0100}", "\\u{e0100}"],
    ["a lone high surrogate", "a\ud83d", "a\\u{d83d}"],
    ["a lone low surrogate", "\ude00a", "\\u{de00}a"],
    ["surrogates in the wrong order", "\ude00\ud83d", "\\u{de00}\\u{d83d}"],
  ])("escapes %s", (_title, text, expected) => {
    expect(escapeControl(text)).toBe(expected);
  });

  it.each(["", "plain", "äöü é", "日本語", "عربي", "emoji 😀", "quotes \" ' ` < > &", "back\\slash \\n", "a b"])(
    "leaves %j as it is",
    (text) => {
      expect(escapeControl(text)).toBe(text);
    },
  );
});

describe("clip", () => {
  it("leaves text that fits", () => {
    expect(clip("abcde", 5)).toBe("abcde");
  });

  it("cuts longer text and marks the cut within the limit", () => {
    expect(clip("abcdef", 5)).toBe("abcd…");
  });

  it("counts what is shown, not what was given", () => {
    expect(clip("\n\n\n", 5)).toBe("\\n\\n…");
  });

  it("never leaves half of a surrogate pair", () => {
    expect(clip("ab😀cd", 4)).toBe("ab…");
  });

  it("leaves only the mark for a limit of one", () => {
    expect(clip("abc", 1)).toBe("…");
  });
});

describe("plural", () => {
  it.each([
    [0, "0 listeners"],
    [1, "1 listener"],
    [2, "2 listeners"],
  ])("agrees with the count %d", (count, expected) => {
    expect(plural(count, "listener")).toBe(expected);
  });

  it("takes an irregular form", () => {
    expect(plural(2, "process", "processes")).toBe("2 processes");
  });
});
