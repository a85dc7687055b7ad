import { describe, expect, it } from "vitest";
import { createTypedText } from "../../../src/app/typed-text.ts";

function typing(...pieces: readonly string[]) {
  const typed = createTypedText();
  return pieces.map((piece) => {
    const line = typed.add("process a", piece);
    typed.accept("process a");
    return line;
  });
}

describe("what was typed into a program", () => {
  it("reads a piece with the beginning of its line", () => {
    expect(typing("su", "do id\n")[1]).toEqual({ kind: "text", text: "sudo id\n" });
  });

  it("forgets a line that was run and defines nothing", () => {
    expect(typing("ls\n", "do id\n")[1]).toEqual({ kind: "text", text: "do id\n" });
  });

  it("remembers a line that later ones may build on", () => {
    expect(typing("alias a=su''do\r", "a id\r")[1]).toEqual({ kind: "text", text: "alias a=su''do\na id\n" });
  });

  it("joins a line with the one that a backslash continues it on", () => {
    expect(typing("s\\\n", "udo id\n")[1]).toEqual({ kind: "text", text: "s\\\nudo id\n" });
  });

  it("gives a line up at Ctrl-C", () => {
    expect(typing("su", "\x03do id\n")[1]).toEqual({ kind: "text", text: "do id\n" });
  });

  it.each(["\x1b[A", "\x7f", "\x12", "\x15"])("does not know a line that the key %j changed", (key) => {
    expect(typing(key, "\n")).toEqual([
      { kind: "unknown", runs: false, why: expect.any(String) },
      { kind: "unknown", runs: true, why: expect.any(String) },
    ]);
  });

  it("takes Ctrl-O for a key that runs the line", () => {
    expect(typing("\x1b[A\x0f")).toEqual([{ kind: "unknown", runs: true, why: expect.any(String) }]);
  });

  it("knows a line again after one that was changed has run", () => {
    expect(typing("\x1b[A\n", "ls\n")[1]).toEqual({ kind: "text", text: "ls\n" });
  });

  it("takes a refused piece back", () => {
    const typed = createTypedText();
    typed.add("a", "su");
    typed.add("a", "do id");
    typed.undo("a");
    expect(typed.add("a", " -\n")).toEqual({ kind: "text", text: "su -\n" });
  });

  it("keeps sessions apart", () => {
    const typed = createTypedText();
    typed.add("a", "su");
    expect(typed.add("b", "do id")).toEqual({ kind: "text", text: "do id" });
  });

  it("does not know what is longer than it keeps", () => {
    expect(typing("x".repeat(40_000))).toEqual([{ kind: "unknown", runs: true, why: expect.any(String) }]);
  });
});
