import { literally } from "./marks.ts";

/** One word, written for a shell. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${literally(word).replaceAll("'", "'\\''")}'`;
}
