import { bounded, HOLE, isKnown, literally } from "./marks.ts";

/** Escapes as `printf`, `echo -e` and `%b` read them. */
export function unescapeText(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|0?([0-7]{1,3})|([abeEfnrtv\\"']))/g,
    (_whole, hex?: string, short?: string, long?: string, octal?: string, letter?: string) => {
      const code = hex ?? short ?? long;
      if (code !== undefined) return codePoint(Number.parseInt(code, 16));
      if (octal !== undefined) return codePoint(Number.parseInt(octal, 8) & 0xff);
      return LETTERS[letter ?? ""] ?? "";
    },
  );
}

const LETTERS: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  e: "\u001b",
  E: "\u001b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

function codePoint(code: number): string {
  return code > 0x10ffff || (code >= 0xfdd0 && code <= 0xfdef) ? "\ufffd" : String.fromCodePoint(code);
}

const MAX_ROUNDS = 200;

/** What `printf format args...` prints; the format is used again while there are arguments. */
export function formatPrintf(args: readonly string[]): string {
  const [format = "", ...values] = args.map((arg) => literally(arg));
  if (!isKnown(format)) return HOLE;
  let printed = "";
  let at = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const before = at;
    printed += format.replace(/\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|.)|%%|%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?([a-zA-Z])/g, (whole, conversion?: string) => {
      if (whole === "%%") return "%";
      if (conversion === undefined) return unescapeText(whole);
      const value = values[at];
      at += 1;
      return convert(whole, conversion, value);
    });
    if (at >= values.length || at === before) break;
  }
  return bounded(printed);
}

function convert(spec: string, conversion: string, value: string | undefined): string {
  const precision = /\.(\d+)/.exec(spec)?.[1];
  switch (conversion) {
    case "s":
      return precision === undefined ? (value ?? "") : (value ?? "").slice(0, Number(precision));
    case "b":
      return unescapeText(value ?? "");
    case "c":
      return (value ?? "").charAt(0);
    case "q":
      return value ?? "";
    case "d":
    case "i":
    case "u":
      return value === undefined ? "0" : integerText(value, 10);
    case "x":
      return integerText(value ?? "0", 16);
    case "o":
      return integerText(value ?? "0", 8);
    default:
      return HOLE;
  }
}

function integerText(value: string, base: number): string {
  // A quote before a character stands for its number.
  const number = /^["']./.test(value) ? (value.codePointAt(1) ?? 0) : Number(value);
  return Number.isSafeInteger(number) ? number.toString(base) : HOLE;
}
