import { quoteShellWord } from "../core/shell-word.ts";
import { literally } from "./marks.ts";

/** One word, written for a shell. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : quoteShellWord(literally(word));
}
