import JSON5 from "json5";
import { SecurityError } from "../core/error.ts";
import { clip } from "../core/text.ts";

/** Deeper than any real configuration, and far from where recursion over it would end the process. */
const MAX_DEPTH = 64;

/** An object of a parsed configuration. */
export type ConfigRecord = Readonly<Record<string, unknown>>;

export function isConfigRecord(value: unknown): value is ConfigRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses one configuration file as OpenClaw does: strict JSON first, else JSON5. A leading byte
 * order mark is ignored.
 * @throws {SecurityError} config-invalid
 */
export function parseOpenClawText(text: string, path: string): unknown {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    // Not strict JSON: the usual case for a file that a person wrote.
    value = parseJson5(source, path);
  }
  assertDepth(value, path);
  return value;
}

function parseJson5(source: string, path: string): unknown {
  try {
    return JSON5.parse(source);
  } catch (cause) {
    // The parser's message quotes one character of the file at most, never a value.
    const reason = source.trim() === "" ? "the file is empty" : clip((cause as Error).message, 120);
    throw new SecurityError("config-invalid", `${path} is not valid JSON5: ${reason}`, {
      cause,
      hint: "OpenClaw cannot read it either: `openclaw config validate`.",
    });
  }
}

function assertDepth(root: unknown, path: string): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      throw new SecurityError("config-invalid", `${path} is nested deeper than ${MAX_DEPTH} levels`);
    }
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
}

const UNSAFE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Merges what includes bring: objects key by key, lists one after the other, else the later value wins. */
export function mergeIncluded(base: unknown, later: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(later)) return [...base, ...later];
  if (!isConfigRecord(base) || !isConfigRecord(later)) return later;
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(later)) {
    merged.set(key, merged.has(key) ? mergeIncluded(merged.get(key), value) : value);
  }
  return Object.fromEntries([...merged].filter(([key]) => !UNSAFE_KEYS.has(key)));
}
