import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import { invalid, parseWith } from "./validate.ts";

const closed = { additionalProperties: false } as const;
const argument = Type.String({ maxLength: 4_096, pattern: "^[^\\u0000]*$" });
const ARGV = Type.Array(argument, { minItems: 1, maxItems: 50 });
const ALLOWLIST = Type.Array(Type.Union([ARGV, argument]), { maxItems: 100 });
const CONFIG = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    webhook: Type.Optional(
      Type.Object(
        { url: Type.String({ maxLength: 2_000 }), secret: Type.String({ minLength: 16, maxLength: 500 }) },
        closed,
      ),
    ),
  },
  closed,
);

/** notify.json. */
export interface NotifyConfig {
  readonly webhook: WebhookConfig | null;
}

export interface WebhookConfig {
  readonly url: string;
  /** Signs each message; at least 16 characters. */
  readonly secret: string;
}

/** A whole command line, or a program with any arguments that the same owner gives it. */
export type AllowedNotifier =
  | { readonly kind: "argv"; readonly argv: readonly string[] }
  | { readonly kind: "program"; readonly path: string };

/** @throws {SecurityError} notify-config-invalid, json-invalid, json-duplicate-key */
export function parseNotifyConfig(text: string): NotifyConfig {
  const what = "The notification config";
  const { webhook } = parseWith(CONFIG, parseStrictJson(text, what), what, "notify-config-invalid");
  return { webhook: webhook ?? null };
}

/**
 * OPENCLAW_VIOLATION_NOTIFY_CMD: a JSON array of words, or words with spaces between them, which may be quoted.
 * No shell ever sees it, so nothing in it is expanded.
 * @throws {SecurityError} notify-config-invalid, json-invalid
 */
export function parseNotifyCommand(text: string): readonly string[] {
  const what = "OPENCLAW_VIOLATION_NOTIFY_CMD";
  if (text.trim().startsWith("[")) {
    return parseWith(ARGV, parseStrictJson(text, what), what, "notify-config-invalid");
  }
  const words = splitWords(text);
  if (words === null) {
    throw invalid(what, "notify-config-invalid", [{ path: "", message: "Expected every quote to be closed" }]);
  }
  return parseWith(ARGV, words, what, "notify-config-invalid");
}

/**
 * OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST: a JSON array of whole command lines (arrays) and programs (texts), or
 * programs with commas between them.
 * @throws {SecurityError} notify-config-invalid, json-invalid
 */
export function parseNotifyAllowlist(text: string): readonly AllowedNotifier[] {
  const what = "OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST";
  if (text.trim().startsWith("[")) {
    const rows = parseWith(ALLOWLIST, parseStrictJson(text, what), what, "notify-config-invalid");
    return rows.map((row) => (typeof row === "string" ? { kind: "program", path: row } : { kind: "argv", argv: row }));
  }
  const paths = text.split(",").map((path) => path.trim());
  return paths.filter((path) => path !== "").map((path) => ({ kind: "program", path }));
}

/** Null when a quote is not closed. */
function splitWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (const char of text) {
    if (quote !== null) {
      if (char === quote) quote = null;
      else word = `${word ?? ""}${char}`;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = `${word ?? ""}${char}`;
    }
  }
  if (word !== null) words.push(word);
  return quote === null ? words : null;
}
