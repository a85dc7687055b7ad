import { escapeControl } from "../core/text.ts";

/** How words are set off on a terminal; each is the identity where the output is not one. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
  readonly cyan: (text: string) => string;
}

export interface TextOptions {
  readonly paint: Paint;
  /** Width of the terminal in cells. */
  readonly columns: number;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const COMBINING = /\p{M}/u;

/** Cells a terminal uses for `text`, which must hold no control characters. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) width += COMBINING.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** The longest beginning of `text` that fits `width` cells, marked where something was cut off. */
function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  return `${takeCells(text, width - 1)}…`;
}

/** Like `fit`, but keeps the end. */
function fitEnd(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const chars = Array.from(text);
  let used = 1;
  let from = chars.length;
  while (from > 0 && used + displayWidth(chars[from - 1] ?? "") <= width) {
    from -= 1;
    used += displayWidth(chars[from] ?? "");
  }
  return `…${chars.slice(from).join("")}`;
}

function takeCells(text: string, width: number): string {
  let taken = "";
  let used = 0;
  for (const char of text) {
    used += displayWidth(char);
    if (used > width) break;
    taken += char;
  }
  return taken;
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

/**
 * Escapes prose and breaks it into lines of at most `columns` cells. The first line starts with
 * `first`, the others with as many spaces. A word longer than a line is broken.
 */
export function wrap(text: string, columns: number, first: string = ""): readonly string[] {
  const indent = " ".repeat(displayWidth(first));
  const room = Math.max(10, columns - indent.length);
  const lines: string[] = [];
  let line = "";
  for (const word of escapeControl(text).split(" ")) {
    let rest = word;
    if (line !== "" && displayWidth(line) + 1 + displayWidth(rest) > room) {
      lines.push(line);
      line = "";
    }
    while (displayWidth(rest) > room) {
      const head = takeCells(rest, room);
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = line === "" ? rest : `${line} ${rest}`;
  }
  lines.push(line);
  return lines.map((one, index) => (index === 0 ? first : indent) + one);
}

export interface Column {
  readonly head: string;
  /** Share of the room that is left, for columns that may be cut; 0 for those that may not. */
  readonly flex: number;
  /** Columns with a number are left out when the terminal is too narrow, lowest first. */
  readonly leaveOut?: number;
  /** Where to cut: the end of a path says more than its beginning. */
  readonly cut?: "start" | "end";
}

export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const GAP = "  ";
const MIN_FLEX = 14;

/**
 * A table with a dim head line, fitted to `columns`: flexible cells are cut first, then whole
 * columns are left out. One cell of a fixed column that is wider than the terminal still overflows.
 */
export function renderTable(
  heads: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { columns, paint }: TextOptions,
): readonly string[] {
  const all = heads.map((head, index) => {
    const cells = rows.map((row) => {
      const cell = row[index] ?? { text: "" };
      return { ...cell, text: escapeControl(cell.text) };
    });
    return { head, cells, natural: Math.max(displayWidth(head.head), ...cells.map((cell) => displayWidth(cell.text))) };
  });
  const shown = leaveOut(all, columns);
  const widths = shareRoom(shown, columns);
  const line = (cellOf: (column: FilledColumn) => Cell): string =>
    shown
      .map((column, index) => {
        const { text, paint: colour } = cellOf(column);
        const width = widths[index] ?? 0;
        const cut = column.head.cut === "start" ? fitEnd(text, width) : fit(text, width);
        const padded = index === shown.length - 1 ? cut : pad(cut, width);
        return GAP + (colour === undefined ? padded : colour(padded));
      })
      .join("");
  return [
    line(({ head }) => ({ text: head.head, paint: paint.dim })),
    ...rows.map((_, row) => line(({ cells }) => cells[row] ?? { text: "" })),
  ];
}

interface FilledColumn {
  readonly head: Column;
  readonly cells: readonly Cell[];
  readonly natural: number;
}

function leastWidth({ head, natural }: FilledColumn): number {
  return head.flex === 0 ? natural : Math.min(natural, MIN_FLEX);
}

function leastRoom(columns: readonly FilledColumn[]): number {
  return columns.reduce((sum, column) => sum + GAP.length + leastWidth(column), 0);
}

function leaveOut(all: readonly FilledColumn[], room: number): readonly FilledColumn[] {
  let kept = all;
  while (leastRoom(kept) > room) {
    const ranks = kept.flatMap(({ head }) => (head.leaveOut === undefined ? [] : [head.leaveOut]));
    if (ranks.length === 0) return kept;
    const next = Math.min(...ranks);
    kept = kept.filter(({ head }) => head.leaveOut !== next);
  }
  return kept;
}

function shareRoom(shown: readonly FilledColumn[], room: number): readonly number[] {
  let left = Math.max(0, room - leastRoom(shown));
  let shares = shown.reduce((sum, { head }) => sum + head.flex, 0);
  const widths = shown.map(leastWidth);
  // Those that want little more come first: what they leave of their share goes to the others.
  const flexible = shown
    .map((column, index) => ({ index, flex: column.head.flex, wanted: column.natural - leastWidth(column) }))
    .filter(({ flex }) => flex > 0)
    .toSorted((a, b) => a.wanted / a.flex - b.wanted / b.flex);
  for (const { index, flex, wanted } of flexible) {
    const more = Math.min(wanted, Math.floor((left * flex) / shares));
    widths[index] = (widths[index] ?? 0) + more;
    left -= more;
    shares -= flex;
  }
  return widths;
}
