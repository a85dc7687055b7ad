import type { AuditEvent } from "./audit-event.ts";
import type { CanonicalValue } from "./canonical-json.ts";
import type { PreparedEvent } from "./entry.ts";
import { maskArgv, maskNamed, type MaskedText, maskText } from "./mask-secret.ts";

/** Longer strings are cut with a mark. */
const MAX_CHARS = 1_024;
/** What is looked at for secrets; the rest is cut away anyway. */
const MAX_MASKED_CHARS = 2_048;
/** Of all words of a command together; what is left out is counted. */
const MAX_LIST_CHARS = 8_192;
const MAX_KEYS = 64;
const MAX_KEY_CHARS = 128;

/** Where something was masked, and a keyed hash of the whole, by which its owner can recognise it. */
interface Masked {
  readonly at: string;
  readonly hmac: string;
}

/**
 * Makes an event fit for the record: secrets masked, lengths bounded. `hashSecret` should be keyed, or
 * whoever reads the log could try out short secrets.
 */
export function prepareEvent(event: AuditEvent, hashSecret: (secret: string) => string): PreparedEvent {
  const masked: Masked[] = [];
  const keep = (at: string, whole: string, word: MaskedText): string => {
    if (word.isMasked) masked.push({ at, hmac: hashSecret(whole).slice(0, 32) });
    return cut(whole, word);
  };
  const fields: Record<string, CanonicalValue> = {};
  for (const [name, value] of Object.entries(event) as [string, unknown][]) {
    if (name === "argv" && Array.isArray(value)) {
      const whole = value as readonly string[];
      fields[name] = prepareArgv(whole, keep);
    } else if (name === "env") {
      fields[name] = prepareEnv(value as Readonly<Record<string, string>>, keep);
    } else {
      fields[name] = prepare(name, value, keep);
    }
  }
  return {
    ...fields,
    ...(masked.length === 0 ? {} : { masked: masked.map((one) => ({ ...one })) }),
    event: event.event,
  };
}

/** The words of a command as people may see them afterwards: secrets masked, lengths bounded. */
export function maskedWords(argv: readonly string[]): readonly string[] {
  return prepareArgv(argv, (_at, whole, masked) => cut(whole, masked));
}

function prepareArgv(argv: readonly string[], keep: Keep): readonly string[] {
  const words = boundWords(argv);
  return [
    ...maskArgv(words.map(bound)).map((word, index) => keep(`argv.${index}`, argv[index] ?? "", word)),
    ...(words.length < argv.length ? [`[+${argv.length - words.length} words]`] : []),
  ];
}

function cut(whole: string, { text }: MaskedText): string {
  const lost = Math.max(0, whole.length - MAX_MASKED_CHARS) + Math.max(0, text.length - MAX_CHARS);
  return lost === 0 ? text : `${text.slice(0, MAX_CHARS)}[+${lost}]`;
}

type Keep = (at: string, whole: string, masked: MaskedText) => string;

function prepareEnv(env: Readonly<Record<string, string>>, keep: Keep): CanonicalValue {
  const entries = Object.entries(env).slice(0, MAX_KEYS);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const key = name.slice(0, MAX_KEY_CHARS);
      return [key, keep(`env.${key}`, value, maskNamed(name.slice(0, MAX_MASKED_CHARS), bound(value)))];
    }),
  );
}

function prepare(at: string, value: unknown, keep: Keep): CanonicalValue {
  switch (typeof value) {
    case "string":
      return keep(at, value, maskText(bound(value)));
    case "number":
      return Number.isSafeInteger(Math.round(value)) ? Math.round(value) : null;
    case "boolean":
      return value;
    case "object":
      if (value === null) return null;
      return Object.fromEntries(
        Object.entries(value).map(([name, inner]) => [name, prepare(`${at}.${name}`, inner, keep)]),
      );
    default:
      return null;
  }
}

/** The first words of a command, as many as have room. */
function boundWords(argv: readonly string[]): readonly string[] {
  let room = MAX_LIST_CHARS;
  const end = argv.findIndex((word) => (room -= Math.min(word.length, MAX_CHARS) + 16) < 0);
  return end === -1 ? argv : argv.slice(0, end);
}

function bound(text: string): string {
  return text.slice(0, MAX_MASKED_CHARS);
}
