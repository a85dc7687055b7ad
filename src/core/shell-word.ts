/** One word of a shell command that means exactly this text, always in quotes. */
export function quoteShellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
