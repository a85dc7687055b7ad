import type {
  ArithmeticExpression,
  CommandExpansionPart,
  DoubleQuotedChild,
  ParameterExpansionPart,
  ProcessSubstitutionPart,
  Word,
  WordPart,
} from "unbash";
import { calculate, readInteger } from "./arithmetic.ts";
import { CHARS_PER_STEP, WorkLimitReached } from "./budget.ts";
import { expandBraces } from "./brace-expansion.ts";
import { ANY, bounded, HOLE, isKnown, literally, OPEN, STAR, withWildcards } from "./marks.ts";
import { changeCase, removeMatch, replaceMatch, slice } from "./parameter.ts";
import { assign, findVariable, type Scope } from "./scope.ts";

/**
 * Variables that may hold several values are read as their i-th in the i-th pass over a command, so that those
 * set together stay together and the work does not multiply.
 */
export interface Pass {
  readonly index: number;
  /** How many passes the command needs, as far as seen. */
  width: number;
}

/** What folding needs from whoever runs the text: it may run parts of it. */
export interface Folding {
  readonly scope: Scope;
  readonly pass: Pass;
  /** What a substitution prints, with the marks. */
  readonly capture: (script: CommandExpansionPart["script"], chars: number) => string;
  /** The path that a process substitution stands for. */
  readonly processFile: (part: ProcessSubstitutionPart) => string;
  /** The words of a text without running it. */
  readonly parse: (text: string) => readonly Word[];
  /** A value that arithmetic evaluates again, where it may run what its subscripts hold. */
  readonly arithmeticText: (text: string) => void;
  readonly spend: (steps: number) => void;
  /** Told of each variable that is read and was never set. */
  readonly readOutside: (name: string) => void;
}

/** What one part of a word gives: several values only from lists such as "$@". */
interface Expansion {
  readonly values: readonly string[];
  /** True where the shell splits the value into words and looks for wildcards in it. */
  readonly isSplit: boolean;
}

/** A word of a command, as the words it becomes. */
export function foldFields(folding: Folding, word: Word): string[] {
  const parts = partsOf(folding, word);
  if (parts === undefined) return [tilde(folding, word.text, word.value)];
  if (parts.some((part) => part.type === "BraceExpansion")) {
    const written = expandBraces(word.text);
    if (written === null) return [HOLE];
    // A brace that stays is no expansion, and would come back here for ever.
    if (written.length !== 1 || written[0] !== word.text) {
      return written.flatMap((text) => folding.parse(text).flatMap((each) => foldFields(folding, each)));
    }
  }
  return joinParts(folding, word, parts);
}

/** A word where the shell does not split: assignments, targets of redirects, `case`, here-strings. */
export function foldText(folding: Folding, word: Word): string {
  const parts = partsOf(folding, word);
  if (parts === undefined) return tilde(folding, word.text, word.value);
  let text = "";
  for (const [at, part] of parts.entries()) {
    const { values } = expandPart(folding, part);
    const joined = values.join(" ");
    text += at === 0 && part.type === "Literal" ? tilde(folding, part.text, joined) : joined;
  }
  return bounded(paid(folding, text));
}

/** A value that is put together from itself, time and again, grows far beyond the text. */
function paid(folding: Folding, value: string): string {
  folding.spend(1 + Math.floor(value.length / CHARS_PER_STEP));
  return value;
}

/** A word of more characters is followed only where it is one quoted string. */
const MAX_WORD = 65_536;

function partsOf(folding: Folding, word: Word): readonly WordPart[] | undefined {
  const { text } = word;
  folding.spend(1 + Math.floor(text.length / 200));
  if (text.length > MAX_WORD && /["'`$\\{*?[]/.test(text)) {
    const isOneString = text.startsWith("'") && text.indexOf("'", 1) === text.length - 1;
    if (!isOneString) throw new WorkLimitReached("it has a word too long to be followed");
  }
  // The parts are made when they are asked for.
  return word.parts;
}

/** The parts of a here-document or of a quoted string. */
export function foldParts(folding: Folding, parts: readonly WordPart[]): string {
  return bounded(paid(folding, parts.map((part) => expandPart(folding, part).values.join(" ")).join("")));
}

function joinParts(folding: Folding, word: Word, parts: readonly WordPart[]): string[] {
  const fields: string[] = [];
  let current: string | null = null;
  for (const [at, part] of parts.entries()) {
    const { values, isSplit } = expandPart(folding, part);
    const isQuoted = part.type === "SingleQuoted" || part.type === "DoubleQuoted" || part.type === "AnsiCQuoted";
    const isEmptyList = part.type === "DoubleQuoted" && values.length === 0;
    if (isQuoted && !isEmptyList) current ??= "";
    for (const [index, value] of values.entries()) {
      if (index > 0) {
        if (current !== null) fields.push(current);
        current = isSplit ? null : "";
      }
      const shown = at === 0 && part.type === "Literal" ? tilde(folding, word.text, value) : value;
      const pieces = isSplit
        ? splitFields(folding.scope, withWildcards(shown))
        : { words: [shown], isOpen: [false, false] };
      const [opensNew, endsOpen] = pieces.isOpen;
      if (opensNew === true && current !== null) {
        fields.push(current);
        current = null;
      }
      for (const [place, piece] of pieces.words.entries()) {
        if (place > 0 && current !== null) {
          fields.push(current);
          current = null;
        }
        if (!isSplit || piece !== "") current = (current ?? "") + piece;
      }
      if (endsOpen === true && current !== null) {
        fields.push(current);
        current = null;
      }
    }
  }
  if (current !== null) fields.push(bounded(current));
  for (const field of fields) paid(folding, field);
  return fields;
}

function splitFields(scope: Scope, value: string): { words: string[]; isOpen: [boolean, boolean] } {
  const ifs = findVariable(scope, "IFS")?.values[0]?.[0] ?? " \t\n";
  const separators = isKnown(ifs) ? ifs : " \t\n";
  if (separators === "") return { words: [value], isOpen: [false, false] };
  const words: string[] = [""];
  let startsOpen = false;
  let endsOpen = false;
  for (const char of value) {
    endsOpen = separators.includes(char);
    if (!endsOpen) words[words.length - 1] += char;
    else if (words.at(-1) !== "") words.push("");
    else if (words.length === 1) startsOpen = true;
  }
  return { words: words.filter((each) => each !== ""), isOpen: [startsOpen, endsOpen] };
}

function expandPart(folding: Folding, part: WordPart): Expansion {
  switch (part.type) {
    case "Literal":
    case "SingleQuoted":
    case "AnsiCQuoted":
      return whole(part.value);
    case "Glob":
      return whole(part.kind === "star" ? STAR : part.kind === "question" ? ANY : OPEN + part.value.slice(1));
    case "DoubleQuoted":
    case "LocaleString":
      return { values: quoted(folding, part.parts), isSplit: false };
    case "SimpleExpansion":
      return expandSimple(folding, part.text.slice(1));
    case "ParameterExpansion":
      return expandParameter(folding, part);
    case "CommandExpansion":
      return { values: [folding.capture(part.script, part.end - part.pos).replace(/\n+$/, "")], isSplit: true };
    case "ArithmeticExpansion":
      return whole(part.expression === undefined ? HOLE : evaluate(folding, part.expression));
    case "ProcessSubstitution":
      return whole(folding.processFile(part));
    case "ExtendedGlob":
      for (const inner of part.parts ?? []) expandPart(folding, inner);
      return whole(STAR);
    case "BraceExpansion":
      for (const inner of part.parts ?? []) expandPart(folding, inner);
      return whole(part.text);
  }
}

/** Double quotes: one value, but for "$@", which is as many as there are. */
function quoted(folding: Folding, parts: readonly DoubleQuotedChild[]): string[] {
  const lists = parts.map((part) => ({ part, values: expandPart(folding, part).values }));
  const hasList = lists.some(({ part, values }) => values.length !== 1 && isList(part));
  if (!hasList)
    return [
      bounded(lists.map(({ part, values }) => values.join(isStarred(part) ? joint(folding.scope) : " ")).join("")),
    ];
  if (lists.length === 1) return [...(lists[0]?.values ?? [])];
  const words: string[] = [""];
  for (const { part, values } of lists) {
    if (!isList(part)) {
      words[words.length - 1] += values.join(" ");
      continue;
    }
    for (const [index, value] of values.entries()) {
      if (index > 0) words.push(value);
      else words[words.length - 1] += value;
    }
  }
  return words;
}

/** "$*" and "${a[*]}" are joined by the first character of IFS. */
function isStarred(part: WordPart): boolean {
  if (part.type === "SimpleExpansion") return part.text === "$*";
  return part.type === "ParameterExpansion" && (part.parameter === "*" || part.index?.value === "*");
}

function joint(scope: Scope): string {
  const ifs = findVariable(scope, "IFS")?.values[0]?.[0] ?? " ";
  return isKnown(ifs) ? ifs.slice(0, 1) : " ";
}

function isList(part: WordPart): boolean {
  if (part.type === "SimpleExpansion") return part.text === "$@";
  return part.type === "ParameterExpansion" && (part.parameter === "@" || part.index?.value === "@");
}

function whole(value: string): Expansion {
  return { values: [value], isSplit: false };
}

/** `~` and `~/...` at the start; another user's home is not known. */
function tilde(folding: Folding, text: string, value: string): string {
  // A word that looks like an assignment is one in this, too: `dd if=~/x`.
  const name = /^[A-Za-z_]\w*=(?=~)/.exec(text)?.[0];
  if (name !== undefined && value.startsWith(name)) {
    return name + tilde(folding, text.slice(name.length), value.slice(name.length));
  }
  if (!text.startsWith("~") || !value.startsWith("~")) return value;
  const end = value.indexOf("/");
  const user = value.slice(1, end === -1 ? undefined : end);
  const rest = end === -1 ? "" : value.slice(end);
  if (user === "+") return folding.scope.cwd + rest;
  return (user === "" ? (valueOf(folding, "HOME")[0] ?? HOLE) : HOLE) + rest;
}

function expandSimple(folding: Folding, name: string): Expansion {
  return { values: valueOf(folding, name), isSplit: true };
}

/** The present value of a parameter; a variable that the text never set comes from outside and is a hole. */
function valueOf(folding: Folding, name: string): readonly string[] {
  const { scope, pass } = folding;
  if (name === "@" || name === "*") return scope.positional.slice(1);
  if (name === "#") return [String(Math.max(0, scope.positional.length - 1))];
  if (/^\d+$/.test(name)) {
    const value = scope.positional[Number(name)];
    return [value ?? (name === "0" ? "bash" : "")];
  }
  if (name === "_") return [scope.lastWord];
  if (name === "PWD") return [scope.cwd];
  const found = findVariable(scope, name);
  if (found === undefined) {
    folding.readOutside(name);
    return [HOLE];
  }
  pass.width = Math.max(pass.width, found.values.length);
  return found.values[pass.index % found.values.length] ?? [""];
}

function expandParameter(folding: Folding, part: ParameterExpansionPart): Expansion {
  const values = selectValues(folding, part);
  if (part.prefix === "#") {
    const [value = ""] = values;
    const isCount = part.index !== undefined && /^[@*]$/.test(part.index.value);
    return whole(isCount ? String(values.length) : isKnown(value) ? String(value.length) : HOLE);
  }
  return { values: operate(folding, part, values), isSplit: true };
}

function selectValues(folding: Folding, part: ParameterExpansionPart): readonly string[] {
  const { parameter, index, prefix } = part;
  if (prefix === "!") {
    if (part.operation?.type === "Names") return [HOLE];
    const [name = ""] = valueOf(folding, parameter);
    if (name.includes("[")) folding.arithmeticText(name);
    return isKnown(name) && /^(?:\w+|@|\*)$/.test(name) ? valueOf(folding, name) : [HOLE];
  }
  if (index === undefined) {
    const values = valueOf(folding, parameter);
    return parameter === "@" || parameter === "*" ? values : values.slice(0, 1);
  }
  const key = foldText(folding, index);
  const list = valueOf(folding, parameter);
  if (literally(key) === "@" || literally(key) === "*") return list;
  const named = findVariable(folding.scope, `${parameter}[${key}]`);
  if (named !== undefined) return named.values[folding.pass.index % named.values.length] ?? [""];
  if (key.includes("$(") || key.includes("`")) folding.arithmeticText(key);
  const place = readInteger(key) ?? heldInteger(folding, key);
  if (place === null) return [HOLE];
  return [list.at(place) ?? (list[0] === HOLE ? HOLE : "")];
}

function operate(folding: Folding, part: ParameterExpansionPart, values: readonly string[]): readonly string[] {
  const { operation } = part;
  if (operation === undefined) return values;
  const each = (change: (value: string) => string): string[] => values.map(change);
  switch (operation.type) {
    case "Default":
      return withDefault(folding, part, values, operation.operator, foldText(folding, operation.operand));
    case "Remove": {
      const pattern = foldText(folding, operation.operand);
      return each((value) => removeMatch(value, operation.operator, pattern));
    }
    case "Replace": {
      const pattern = foldText(folding, operation.pattern);
      const replacement = literally(foldText(folding, operation.replacement));
      return each((value) => replaceMatch(value, operation.operator, pattern, replacement));
    }
    case "Slice": {
      const offset = integerOf(folding, operation.offset);
      const length = operation.length === undefined ? null : integerOf(folding, operation.length);
      const isListed = part.parameter === "@" || part.parameter === "*" || /^[@*]$/.test(part.index?.value ?? "");
      if (!isListed) return each((value) => slice(value, offset, length));
      return sliceList(part.parameter, values, offset, length);
    }
    case "CaseModification":
      if (operation.operand !== undefined) return [HOLE];
      return each((value) => changeCase(value, operation.operator));
    case "Transform":
      return transform(folding, operation.operand.value, values);
    case "Names":
    case "Unknown":
      return [HOLE];
  }
}

/** `$@` counts from 1, with `$0` before it. */
function sliceList(name: string, values: readonly string[], offset: string, length: string | null): string[] {
  const from = Number(offset);
  if (!Number.isInteger(from)) return [HOLE];
  const isPositional = name === "@" || name === "*";
  const all = isPositional && from === 0 ? ["bash", ...values] : values;
  const start = isPositional && from > 0 ? from - 1 : from;
  const count = length === null ? undefined : Number(length);
  const tail = all.slice(start);
  return count === undefined ? tail : tail.slice(0, count);
}

function transform(folding: Folding, operator: string, values: readonly string[]): readonly string[] {
  if (/^[ULu]$/.test(operator)) return values.map((value) => changeCase(value, operator));
  // A prompt is expanded once more, and may run what it holds.
  if (operator === "P")
    return values.map((value) =>
      folding
        .parse(`"${value}"`)
        .map((word) => foldText(folding, word))
        .join(""),
    );
  return operator === "Q" || operator === "E" ? values : [HOLE];
}

function withDefault(
  folding: Folding,
  part: ParameterExpansionPart,
  values: readonly string[],
  operator: string,
  operand: string,
): readonly string[] {
  const [value = ""] = values;
  const isUnset = !/^\d+$|^[@*#]$/.test(part.parameter) && findVariable(folding.scope, part.parameter) === undefined;
  const isEmpty = values.length === 0 || (values.length === 1 && value === "");
  // What the text never sets may still come from outside; its default is taken to be what holds.
  const isMissing = isUnset || isEmpty;
  switch (operator) {
    case "-":
    case ":-":
      return isMissing ? [operand] : values;
    case "=":
    case ":=":
      if (isMissing) assign(folding.scope, part.parameter, [operand]);
      return isMissing ? [operand] : values;
    case "+":
    case ":+":
      return isEmpty && !isUnset ? [""] : [operand];
    default:
      return values;
  }
}

function integerOf(folding: Folding, word: Word): string {
  const text = foldText(folding, word);
  const plain = readInteger(text);
  if (plain !== null) return String(plain);
  const named = heldInteger(folding, text.trim());
  return named === null ? HOLE : String(named);
}

/** What a variable holds is evaluated again, with the substitutions in its subscripts. */
function heldInteger(folding: Folding, name: string): number | null {
  const [held = HOLE] = valueOf(folding, name);
  if (held.includes("[")) folding.arithmeticText(held);
  return readInteger(held);
}

/** The number an expression gives, as text; runs what its substitutions would run. */
export function evaluate(folding: Folding, expression: ArithmeticExpression): string {
  const number = evaluateNumber(folding, expression);
  return number === null || !Number.isFinite(number) ? HOLE : String(number);
}

function evaluateNumber(folding: Folding, node: ArithmeticExpression): number | null {
  folding.spend(1);
  switch (node.type) {
    case "ArithmeticWord":
      return wordNumber(folding, node.value, node.parts);
    case "ArithmeticGroup":
      return evaluateNumber(folding, node.expression);
    case "ArithmeticCommandExpansion":
      return readInteger(folding.capture(node.script, node.end - node.pos));
    case "ArithmeticTernary": {
      const test = evaluateNumber(folding, node.test);
      const [yes, no] = [evaluateNumber(folding, node.consequent), evaluateNumber(folding, node.alternate)];
      return test === null ? null : test === 0 ? no : yes;
    }
    case "ArithmeticUnary": {
      const operand = evaluateNumber(folding, node.operand);
      if (operand === null) return null;
      if (node.operator === "-") return -operand;
      if (node.operator === "!") return Number(operand === 0);
      if (node.operator === "~") return ~operand;
      if (node.operator === "++" || node.operator === "--") {
        const next = operand + (node.operator === "++" ? 1 : -1);
        if (node.operand.type === "ArithmeticWord") assign(folding.scope, node.operand.value, [String(next)]);
        return node.prefix ? next : operand;
      }
      return operand;
    }
    case "ArithmeticBinary": {
      const right = evaluateNumber(folding, node.right);
      const isAssignment = /^(?:[-+*/%&|^]|<<|>>)?=$/.test(node.operator);
      if (!isAssignment || node.left.type !== "ArithmeticWord") {
        const left = evaluateNumber(folding, node.left);
        return left === null || right === null ? null : calculate(node.operator, left, right);
      }
      const left = node.operator === "=" ? 0 : evaluateNumber(folding, node.left);
      if (node.operator === "=") wordNumber(folding, node.left.value, node.left.parts);
      const value =
        left === null || right === null
          ? null
          : node.operator === "="
            ? right
            : calculate(node.operator.slice(0, -1), left, right);
      assign(folding.scope, node.left.value, [value === null ? HOLE : String(value)]);
      return value;
    }
  }
}

function wordNumber(folding: Folding, value: string, parts: readonly WordPart[] | undefined): number | null {
  const text = parts === undefined ? value : foldParts(folding, parts);
  const number = readInteger(text);
  if (number !== null) return number;
  if (!/^[A-Za-z_]\w*$/.test(text)) return null;
  const [held = HOLE] = valueOf(folding, text);
  // Arithmetic evaluates what a variable holds, with the substitutions in its subscripts.
  if (held.includes("[") && /\$\(|`/.test(held)) folding.arithmeticText(held);
  return readInteger(held);
}
