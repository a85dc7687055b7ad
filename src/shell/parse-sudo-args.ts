import { clip } from "../core/text.ts";
import { baseName } from "../core/path.ts";
import { INFORMATIVE_WORDS, SUDO_OPTIONS, type SudoOption } from "./sudo-option.ts";
import { type SudoRefusalCode, sudoRefusalHelp } from "./sudo-refusal.ts";

/** A command to put before a human, with the meaning real sudo gives the same words. */
export interface SudoRequest {
  readonly kind: "request";
  /**
   * The command and its arguments. The first word is an absolute path or a plain name without a
   * slash, which the caller looks up once on sudo's fixed path, before anybody is asked.
   */
  readonly argv: readonly [string, ...string[]];
  /** "root" unless -u names another account; whether that exists is not known here. */
  readonly runAs: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute, from -D; null: where the caller is. Not handed to sudo. */
  readonly cwd: string | null;
  /** From -T; null: none given. Not handed to sudo. */
  readonly timeoutMs: number | null;
  /** -k: an approval that was given earlier does not count. */
  readonly fresh: boolean;
  /** -n: never wait for a human. */
  readonly nonInteractive: boolean;
}

export type SudoArgs =
  /**
   * One word that shows help, version or rules, or forgets a credential. Real sudo may be started
   * with it, standard input at /dev/null; `-n` belongs before a word that lists.
   */
  | { readonly kind: "passthrough"; readonly argv: readonly [string] }
  | SudoRequest
  | { readonly kind: "refuse"; readonly code: SudoRefusalCode; readonly message: string };

type Refused = Extract<SudoArgs, { kind: "refuse" }>;

const MAX_WORDS = 256;
const MAX_BYTES = 128 * 1024;
const MAX_TIMEOUT_S = 86_400;
const MAX_ENV_VALUE = 256;
const ENV_NAMES: readonly string[] = ["DEBIAN_FRONTEND", "LANG", "LC_ALL", "TZ"];
const ELEVATORS: readonly string[] = ["sudo", "su", "doas", "pkexec", "run0"];

/**
 * Reads the words after `sudo` as sudo 1.9 would, and takes only what cannot mean anything else.
 * Total and deterministic: whatever comes in, one of three answers comes out and nothing is thrown.
 * The words are chosen by the agent.
 */
export function parseSudoArgs(argv: readonly string[]): SudoArgs {
  const words = readWords(argv);
  if (!Array.isArray(words)) return words;
  const [first] = words;
  if (first !== undefined && words.length === 1 && INFORMATIVE_WORDS.includes(first)) {
    return { kind: "passthrough", argv: [first] };
  }
  const draft = emptyDraft();
  let index = 0;
  // sudo takes options and variables in any order until the first word that is neither, or "--".
  for (; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") {
      index += 1;
      break;
    }
    if (word.startsWith("-") && word !== "-") {
      const taken = takeOptions(draft, word, words[index + 1]);
      if (typeof taken !== "number") return taken;
      index += taken;
    } else if (isAssignment(word)) {
      const problem = takeAssignment(draft, word);
      if (problem !== null) return problem;
    } else {
      break;
    }
  }
  return finish(draft, words.slice(index));
}

/** What the options said so far. */
interface Draft {
  readonly given: Set<SudoOption["meaning"]["kind"]>;
  readonly env: Map<string, string>;
  runAs: string | null;
  cwd: string | null;
  timeoutMs: number | null;
}

function emptyDraft(): Draft {
  return { given: new Set(), env: new Map(), runAs: null, cwd: null, timeoutMs: null };
}

function finish(draft: Draft, command: readonly string[]): SudoArgs {
  const [program, ...rest] = command;
  if (program === undefined) return refuse("command-missing", "No command is named");
  const problem = checkProgram(program);
  if (problem !== null) return problem;
  if (draft.given.has("fresh") && draft.given.has("no-update")) {
    return refuse("option-conflict", "-k and -N are both given");
  }
  return {
    kind: "request",
    argv: [program, ...rest],
    runAs: draft.runAs ?? "root",
    env: Object.fromEntries(draft.env),
    cwd: draft.cwd,
    timeoutMs: draft.timeoutMs,
    fresh: draft.given.has("fresh"),
    nonInteractive: draft.given.has("non-interactive"),
  };
}

function checkProgram(program: string): Refused | null {
  const name = baseName(program);
  if (name === "sudoedit") return refuse("sudoedit", "The command is sudoedit");
  if (ELEVATORS.includes(name)) return refuse("nested-elevation", `The command is ${name}, which elevates by itself`);
  if (program.startsWith("/")) {
    const isFolder = name === "" || name === "." || name === "..";
    return isFolder ? refuse("command-invalid", `${clip(program, 120)} is a folder, not a command`) : null;
  }
  if (program.includes("/")) return refuse("command-not-absolute", `${clip(program, 120)} is a relative path`);
  return /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(program)
    ? null
    : refuse("command-invalid", `"${clip(program, 120)}" is no name of a command`);
}

/** Reads one word of options; returns how many further words it used (0 or 1). */
function takeOptions(draft: Draft, word: string, next: string | undefined): number | Refused {
  if (word.startsWith("--")) return takeLongOption(draft, word, next);
  for (let at = 1; at < word.length; at += 1) {
    const option = SUDO_OPTIONS.find((each) => each.letter === word[at]);
    if (option === undefined) return refuse("option-unknown", `sudo has no option -${clip(word.slice(at, at + 1), 8)}`);
    const attached = word.slice(at + 1);
    const problem = takeOption(draft, option, option.value === "required" ? attached || next : null);
    if (problem !== null) return problem;
    if (option.value === "required") return attached === "" ? 1 : 0;
  }
  return 0;
}

function takeLongOption(draft: Draft, word: string, next: string | undefined): number | Refused {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals === -1 ? undefined : equals);
  const attached = equals === -1 ? null : word.slice(equals + 1);
  const option = SUDO_OPTIONS.find((each) => each.long === name);
  if (option === undefined) {
    // getopt takes any unique beginning; a list of them that is right today may be wrong tomorrow.
    return SUDO_OPTIONS.some((each) => each.long.startsWith(name))
      ? refuse("option-abbreviated", `--${clip(name, 40)} is not written in full`)
      : refuse("option-unknown", `sudo has no option --${clip(name, 40)}`);
  }
  if (option.value === "none" && attached !== null) {
    return refuse("option-value-unexpected", `--${name} takes no value`);
  }
  const value = option.value === "required" ? (attached ?? next) : attached;
  const problem = takeOption(draft, option, value);
  if (problem !== null) return problem;
  return option.value === "required" && attached === null ? 1 : 0;
}

/** `value` is undefined where one is needed and there is none. */
function takeOption(draft: Draft, option: SudoOption, value: string | null | undefined): Refused | null {
  const { meaning } = option;
  const name = option.letter === "" ? `--${option.long}` : `-${option.letter}`;
  if (meaning.kind === "refused") return refuse(meaning.code, `${name} (${option.long}) is not taken`);
  if (meaning.kind === "informative") return refuse(meaning.code, `${name} (${option.long}) is not the only word`);
  // After an option whose value is "--", sudo itself believes that the options have ended.
  if (value === undefined || value === "--") return refuse("option-value-missing", `${name} has no value`);
  const isRepeated = draft.given.has(meaning.kind);
  draft.given.add(meaning.kind);
  if (value === null || meaning.kind === "no-effect") return null;
  if (isRepeated) return refuse("option-repeated", `${name} is given twice`);
  switch (meaning.kind) {
    case "user":
      return takeUser(draft, value);
    case "folder":
      return takeFolder(draft, value);
    case "timeout":
      return takeTimeout(draft, value);
    default:
      return null;
  }
}

function takeUser(draft: Draft, value: string): Refused | null {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(value)) {
    return refuse("run-as-invalid", `"${clip(value, 60)}" is not taken as the name of an account`);
  }
  draft.runAs = value;
  return null;
}

function takeFolder(draft: Draft, value: string): Refused | null {
  const isPlain = /^(?:\/[^/]+)*\/?$/.test(value) && !value.split("/").some((part) => part === "." || part === "..");
  if (value === "" || !isPlain) return refuse("cwd-invalid", `"${clip(value, 120)}" is not a plain absolute folder`);
  draft.cwd = value === "/" ? value : value.replace(/\/$/, "");
  return null;
}

/** Seconds, or days, hours, minutes and seconds in this order. Source: sudoers(5), command timeouts. */
const TIMEOUT = /^(?=\d)(?:(\d{1,3})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s?)?$/i;

function takeTimeout(draft: Draft, value: string): Refused | null {
  const parts = TIMEOUT.exec(value);
  const [days, hours, minutes, seconds] = (parts ?? []).slice(1).map((part) => Number(part ?? 0));
  const total = (days ?? 0) * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
  // sudo reads 0 as no limit at all.
  if (parts === null || total < 1 || total > MAX_TIMEOUT_S) {
    return refuse("timeout-invalid", `"${clip(value, 40)}" is not a time between one second and one day`);
  }
  draft.timeoutMs = total * 1000;
  return null;
}

/** sudo takes any such word for a variable, whatever stands before the "=". */
function isAssignment(word: string): boolean {
  return word.includes("=") && !word.startsWith("=") && !word.startsWith("/");
}

function takeAssignment(draft: Draft, word: string): Refused | null {
  const name = word.slice(0, word.indexOf("="));
  const value = word.slice(name.length + 1);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return refuse("env-ambiguous", `"${clip(word, 80)}" may be a variable or a command`);
  }
  if (!ENV_NAMES.includes(name)) return refuse("env-not-allowed", `${clip(name, 60)} may not be set`);
  if (draft.env.has(name)) return refuse("env-repeated", `${name} is set twice`);
  if (value.length > MAX_ENV_VALUE || /[/%\p{Cc}]/u.test(value) || value.startsWith("()")) {
    return refuse("env-value-invalid", `The value of ${name} is not taken`);
  }
  draft.env.set(name, value);
  return null;
}

/** The words, each read once: what is judged is what is returned, also from an array with getters. */
function readWords(value: unknown): string[] | Refused {
  try {
    if (!Array.isArray(value)) return refuse("argv-invalid", "The words are not a list");
    const { length } = value;
    if (length > MAX_WORDS) return refuse("argv-too-long", `There are more than ${MAX_WORDS} words`);
    const words: string[] = [];
    let bytes = 0;
    for (let index = 0; index < length; index += 1) {
      const word: unknown = value[index];
      if (typeof word !== "string") return refuse("argv-invalid", `Word ${index} is not a string`);
      bytes += word.length > MAX_BYTES ? MAX_BYTES + 1 : utf8Length(word) + 1;
      if (bytes > MAX_BYTES) return refuse("argv-too-long", `The words have more than ${MAX_BYTES / 1024} KiB`);
      if (!word.isWellFormed() || word.includes("\0") || word.includes("\ufffd")) {
        return refuse("argv-not-text", `Word ${index} is not plain text`);
      }
      words.push(word);
    }
    return words;
  } catch {
    // A list whose parts cannot even be read, such as a revoked proxy.
    return refuse("argv-invalid", "The words cannot be read");
  }
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function refuse(code: SudoRefusalCode, message: string): Refused {
  return { kind: "refuse", code, message: `${message}. ${sudoRefusalHelp(code)}` };
}
