import { advance, type Chain, type ChainProblem, isProblem } from "./chain.ts";
import { type HashHex, readEntry, type StoredEntry } from "./entry.ts";

/** A crash leaves one cut line; cutting the record that should explain it leaves one more. */
const MAX_TORN_LINES = 4;

export interface LinesRead {
  /** Null: everything fits. */
  readonly problem: (ChainProblem & { readonly line: string; readonly next: string | null }) | null;
  /** Characters up to the end of the last record, and its line end when that is there. */
  readonly consumed: number;
  /** The last record lacks its line end. */
  readonly endsOpen: boolean;
  /** What a crash left after the last record; "" when nothing. */
  readonly torn: string;
}

/**
 * Reads the lines of a file, or of the new part of one, into the chain. `text` holds one character per
 * byte. Bytes that a crash left are passed over when the next record accounts for them, and given back
 * when they are the end.
 */
export function readLines(
  chain: Chain,
  text: string,
  sha256Hex: HashHex,
  seen: (line: string, entry: StoredEntry) => void = () => undefined,
): LinesRead {
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end === -1 ? text.length : end);
    const result = advance(chain, line, sha256Hex);
    if (!isProblem(result)) {
      seen(line, result);
      if (end === -1) return { problem: null, consumed: text.length, endsOpen: true, torn: "" };
      at = end + 1;
      continue;
    }
    const resume = afterTorn(text, at, sha256Hex);
    if (resume !== null && isNext(chain, text, resume)) {
      at = resume;
      continue;
    }
    const rest = text.slice(at);
    if (!rest.endsWith("\n") && rest.split("\n", MAX_TORN_LINES + 1).length <= MAX_TORN_LINES) {
      return { problem: null, consumed: at, endsOpen: false, torn: rest };
    }
    const next = end === -1 || end + 1 >= text.length ? null : lineAt(text, end + 1);
    return { problem: { ...result, line, next }, consumed: at, endsOpen: false, torn: "" };
  }
  return { problem: null, consumed: at, endsOpen: false, torn: "" };
}

/** Where the record stands that accounts for the bytes from `from` on; null when there is none. */
function afterTorn(text: string, from: number, sha256Hex: HashHex): number | null {
  let at = from;
  for (let count = 0; count < MAX_TORN_LINES; count += 1) {
    const end = text.indexOf("\n", at);
    if (end === -1) return null;
    at = end + 1;
    const torn = text.slice(from, end);
    const entry = readEntry(lineAt(text, at));
    if (entry?.event !== "recovered" || entry.fields()["tornBytes"] !== torn.length) continue;
    if (entry.fields()["tornSha256"] === hashBytes(torn, sha256Hex)) return at;
  }
  return null;
}

/** Whether the record at `at` follows the chain; only then are the bytes before it explained. */
function isNext(chain: Chain, text: string, at: number): boolean {
  const entry = readEntry(lineAt(text, at));
  return entry !== null && entry.seq === chain.seq + 1 && entry.prev === chain.head;
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(at, end === -1 ? text.length : end);
}

/** SHA-256 of text that holds one character per byte. */
export function hashBytes(text: string, sha256Hex: HashHex): string {
  return sha256Hex(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}
