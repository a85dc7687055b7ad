import { decodeBase64, decodeHex } from "./decode.ts";
import { HOLE } from "./marks.ts";
import { unescapeText } from "./printf.ts";

/** The arguments of a call, as far as they are constants; HOLE for each that is not. */
export interface Arguments {
  readonly items: readonly string[];
  /** They were given as one list, so they are a program's words. */
  readonly isList: boolean;
}

const MAX_CHARS = 8192;
const MAX_ITEMS = 200;

interface Reader {
  readonly code: string;
  readonly end: number;
  readonly constants: ReadonlyMap<string, readonly string[]>;
  at: number;
}

/** Reads expressions of strings, `+`, `.`, lists and commas from `start`, in whatever language. */
export function readArguments(
  code: string,
  start: number,
  constants: ReadonlyMap<string, readonly string[]>,
): Arguments {
  const reader: Reader = { code, end: Math.min(code.length, start + MAX_CHARS), constants, at: start };
  const items: string[] = [];
  let current: string | null = null;
  let depth = 0;
  let isList = false;
  let isFirst = true;
  // Within the parentheses of the call, a new line means nothing.
  const isOpen = code.charAt(start - 1) === "(";
  while (reader.at < reader.end && items.length < MAX_ITEMS) {
    const char = code.charAt(reader.at);
    if (char === "[" || char === "(" || char === "{") {
      isList ||= isFirst && char === "[";
      depth += 1;
      reader.at += 1;
    } else if (char === ")" || char === "]" || char === "}") {
      if (depth === 0) break;
      depth -= 1;
      // `["a"] + ["b"]` is a list of two.
      if (char === "]" && isList && current !== null) items.push(current);
      if (char === "]" && isList) current = null;
      reader.at += 1;
    } else if (
      char === "," ||
      (char === "=" && code.charAt(reader.at + 1) === ">") ||
      (/\s/.test(char) && endsItem(reader))
    ) {
      if (current !== null) items.push(current);
      current = null;
      reader.at += 1;
    } else if (char === ";" || (char === "\n" && depth === 0 && !isOpen)) {
      break;
    } else if (char === "#" && depth === 0 && current !== null) {
      break;
    } else if (/[\s+.]/.test(char)) {
      reader.at += 1;
    } else {
      const piece = readPiece(reader);
      if (piece === "named") {
        current = null;
        skipValue(reader);
      } else if (piece !== null) {
        if (piece.length > 1 && current === null) {
          items.push(...piece.slice(0, -1));
          current = piece.at(-1) ?? null;
          isList ||= isFirst;
        } else {
          current = (current ?? "") + (piece[0] ?? "");
        }
      }
      isFirst = false;
      continue;
    }
    if (!/[\s[({]/.test(char)) isFirst = false;
  }
  if (current !== null) items.push(current);
  return { items, isList };
}

/** In languages that separate by spaces, the next string is the next item. */
function endsItem({ code, at, end }: Reader): boolean {
  const rest = code.slice(at, Math.min(end, at + 40)).trimStart();
  const before = code.slice(Math.max(0, at - 1), at);
  return /^["'(\w]/.test(rest) && /["']/.test(before);
}

/** One string or name; "named" for the name of a keyword argument. */
function readPiece(reader: Reader): readonly string[] | "named" | null {
  const { code, at } = reader;
  const quoted = readString(reader);
  if (quoted !== null) return withMethods(reader, quoted);
  if (/^\w+\s*=>/.test(code.slice(at, at + 60))) {
    const word = /^\w+/.exec(code.slice(at, at + 60))?.[0] ?? "";
    reader.at += word.length;
    return [word];
  }
  const symbol = /^[\w$@%&*:>?!-]+/.exec(code.slice(at, at + 200))?.[0];
  if (symbol === undefined) {
    reader.at += 1;
    return /[-=<>|&%*/^~]/.test(code.charAt(at)) ? null : [HOLE];
  }
  reader.at += symbol.length;
  const rest = code.slice(reader.at, reader.at + 40);
  const isNamed = /^\s*=(?![=>~])/.test(rest) || /^\w+:\s/.test(symbol + rest.slice(0, 1));
  if (isNamed && !/^(?:args|cmd|command|executable):?$/.test(symbol)) return "named";
  if (isNamed) {
    reader.at += /^\s*=?/.exec(rest)?.[0].length ?? 0;
    return null;
  }
  const name = symbol.replace(/^[$@%&]+/, "");
  if (/^\d+$/.test(symbol)) return [symbol];
  const called = /^(?:\.\w+)*\s*\(/.exec(rest);
  if (called !== null) return callOf(reader, symbol + called[0]);
  const held = reader.constants.get(name);
  if (held !== undefined) return withMethods(reader, held);
  // The rest of a dotted name.
  reader.at += /^(?:\.\w+)*/.exec(rest)?.[0].length ?? 0;
  if (/^(?:True|False|None|true|false|null|nil|undefined|my|our|local|new|and|or)$/.test(symbol)) return null;
  if (symbol.startsWith(":") && symbol.length > 1) return [symbol.slice(1)];
  return /^[-=<>:?!*&%]+$/.test(symbol) ? null : [HOLE];
}

/** A string literal of any of the usual kinds. */
function readString(reader: Reader): readonly string[] | null {
  const { code, at, end } = reader;
  const head = /^(?:[fFrRbBuU]{0,2}("""|'''|["'`])|qw?q?\s*([{([/|!]))/.exec(code.slice(at, at + 12));
  if (head === null) return null;
  const opening = head[1] ?? head[2] ?? "";
  const mark = head[1] ?? { "{": "}", "(": ")", "[": "]" }[opening] ?? opening;
  let stop = at + head[0].length;
  while (stop < end && !code.startsWith(mark, stop)) stop += code.charAt(stop) === "\\" ? 2 : 1;
  const body = code.slice(at + head[0].length, stop);
  reader.at = stop + mark.length;
  if (head[0].startsWith("qw")) return body.trim().split(/\s+/);
  const isRaw = /^[rR]/.test(head[0]) || opening === "'" || opening === "'''";
  const text = isRaw
    ? body
        .replace(/\\(['\\])/g, "$1")
        .replace(/\\x([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : unescapeText(body);
  const isTemplate = /^[fF]/.test(head[0]) || opening === "`" || (opening === '"' && /[#$@]\{|\$\w/.test(body));
  return [isTemplate ? text.replace(/[#$@]?\{[^}]*\}|\$\w+/g, HOLE) : text];
}

/** `.split()`, `.join([...])`, `[::-1]` and the like after a string. */
function withMethods(reader: Reader, value: readonly string[]): readonly string[] {
  let result = value;
  for (let turns = 0; turns < 8; turns += 1) {
    const rest = reader.code.slice(reader.at, reader.at + 60);
    const method = /^\s*\.\s*(\w+)[?!]?\s*(\(\s*(["'])?([^()"']*)\3?\s*\))?/.exec(rest);
    const reversed = /^\s*\[::-1\]/.exec(rest);
    if (reversed !== null) {
      result = result.map((each) => Array.from(each).toReversed().join(""));
      reader.at += reversed[0].length;
      continue;
    }
    if (method?.[1] === "join" && method[2] === undefined) {
      reader.at += method[0].length;
      const { items } = readArguments(reader.code, reader.at + 1, reader.constants);
      skipParentheses(reader);
      result = [items.join(result[0] ?? "")];
      continue;
    }
    if (/^\s*%\s*[\w("']/.test(rest)) return [HOLE];
    if (method === null) return result;
    const changed = callMethod(result, method[1] ?? "", method[4] ?? "");
    if (method[2] === undefined && !/^\s*\.\s*\w+/.test(rest)) return result;
    reader.at += method[0].length;
    if (method[2] === undefined && reader.code.charAt(reader.at) === "(") skipParentheses(reader);
    result = changed;
  }
  return result;
}

function callMethod(value: readonly string[], name: string, argument: string): readonly string[] {
  const [text = ""] = value;
  switch (name) {
    case "split":
      return text.split(argument === "" ? /\s+/ : argument).filter((each) => each !== "");
    case "reverse":
      return value.length > 1 ? value.toReversed() : [Array.from(text).toReversed().join("")];
    case "join":
      return [value.join(argument)];
    case "lower":
    case "toLowerCase":
    case "downcase":
      return value.map((each) => each.toLowerCase());
    case "upper":
    case "toUpperCase":
    case "upcase":
      return value.map((each) => each.toUpperCase());
    case "strip":
    case "trim":
    case "decode":
    case "encode":
    case "toString":
    case "execute":
    case "to_s":
    case "freeze":
    case "chomp":
      return value;
    default:
      return [HOLE];
  }
}

/** Functions that turn constants into strings. */
function callOf(reader: Reader, called: string): readonly string[] | null {
  const name = called.replace(/\s*\($/, "");
  reader.at = reader.code.indexOf("(", reader.at - 1);
  const { items } = readArguments(reader.code, reader.at + 1, reader.constants);
  skipParentheses(reader);
  const [first = HOLE] = items;
  if (/(?:^|\.)(?:b64decode|base64_decode|atob|decode64|decode_base64)$/.test(name))
    return withMethods(reader, [decodeBase64(first)]);
  if (/(?:^|\.)Buffer\.from$/.test(name))
    return withMethods(reader, [
      items[1] === "hex" ? decodeHex(first) : items[1] === "base64" ? decodeBase64(first) : first,
    ]);
  if (/(?:fromhex|unhexlify|hex2bin)$/.test(name)) return withMethods(reader, [decodeHex(first)]);
  if (/(?:^|\.)(?:chr|fromCharCode|fromCodePoint)$/.test(name))
    return [
      items
        .map((item) => (/^\d{1,7}$/.test(item) ? String.fromCodePoint(Math.min(Number(item), 0xfdcf)) : HOLE))
        .join(""),
    ];
  if (/(?:^|\.)(?:strrev|reverse)$/.test(name)) return [Array.from(first).toReversed().join("")];
  if (/^(?:str|String|bytes|list|tuple|array|shlex\.split)$/.test(name))
    return name === "shlex.split" ? first.split(/\s+/) : items.length === 0 ? null : items;
  return withMethods(reader, [HOLE]);
}

function skipParentheses(reader: Reader): void {
  let depth = 0;
  let quote = "";
  for (; reader.at < reader.end; reader.at += 1) {
    const char = reader.code.charAt(reader.at);
    if (quote !== "") {
      if (char === "\\") reader.at += 1;
      else if (char === quote) quote = "";
    } else if (char === '"' || char === "'") {
      quote = char;
    } else if (char === "(") {
      depth += 1;
    } else if (char === ")") {
      depth -= 1;
      if (depth === 0) {
        reader.at += 1;
        return;
      }
    }
  }
}

/** The value of a keyword argument says how to run, not what. */
function skipValue(reader: Reader): void {
  let depth = 0;
  const named = /^\s*(?:=>?|:)\s*/.exec(reader.code.slice(reader.at, reader.at + 20));
  reader.at += named?.[0].length ?? 0;
  for (; reader.at < reader.end; reader.at += 1) {
    const char = reader.code.charAt(reader.at);
    if (/[([{]/.test(char)) depth += 1;
    else if (/[)\]}]/.test(char)) {
      if (depth === 0) return;
      depth -= 1;
    } else if (depth === 0 && /[,;\n]/.test(char)) return;
  }
}

const MAX_CONSTANTS = 60;

/** Variables that are given a constant once; the last one counts. */
export function readConstants(code: string, blanked: string): ReadonlyMap<string, readonly string[]> {
  const constants = new Map<string, readonly string[]>();
  const assignment =
    /(?<![\w.])(?:(?:const|let|var|my|our|local)\s+)?[$@%]?([A-Za-z_]\w*)\s*(?::=|=(?![=>~]))\s*(?=["'`[({fFrRbBuUq]|\w+\.\w*\(|chr|atob|\$|\w)/g;
  for (const match of blanked.matchAll(assignment)) {
    if (constants.size >= MAX_CONSTANTS) break;
    const { items } = readArguments(code, match.index + match[0].length, constants);
    if (items.length > 0 && items.every((item) => !item.includes(HOLE))) constants.set(match[1] ?? "", items);
  }
  return constants;
}
