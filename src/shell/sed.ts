import { type Call, within } from "./machine.ts";
import { HOLE, isKnown, ON_DISK } from "./marks.ts";
import { readOptions, valuesOf } from "./options.ts";
import { contentOf } from "./redirects.ts";
import { runCode } from "./shells.ts";

/** GNU sed runs the `e` command, and what a substitution leaves when it has the flag `e`. */
export function runSed(call: Call): string {
  const { machine, frame, args } = call;
  const read = readOptions(args, { short: "eflE", long: ["expression", "file", "line-length"], isPermuted: true });
  const scripts = valuesOf(read, "-e", "--expression");
  const files = valuesOf(read, "-f", "--file").map((file) => contentOf(machine, file, frame));
  const texts = [...scripts, ...files];
  const operands = texts.length === 0 ? read.operands.slice(1) : read.operands;
  if (texts.length === 0) texts.push(read.operands[0] ?? "");
  const input = operands.length > 0 ? HOLE : (frame.stdin ?? "");
  let printed = input;
  for (const text of texts) if (text !== ON_DISK) printed = followScript(call, text, printed);
  return printed;
}

interface Place {
  readonly text: string;
  at: number;
}

function followScript(call: Call, text: string, input: string): string {
  const place: Place = { text, at: 0 };
  let printed = isKnown(input) ? input : HOLE;
  // Each turn takes one command, so that it ends.
  for (let turns = 0; turns < 2000 && place.at < text.length; turns += 1) {
    skipAddress(place);
    const command = text.charAt(place.at);
    place.at += 1;
    if (command === "s") {
      const { pattern, replacement, flags } = readSubstitution(place);
      if (flags.includes("e")) runReplacement(call, pattern, replacement, printed);
      printed = substitute(printed, pattern, replacement, flags);
    } else if (command === "y") {
      readSubstitution(place);
      printed = HOLE;
    } else if (command === "e") {
      const shell = restOfLine(place);
      if (shell !== "") call.machine.runText(shell, within(call.frame, "sed e"));
      else runCode({ ...call, frame: within(call.frame, "sed e") }, printed, "the line that sed runs");
    } else if (/[aic]/.test(command)) {
      readText(place);
      printed = HOLE;
    } else if (/[rRwWbtT:]/.test(command)) {
      restOfLine(place);
    } else if (/[dDgGhHnNxpPlqQz=]/.test(command)) {
      if (command !== "p" && command !== "=") printed = HOLE;
    }
  }
  return printed;
}

function skipAddress(place: Place): void {
  const { text } = place;
  while (place.at < text.length) {
    const char = text.charAt(place.at);
    if (/[\s;{},0-9$!~+IM]/.test(char)) place.at += 1;
    else if (char === "}") place.at += 1;
    else if (char === "/") place.at = delimited(place, "/", place.at + 1) + 1;
    else if (char === "\\" && place.at + 1 < text.length) place.at = delimited(place, text.charAt(place.at + 1), place.at + 2) + 1;
    else if (char === "#") restOfLine(place);
    else return;
  }
}

function delimited({ text }: Place, mark: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.charAt(at) === "\\") at += 1;
    else if (text.charAt(at) === mark) return at;
  }
  return text.length;
}

function readSubstitution(place: Place): { pattern: string; replacement: string; flags: string } {
  const { text } = place;
  const mark = text.charAt(place.at);
  const middle = delimited(place, mark, place.at + 1);
  const end = delimited(place, mark, middle + 1);
  const flags = /^[gpeiImMw0-9]*/.exec(text.slice(end + 1, end + 20))?.[0] ?? "";
  const found = { pattern: text.slice(place.at + 1, middle), replacement: text.slice(middle + 1, end), flags };
  place.at = end + 1 + flags.length;
  if (flags.includes("w")) restOfLine(place);
  return found;
}

function restOfLine(place: Place): string {
  const end = place.text.indexOf("\n", place.at);
  const line = place.text.slice(place.at, end === -1 ? undefined : end);
  place.at = end === -1 ? place.text.length : end + 1;
  return line.trim();
}

/** Text for `a`, `i` and `c` goes on over lines that end in a backslash. */
function readText(place: Place): void {
  let line = restOfLine(place);
  while (line.endsWith("\\") && place.at < place.text.length) line = restOfLine(place);
}

/** What is run is the whole line after the substitution. */
function runReplacement(call: Call, pattern: string, replacement: string, input: string): void {
  const inner: Call = { ...call, frame: within(call.frame, "sed s///e") };
  const isWhole = /^\^?\.\*\$?$/.test(pattern);
  const after = substitute(input, pattern, replacement, "");
  if (isWhole && !/[&\\]/.test(replacement)) call.machine.runText(replacement, inner.frame);
  else if (isKnown(after)) call.machine.runText(after, inner.frame);
  else {
    call.machine.runText(replacement.replace(/\\\d|&/g, HOLE), inner.frame);
    call.machine.opaque.add("sed runs lines that are known only when it runs");
  }
}

/** Only for plain text: what a pattern matches is not worked out. */
function substitute(input: string, pattern: string, replacement: string, flags: string): string {
  if (/[\\&]/.test(replacement)) return HOLE;
  const isWhole = /^\^?\.\*\$?$/.test(pattern);
  if (!isKnown(input)) return isWhole && !flags.includes("g") ? `${replacement}\n` : HOLE;
  if (isWhole) return input.split("\n").map((line, at, all) => (at === all.length - 1 && line === "" ? line : replacement)).join("\n");
  if (pattern === "^") return input.split("\n").map((line, at, all) => (at === all.length - 1 && line === "" ? line : replacement + line)).join("\n");
  if (pattern === "$") return input.split("\n").map((line, at, all) => (at === all.length - 1 && line === "" ? line : line + replacement)).join("\n");
  if (/[.*[\]^$\\+?|(){}]/.test(pattern)) return HOLE;
  return input.split("\n").map((line) => (flags.includes("g") ? line.replaceAll(pattern, () => replacement) : line.replace(pattern, () => replacement))).join("\n");
}
