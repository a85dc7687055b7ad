import { HOLE, isKnown, withoutMarks } from "./marks.ts";

/** Decoders that hide a command from a reader. Each gives HOLE for what it cannot decode. */

export function decodeBase64(text: string): string {
  if (!isKnown(text)) return HOLE;
  const clean = text.replace(/[^A-Za-z0-9+/]/g, "");
  if (clean === "") return "";
  try {
    const bytes = Uint8Array.from(atob(clean.length % 4 === 1 ? clean.slice(0, -1) : clean), (char) =>
      char.charCodeAt(0),
    );
    return asText(bytes);
  } catch {
    // What is no base64 decodes to nothing that can be told.
    return HOLE;
  }
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export function decodeBase32(text: string): string {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of text.replace(/[\s=]/g, "")) {
    const value = BASE32.indexOf(char);
    if (value === -1) return HOLE;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 0xff);
  }
  return asText(Uint8Array.from(bytes));
}

export function decodeHex(text: string): string {
  const digits = text.replace(/\s/g, "");
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) return HOLE;
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  return asText(bytes);
}

function asText(bytes: Uint8Array): string {
  // A compressed or otherwise binary result is not the code itself.
  if (bytes.some((byte) => byte === 0)) return HOLE;
  return withoutMarks(new TextDecoder().decode(bytes));
}

const CLASSES: Readonly<Record<string, string>> = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  digit: "0123456789",
  alpha: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  alnum: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  space: " \t\n\r\f\v",
  blank: " \t",
  punct: "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
};

/** What `tr` prints, for sets of ranges, classes and escapes. */
export function translate(text: string, sets: readonly string[], flags: string): string {
  const [from, to] = sets.map((set) => expandSet(set));
  if (!isKnown(text) || from === undefined || from === null || to === null) return HOLE;
  if (flags.includes("c") || flags.includes("C")) {
    if (!flags.includes("d")) return HOLE;
    return Array.from(text)
      .filter((char) => from.includes(char))
      .join("");
  }
  if (flags.includes("d"))
    return Array.from(text)
      .filter((char) => !from.includes(char))
      .join("");
  if (to === undefined || to === "") return flags.includes("s") ? squeeze(text, from) : HOLE;
  const changed = Array.from(text).map((char) => {
    const at = from.lastIndexOf(char);
    return at === -1 ? char : to.charAt(at) || to.slice(-1);
  });
  return flags.includes("s") ? squeeze(changed.join(""), to) : changed.join("");
}

function squeeze(text: string, set: string): string {
  return Array.from(text)
    .filter((char, at, all) => char !== all[at - 1] || !set.includes(char))
    .join("");
}

function expandSet(set: string): string | null {
  if (!isKnown(set)) return null;
  const plain = set
    .replace(/[\ufdd3-\ufdd5]/g, (mark) => (mark === "\ufdd3" ? "*" : mark === "\ufdd4" ? "?" : "["))
    .replace(/\[:(\w+):\]/g, (whole, name: string) => CLASSES[name] ?? whole)
    .replace(/\\([0-7]{1,3}|.)/g, (_whole, code: string) =>
      /^[0-7]+$/.test(code)
        ? String.fromCharCode(Number.parseInt(code, 8))
        : ({ n: "\n", t: "\t", r: "\r" }[code] ?? code),
    );
  return plain.replace(/(.)-(.)/gs, (whole, first: string, last: string) => {
    const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
    if (to < from || to - from > 512) return whole;
    return Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index)).join("");
  });
}
