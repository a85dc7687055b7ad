import { escapeJson } from "../core/text.ts";

/** Pretty JSON with keys in the order they were built and a final newline, so that two reports can be compared by line; safe to print. */
export function renderJson(value: unknown): string {
  return `${escapeJson(JSON.stringify(value, null, 2))}\n`;
}
