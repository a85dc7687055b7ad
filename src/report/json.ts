/** Pretty JSON with keys in the order they were built and a final newline, so that two reports can be compared by line. */
export function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
