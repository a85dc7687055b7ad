import { describe, expect, it } from "vitest";
import { type Column, displayWidth, renderTable, wrap } from "../../../src/report/terminal-layout.ts";
import { MARKED_PAINT, NO_PAINT } from "../../helpers/golden.ts";
import { HOSTILE_TEXTS } from "../../helpers/sample-assessment.ts";

describe("wrap", () => {
  it("breaks at spaces and indents the lines after the first", () => {
    expect(wrap("one two three four", 16, "  - ")).toEqual(["  - one two", "    three four"]);
  });

  it("breaks a word that is longer than a line", () => {
    expect(wrap(`see ${"x".repeat(23)} end`, 14, "  ")).toEqual([
      "  see",
      `  ${"x".repeat(12)}`,
      `  ${"x".repeat(11)}`,
      "  end",
    ]);
  });

  it("counts wide and combining characters by the cells they take", () => {
    expect(wrap("日本語 日本語 e\u0301e\u0301e\u0301", 10)).toEqual(["日本語", "日本語 e\u0301e\u0301e\u0301"]);
    expect(displayWidth("日本e\u0301🙂")).toBe(7);
  });

  it.each(HOSTILE_TEXTS)("keeps every line of %j within the width and free of control characters", (text) => {
    for (const columns of [20, 40, 80]) {
      for (const line of wrap(text, columns, "  ")) {
        expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }
    }
  });
});

describe("renderTable", () => {
  const heads: readonly Column[] = [
    { head: "ID", flex: 0 },
    { head: "NAME", flex: 2 },
    { head: "PATH", flex: 1, cut: "start" },
    { head: "NOTE", flex: 0, leaveOut: 1 },
  ];
  const rows = [
    [
      { text: "1" },
      { text: "a rather long name of something" },
      { text: "/usr/lib/systemd/systemd-resolved" },
      { text: "seen" },
    ],
    [{ text: "22" }, { text: "short" }, { text: "/bin/x" }, { text: "also seen" }],
  ];

  it("keeps every column at its natural width where there is room", () => {
    expect(renderTable(heads, rows, { columns: 100, paint: NO_PAINT })).toEqual([
      "  ID  NAME                             PATH                               NOTE",
      "  1   a rather long name of something  /usr/lib/systemd/systemd-resolved  seen",
      "  22  short                            /bin/x                             also seen",
    ]);
  });

  it("cuts flexible cells at the side that says less, then leaves columns out", () => {
    expect(renderTable(heads, rows, { columns: 62, paint: NO_PAINT })).toEqual([
      "  ID  NAME                      PATH                 NOTE",
      "  1   a rather long name of s…  …d/systemd-resolved  seen",
      "  22  short                     /bin/x               also seen",
    ]);
    expect(renderTable(heads, rows, { columns: 40, paint: NO_PAINT })).toEqual([
      "  ID  NAME              PATH",
      "  1   a rather long n…  …ystemd-resolved",
      "  22  short             /bin/x",
    ]);
  });

  it("paints after measuring, so that colour does not move a column", () => {
    const [, line] = renderTable(heads.slice(0, 2), [[{ text: "1", paint: MARKED_PAINT.red }, { text: "x" }]], {
      columns: 40,
      paint: MARKED_PAINT,
    });
    expect(line).toBe("  \u001b[red]1 \u001b[/]  x");
  });

  it("escapes what a cell contains", () => {
    expect(renderTable(heads.slice(0, 1), [[{ text: "\u001b[2J\n" }]], { columns: 40, paint: NO_PAINT })[1]).toBe(
      "  \\u{1b}[2J\\n",
    );
  });
});
