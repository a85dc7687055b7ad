import { RE2JS } from "re2js";
import { clip } from "../core/text.ts";
import type { CompiledPattern } from "./egress-rule.ts";

/** Longer patterns are refused: nobody can review them, and compiling costs grow with length. */
const MAX_PATTERN_CHARS = 1000;
const MAX_REMEMBERED = 1000;

/**
 * Compiles the `host_regex` of a rule: matched against the whole host name, without regard to case,
 * in time linear in the name whatever the pattern (RE2; no lookaround, no back-references). The only
 * importer of re2js, which is large: load this module only when some rule has a pattern.
 */
export function compileHostPattern(pattern: string): CompiledPattern {
  if (pattern.length > MAX_PATTERN_CHARS) {
    return { kind: "invalid", message: `longer than ${MAX_PATTERN_CHARS} characters` };
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  } catch (error) {
    // Whatever the compiler throws, the rule is unusable; a pattern must not end a scan.
    return { kind: "invalid", message: clip(reasonOf(error), 160) };
  }
  // Thousands of connections share few names.
  const remembered = new Map<string, boolean>();
  const matches = (host: string): boolean => {
    const known = remembered.get(host);
    if (known !== undefined) return known;
    const found = compiled.matcher(host).matches();
    if (remembered.size < MAX_REMEMBERED) remembered.set(host, found);
    return found;
  };
  return { kind: "matcher", matches };
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/\(\?<?[=!]/.test(text)) return "lookaround is not supported";
  if (/invalid escape sequence: `\\[0-9k]/.test(text)) return "back-references are not supported";
  return text.replace(/^error parsing regexp: /, "");
}
