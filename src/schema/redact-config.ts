import { hasEnvReference } from "./openclaw-env.ts";
import { isSecretKey } from "./openclaw-surface.ts";
import { isConfigRecord } from "./openclaw-text.ts";

/** Blocks whose every text may be a secret, whatever its key is called. */
const SECRET_BLOCKS: ReadonlySet<string> = new Set(["env", "headers", "auth", "credentials", "oauth"]);
const FILLER = "private-copy-without-secrets-";
/** A long run of letters and digits together is a key more often than a word. */
const KEY_LIKE = /^(?=.*\d)(?=.*[a-z])[A-Za-z0-9+/_=:.-]{20,}$/i;
/** A path or an address may look like one and is none. */
const PLACE = /^(?:~|\.{0,2}\/|[a-z][a-z0-9+.-]*:\/\/)/i;

/**
 * A copy of a configuration for OpenClaw's own checks: whatever may be a secret is replaced by text
 * of the same length, and so is what refers to the environment. Everything else stays, keys included.
 */
export function redactConfig(value: unknown): unknown {
  return redact(value, false);
}

function redact(value: unknown, isSecret: boolean): unknown {
  if (typeof value === "string") return isSecret || looksSecret(value) ? fill(value.length) : withoutUser(value);
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item, isSecret));
  if (!isConfigRecord(value)) return value;
  // A reference names where the secret is and holds none.
  if (typeof value["source"] === "string" && typeof value["id"] === "string") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redact(item, isKeyOfSecret(key, item, isSecret))]),
  );
}

/** What stands below one is a secret too, except for words that only choose a way. */
function isKeyOfSecret(key: string, item: unknown, above: boolean): boolean {
  if (typeof item === "string" && /^(?:mode|type|kind|source|provider|api|userHeader)$/.test(key)) return false;
  return above || isSecretKey(key) || SECRET_BLOCKS.has(key);
}

function looksSecret(text: string): boolean {
  return hasEnvReference(text) || (KEY_LIKE.test(text) && !PLACE.test(text));
}

function fill(length: number): string {
  return FILLER.repeat(Math.ceil(length / FILLER.length)).slice(0, length);
}

/** User, password and query of an address may hold secrets. */
function withoutUser(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1")
    .replace(/^([a-z][a-z0-9+.-]*:\/\/[^?#]*)[?#].*$/i, "$1");
}
