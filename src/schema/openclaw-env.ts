import { type ConfigRecord, isConfigRecord } from "./openclaw-text.ts";

/** Environment variables by name. Values may be secrets: never print or store one. */
export type Env = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$(\$?)\{([A-Z_][A-Z0-9_]*)\}/g;

/** True for text with a `${NAME}` reference; `$${NAME}` is the escaped, literal form. */
export function hasEnvReference(text: string): boolean {
  return [...text.matchAll(REFERENCE)].some((match) => match[1] === "");
}

/** Replaces `${NAME}` in every string. A variable that is unset or empty leaves its reference in place. */
export function substituteEnv(value: unknown, env: Env): unknown {
  if (typeof value === "string") {
    return value.replaceAll(REFERENCE, (whole, escaped: string, name: string) =>
      escaped === "$" ? whole.slice(1) : env[name] || whole,
    );
  }
  if (Array.isArray(value)) return value.map((item: unknown) => substituteEnv(item, env));
  if (!isConfigRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substituteEnv(item, env)]));
}

/** What the `env` block of the configuration adds; the real environment comes first. */
export function configEnv(config: unknown): Env {
  const block = isConfigRecord(config) ? config["env"] : undefined;
  if (!isConfigRecord(block)) return {};
  const vars: ConfigRecord = isConfigRecord(block["vars"]) ? block["vars"] : {};
  const found: Record<string, string> = {};
  for (const [name, value] of [...Object.entries(vars), ...Object.entries(block)]) {
    if (!NAME.test(name) || typeof value !== "string" || value.trim() === "" || hasEnvReference(value)) continue;
    found[name] = value;
  }
  return found;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*[=:]\s*(.*)$/;

/** Reads a `.env` file's `NAME=value` lines; quoted values keep their spaces, others end at ` #`. */
export function parseDotEnv(text: string): Env {
  const found: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = LINE.exec(line);
    if (match?.[1] === undefined || !NAME.test(match[1])) continue;
    found[match[1]] = unquote((match[2] ?? "").trim());
  }
  return found;
}

function unquote(raw: string): string {
  const quote = raw[0];
  if (quote === '"' || quote === "'" || quote === "`") {
    const end = raw.indexOf(quote, 1);
    if (end !== -1) return raw.slice(1, end);
  }
  const comment = raw.indexOf("#");
  return (comment === -1 ? raw : raw.slice(0, comment)).trim();
}
