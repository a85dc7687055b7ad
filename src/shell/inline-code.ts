import { spendOnText } from "./budget.ts";
import { readArguments, readConstants } from "./code-literals.ts";
import { type Call, within } from "./machine.ts";
import { EMITTED, HOLE, isKnown, literally, ON_DISK } from "./marks.ts";
import { type Language, LANGUAGES } from "./language-table.ts";

/** Further uses in one piece of code are not looked at one by one. */
const MAX_USES = 200;

/**
 * Follows code of another language to the programs it starts: what is given as constants is followed, what is
 * not makes it opaque, and code that starts nothing is clear. It does not understand the language; it finds
 * the few calls that start programs.
 */
export function runInline(call: Call, language: string, code: string, what = `the ${language} code`): void {
  const { machine, frame } = call;
  const known = LANGUAGES[language] ?? LANGUAGES["general"];
  const bare = code.trim();
  if (known === undefined || bare === "" || bare === ON_DISK || bare === EMITTED) return;
  if (bare.replaceAll(HOLE, "").trim() === "") {
    machine.opaque.add(`${what} is known only when it runs`);
    return;
  }
  spendOnText(machine.budget, code.length * 4);
  const plain = literally(code).replace(known.comment, "");
  const written = language === "perl" ? withoutPatterns(plain) : plain;
  machine.codes.push({ language, code: written, via: frame.via, at: machine.commands.length });
  const inner: Call = { ...call, frame: within(frame, `${call.name} code`, { bypassed: null }) };
  const blanked = blankStrings(written, known);
  const constants = readConstants(written, blanked);
  const patterns = [known.spawns];
  if (known.spawnsWith?.mention.test(written) === true) patterns.push(known.spawnsWith.calls);
  let uses = 0;
  for (const pattern of patterns) {
    for (const match of blanked.matchAll(pattern)) {
      uses += 1;
      if (uses > MAX_USES) return void machine.opaque.add(`${what} starts too much to follow`);
      followSpawn(inner, { written, end: match.index + match[0].length, called: match[0], constants });
    }
  }
  // A library for starting programs that is loaded and used in a way that is not recognised.
  const { spawnsWith } = known;
  if (spawnsWith !== undefined && language === "node" && uses === 0 && spawnsWith.mention.test(written)) {
    machine.opaque.add(`${what} starts a program in a way that cannot be read`);
  }
  followRest(inner, { known, language, written, blanked, constants });
}

/** Perl's patterns may hold any word; the replacement is code where the flag `e` says so. */
function withoutPatterns(code: string): string {
  return code.replace(
    /(?<![\w$@%>{-])(?:s|y|tr)([/|!#,~])((?:\\.|(?!\1).){0,500})\1((?:\\.|(?!\1).){0,500})\1([a-z]*)/gs,
    (whole, _mark, _pattern, replacement: string, flags: string) =>
      flags.includes("ee") ? whole : flags.includes("e") ? ` ${replacement} ` : " 1 ",
  );
}

interface Rest {
  readonly known: Language;
  readonly language: string;
  readonly written: string;
  readonly blanked: string;
  readonly constants: ReadonlyMap<string, readonly string[]>;
}

function followRest(call: Call, { known, language, written, blanked, constants }: Rest): void {
  const { machine, frame } = call;
  for (const match of blanked.matchAll(known.evaluates)) {
    const { items } = readArguments(written, match.index + match[0].length, constants);
    const [text = ""] = items;
    if (isKnown(text)) runInline(call, language, text);
    else machine.opaque.add(`${language} code evaluates text that is known only when it runs`);
  }
  for (const match of known.shellQuotes === null ? [] : written.matchAll(known.shellQuotes)) {
    const text = match.slice(1).findLast((group) => group !== undefined && group.length > 0) ?? "";
    const isString = blanked.charAt(match.index) === " " && language !== "groovy";
    if (!isString) machine.runText(interpolated(text), frame);
  }
  for (const match of known.pipes === null ? [] : blanked.matchAll(known.pipes))
    followPipe(call, readArguments(written, match.index + match[0].length, constants).items);
  if (known.hides?.test(written) === true && known.hides.test(blankButQuotes(written, blanked))) {
    machine.opaque.add(`${language} code calls what is known only when it runs`);
  }
}

/** Calls that are hidden take their names from strings, so strings are left; but not those that hold whole sentences. */
function blankButQuotes(written: string, blanked: string): string {
  return written.length < 20_000 ? written : blanked;
}

function followSpawn(
  call: Call,
  use: {
    readonly written: string;
    readonly end: number;
    readonly called: string;
    readonly constants: Rest["constants"];
  },
): void {
  const { machine, frame } = call;
  const { items, isList } = readArguments(use.written, use.end, use.constants);
  // os.spawnlp and its kin take a mode first.
  // IPC::Open3 and Open2 take handles first.
  const skipped = /spawn[lv]p?e?\s*\($/.test(use.called) ? 1 : Number(/\bopen([23])\b/.exec(use.called)?.[1] ?? 0);
  const words = items.slice(skipped);
  const [first] = words;
  if (first === undefined) return;
  if (words.length > 1 || isList) {
    // A first word with spaces is a text for a shell; the rest are options.
    if (isKnown(first) && /\s/.test(first.trim())) machine.runText(first, frame);
    else machine.runWords(words, frame);
  } else if (first === HOLE) {
    machine.opaque.add("code starts a program that is known only when it runs");
  } else {
    machine.runText(first, frame);
  }
}

/** `open(F, "cmd|")`, `open(F, "|cmd")`, `open(F, "-|", "cmd", ...)`. */
function followPipe({ machine, frame }: Call, items: readonly string[]): void {
  for (const [at, item] of items.entries()) {
    const text = item.trim();
    if (text === "-|" || text === "|-")
      machine.runWords(
        items.slice(at + 1).length > 1 ? items.slice(at + 1) : (items[at + 1] ?? HOLE).split(/\s+/),
        frame,
      );
    else if (text.startsWith("|")) machine.runText(text.slice(1), frame);
    else if (text.endsWith("|")) machine.runText(text.slice(0, -1), frame);
  }
}

/** Interpolations in a quoted shell text are not known. */
function interpolated(text: string): string {
  return text
    .replace(/#\{[^}]*\}|\$\{[^}]*\}|@\{[^}]*\}/g, HOLE)
    .replace(/(?<!\\)[$@][A-Za-z_]\w*/g, HOLE)
    .replace(/\\([\\`"$])/g, "$1");
}

/** The code with the content of its strings replaced by spaces; what is interpolated into them stays. */
export function blankStrings(code: string, { quotes }: Pick<Language, "quotes">): string {
  const out: string[] = [];
  let at = 0;
  while (at < code.length) {
    const char = code.charAt(at);
    if (!quotes.includes(char) || code.charAt(at - 1) === "\\") {
      out.push(char);
      at += 1;
      continue;
    }
    const isTriple = code.startsWith(char.repeat(3), at);
    const mark = isTriple ? char.repeat(3) : char;
    const end = stringEnd(code, at + mark.length, mark);
    // A quote without its partner is no string, as in Perl's /it's/.
    if (end === -1) {
      out.push(char);
      at += 1;
      continue;
    }
    out.push(mark, blankBody(code.slice(at + mark.length, end)), mark);
    at = end + mark.length;
  }
  return out.join("");
}

function stringEnd(code: string, from: number, mark: string): number {
  for (let at = from; at < code.length; at += 1) {
    if (code.charAt(at) === "\\") at += 1;
    else if (code.startsWith(mark, at)) return at;
  }
  return -1;
}

function blankBody(body: string): string {
  if (!/[#$@]?\{/.test(body)) return " ".repeat(body.length);
  let depth = 0;
  return body
    .split("")
    .map((char) => {
      if (char === "{") depth += 1;
      if (char === "}") depth = Math.max(0, depth - 1);
      return depth > 0 ? char : " ";
    })
    .join("");
}
