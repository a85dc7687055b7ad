/** A value with one encoding. Strings may hold anything, also half a surrogate pair. */
export type Canonical =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly Canonical[]
  | { readonly [key: string]: Canonical };

/**
 * One sequence of bytes for each value, and one value for each sequence: every part carries its
 * kind and its length, and the keys of an object are sorted. So no two different commands can meet
 * in one digest by moving characters from one part to the next.
 */
export function canonicalBytes(value: Canonical): Uint8Array {
  const parts: Uint8Array[] = [];
  encode(value, parts);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function encode(value: Canonical, parts: Uint8Array[]): void {
  if (value === null) push(parts, "n", new Uint8Array());
  else if (typeof value === "string") encodeText(value, parts);
  else if (typeof value === "number") push(parts, "d", utf8(Object.is(value, -0) ? "-0" : String(value)));
  else if (typeof value === "boolean") push(parts, "b", utf8(value ? "1" : "0"));
  else if (value instanceof Uint8Array) push(parts, "x", value);
  else if (isList(value)) {
    parts.push(utf8(`l${value.length}:`));
    for (const item of value) encode(item, parts);
  } else {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    parts.push(utf8(`o${entries.length}:`));
    for (const [key, item] of entries) {
      encodeText(key, parts);
      encode(item, parts);
    }
  }
}

function encodeText(text: string, parts: Uint8Array[]): void {
  if (text.isWellFormed()) {
    push(parts, "s", utf8(text));
    return;
  }
  // UTF-8 has no bytes for half a pair and would write U+FFFD, the same for each.
  push(parts, "u", Uint8Array.from(Array.from({ length: text.length * 2 }, (_, at) => unitByte(text, at))));
}

function unitByte(text: string, at: number): number {
  const unit = text.charCodeAt(at >> 1);
  return at % 2 === 0 ? unit >> 8 : unit & 0xff;
}

function push(parts: Uint8Array[], kind: string, bytes: Uint8Array): void {
  parts.push(utf8(`${kind}${bytes.length}:`), bytes);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** `Array.isArray` does not narrow a readonly array away. */
function isList(value: Canonical): value is readonly Canonical[] {
  return Array.isArray(value);
}
