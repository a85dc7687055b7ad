/** Stands before every row that continues a line. No line of a question starts with it. */
const CONTINUED = "    | ";

/**
 * Breaks a line into rows of at most `columns`, each but the first marked as a continuation. A
 * terminal would wrap without a mark, and then the end of a long word could pose as a line of its own.
 */
export function wrapLine(line: string, columns: number): readonly string[] {
  const rows: string[] = [];
  let row = "";
  let width = 0;
  for (const char of line) {
    // Beyond ASCII a character may take two columns.
    const charWidth = char <= "~" ? 1 : 2;
    if (width + charWidth > columns - 1) {
      rows.push(row);
      row = CONTINUED;
      width = CONTINUED.length;
    }
    row += char;
    width += charWidth;
  }
  return [...rows, row];
}
