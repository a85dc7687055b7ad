import { BUILTINS } from "./builtins.ts";
import { CARRIERS } from "./carriers.ts";
import { INTERPRETERS } from "./interpreters.ts";
import { resolvePath } from "./made-files.ts";
import type { FoundCommand, Machine, WrittenFile } from "./machine.ts";
import { isKnown, literally } from "./marks.ts";
import {
  codeNamesElevator,
  describesHost,
  isElevatingLine,
  isElevatorWord,
  namesElevator,
  withoutNames,
} from "./mentions.ts";
import { isOrdinary } from "./ordinary.ts";
import { OUTPUTS } from "./outputs.ts";
import { SHELLS } from "./shells.ts";
import { STARTERS } from "./starters.ts";
import { WRAPPERS } from "./wrapper-table.ts";

/**
 * The second look, at what was read as clear. The first follows what it understands; this one asks whether an
 * elevator is named to something that was not understood. It gives reasons to call a text opaque, never to call
 * it clear.
 */
export function suspect(machine: Machine): void {
  const suspicion: Suspicion = { machine, left: MAX_CHARS };
  const { commands, opaque } = machine;
  for (const [at, command] of commands.entries()) {
    const name = nameOf(command);
    if (isHandedElevator(suspicion, command, at)) opaque.add(`${name} is given the name of an elevator`);
    if (suspicion.left < 0) break;
  }
  suspectCode(suspicion);
  suspectWritten(suspicion);
  suspectCopies(suspicion);
  if (suspicion.left < 0) opaque.add("it is too long to be looked through");
}

function setOf(names: string): ReadonlySet<string> {
  return new Set(names.split(/\s+/).filter((name) => name !== ""));
}

interface Suspicion {
  readonly machine: Machine;
  /** Characters that may still be looked at, so that the time stays bounded. */
  left: number;
}

const MAX_CHARS = 1_000_000;
const LONG_WORD = 4_096;

function nameOf({ words }: Pick<FoundCommand, "words">): string {
  const [written = ""] = words;
  return literally(written.slice(written.lastIndexOf("/") + 1));
}

function pay(suspicion: Suspicion, chars: number): boolean {
  suspicion.left -= 1 + chars;
  return suspicion.left >= 0;
}

/** Programs that read their words and their input as data, reviewed for that; what they have to run is read by the first look. */
function isDataProgram(name: string): boolean {
  return isOrdinary(name) || Object.hasOwn(BUILTINS, name) || Object.hasOwn(OUTPUTS, name);
}

/** Programs whose whole command line the first look understands: what is left of it names no program. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  ...Object.keys(SHELLS),
  ...setOf(`
    env find gfind xargs gxargs parallel tmux sqlite3 psql mysql mariadb ed
    ex vi vim nvim view rg ssh make gmake crontab at batch socat
  `),
]);

/** Programs whose words are code or texts of their own, which the first look reads. */
const READS_WORDS: ReadonlySet<string> = setOf(`
  awk gawk mawk nawk original-awk sed gsed git
`);

function isHandedElevator(suspicion: Suspicion, command: FoundCommand, at: number): boolean {
  const name = nameOf(command);
  const [, ...args] = command.words;
  if (command.words.length === 0) return false;
  if (hasCommandOption(suspicion, name, args)) return true;
  if (Object.hasOwn(SHELLS, name) || isDataProgram(name) || READS_WORDS.has(name))
    return isFedHost(suspicion, command, name);
  if (suspicion.machine.functions.has(name)) return false;
  if (isSetForIt(suspicion, command)) return true;
  const named = args.filter((arg, place) => {
    if (arg.length > LONG_WORD || !pay(suspicion, arg.length)) return false;
    if (isElevatingLine(arg)) return !isQuotedData(args[place - 1] ?? "");
    if (UNDERSTOOD.has(name)) return false;
    if (!isHandled(name) && /\s/.test(arg) && namesElevator(arg)) return !isQuotedData(args[place - 1] ?? "");
    if (/^--?[\w-]{1,60}=\//.test(arg)) return isElevatorWord(arg.slice(arg.indexOf("=") + 1));
    return isElevatorWord(arg) && place + 1 < args.length;
  });
  if (named.some((word) => !isFollowed(suspicion.machine, command, at, word))) return true;
  return isFedElevator(suspicion, command, name);
}

/** A compose file or the like that the text itself gives. */
function isFedHost(suspicion: Suspicion, { words, stdin, cwd }: FoundCommand, name: string): boolean {
  if (!/^(?:docker|podman|kubectl|nerdctl|oc|helm)(?:-compose)?$/.test(name)) return false;
  const texts = words.slice(1).flatMap((word) => {
    const made = suspicion.machine.files.get(resolvePath(cwd, literally(word.replace(/^--?[\w-]+=/, ""))));
    return made?.kind === "text" ? [made.text] : [];
  });
  return [...texts, stdin ?? ""].some((text) => pay(suspicion, text.length) && describesHost(text));
}

/** Options that everywhere take a text to show or to search for. */
function isQuotedData(option: string): boolean {
  return /^--?(?:m|message|title|body|text|description|grep|regexp|pattern|query|comment|subject|name|label|tag|arg|argjson)$/.test(
    option,
  );
}

/** The first look went on to a command that has the word among its own: there it is judged as what it is. */
function isFollowed(machine: Machine, { via }: FoundCommand, at: number, word: string): boolean {
  for (let next = at + 1; next < Math.min(machine.commands.length, at + 50); next += 1) {
    const inner = machine.commands[next];
    if (inner === undefined || inner.via.length <= via.length) return false;
    if (inner.words.some((each, place) => place > 0 && each.includes(word))) return true;
  }
  return false;
}

const COMMAND_OPTION =
  /^--?(?:[a-z]+-)*(?:program|command|cmd|exec|executable|pager|editor|shell|rsh|filter|helper|hook|preprocessor|path|browser|launcher|wrapper|runner|become|askpass|compiler|linker)(?:-[a-z]+)?(?:=(.*))?$/s;
/** Their words are patterns and texts, whatever they look like. */
const TEXT_PROGRAMS: ReadonlySet<string> = setOf(`
  echo printf grep egrep fgrep rg ag ack ps pgrep pkill find journalctl test [ jq yq say logger
  notify-send
`);

/** An option whose name says that it takes a command, with an elevator for it. */
function hasCommandOption(suspicion: Suspicion, name: string, args: readonly string[]): boolean {
  if (TEXT_PROGRAMS.has(name)) return false;
  return args.some((arg, at) => {
    if (!/^[-+]/.test(arg) || arg.length > LONG_WORD || !pay(suspicion, arg.length)) return false;
    // less, vim and others take commands so.
    if (arg.startsWith("+")) return isElevatingLine(arg.replace(/^\+[:\s]{0,9}/, ""));
    const option = COMMAND_OPTION.exec(arg);
    const value = option === null ? "" : (option[1] ?? args[at + 1] ?? "");
    return value.length <= LONG_WORD && (isElevatorWord(value) || isElevatingLine(value));
  });
}

const COMMAND_VARIABLE =
  /(?:^|_)(?:COMMAND|CMD|EDITOR|VISUAL|PAGER|SHELL|OPTS?|OPTIONS|FLAGS|ASKPASS|BROWSER|OPEN|LAUNCHER|WRAPPER|RUNNER|CC|CXX|LD|AR|PREFIX|HOOK|PROGRAM|PROG|SSH|RSH|FILTER|DIFF|EXEC|PS[0-4]|SUDO|BECOME\w*|RUN|BIN|TOOL)$|OPT$|FLAGS$/i;

/** `NAME='sudo ...' program`: a program that is not understood may run what it finds in its environment. */
function isSetForIt(suspicion: Suspicion, { assignments }: FoundCommand): boolean {
  return assignments.some(([name, value]) => {
    if (value.length > LONG_WORD || !pay(suspicion, value.length)) return false;
    return isElevatingLine(value) || (COMMAND_VARIABLE.test(name) && (isElevatorWord(value) || namesElevator(value)));
  });
}

/** Input that names an elevator, or a file of this text that does, for a program that is not known. */
function isFedElevator(suspicion: Suspicion, { words, stdin, cwd }: FoundCommand, name: string): boolean {
  const { machine } = suspicion;
  const isStranger = !isHandled(name) || Object.hasOwn(WRAPPERS, name);
  if (!isStranger) return false;
  if (stdin !== null && isKnown(stdin) && pay(suspicion, stdin.length) && namesElevator(stdin) && !READS_TEXT.has(name))
    return true;
  return words.slice(1).some((word) => {
    const made = machine.files.get(resolvePath(cwd, literally(word.replace(/^--?[\w-]+=/, ""))));
    return (
      made?.kind === "text" && pay(suspicion, made.text.length) && namesElevator(made.text) && !READS_TEXT.has(name)
    );
  });
}

/** Programs that are in no other table and read text to change, show, send or keep it. */
const READS_TEXT: ReadonlySet<string> = setOf(`
  patch envsubst pandoc xclip xsel pbcopy wl-copy clip sponge pv ts yq gron lolcat boxes openssl gpg
  markdown glow mlr csvlook xmllint tidy prettier black nano code subl emacs shellcheck hadolint
  yamllint jsonlint wdiff dos2unix curl
`);

function isHandled(name: string): boolean {
  return [BUILTINS, CARRIERS, INTERPRETERS, OUTPUTS, SHELLS, STARTERS, WRAPPERS].some((table) =>
    Object.hasOwn(table, name),
  );
}

/** Whatever starts a process, in one language or another; wider than what is followed. */
const CAPABLE =
  /\b(?:system\w*|\w*exec\w*|\w*spawn\w*|\w*popen\w*|open[23]|fork\w*|subprocess|child_process|pty|ffi\w*|ctypes|CDLL|dlopen|syscall|eval\w*|compile|ProcessBuilder|getRuntime|Command|process|runpy|cmd\w*|shell\w*|call\w*|run\w*|getattr|send|method|const_get|start\w*|os|sh|pipe|include|do)\b|-\||\|\s*["']|`|%x|\bqx\b|<>|@ARGV|\brequire\s*\(\s*[^"'\s]/i;
/** `open` of a file is no start of a process in these. */
const PLAIN_CAPABLE: Readonly<Record<string, RegExp>> = {
  awk: /\bsystem\s*\(|\|/,
  python:
    /\b(?:system\w*|\w*exec\w*|\w*spawn\w*|\w*popen\w*|fork\w*|subprocess|pty|cffi|ctypes|eval|runpy|getattr|__import__|import_module|globals|builtins|sh|pexpect|check_\w+)\b|\bos\s*\.\s*(?!path)\w+\s*\(/,
  node: /child_process|\b(?:\w*exec\w*Sync|\w*spawn\w*|fork|eval|Function|binding|constructor|ffi|execa|zx|shelljs|worker\w*|vm)\b|\b(?:require|import)\s*\(\s*[^"'`\s]|module\._?load|\$`/i,
  perl: /\b(?:system|\w*exec\w*|open[23]?|fork|syscall|eval|do|require|qx|sub|run3?)\b|`|<>|@ARGV|->\s*\(|\w*ee\b/,
  ruby: /\b(?:system|exec|spawn|popen\w*|open|fork|syscall|eval|send|public_send|method|instance_eval|Open3|PTY|IO|const_get|load|require)\b|`|%x/,
};

/** Code that names an elevator in a string, and has a way to start it that was not followed. */
function suspectCode(suspicion: Suspicion): void {
  const { machine } = suspicion;
  for (const { language, code } of machine.codes) {
    if (!pay(suspicion, code.length * 4)) return;
    const capable = PLAIN_CAPABLE[language] ?? CAPABLE;
    // Names such as pkexec hold a word that would count.
    if (capable.test(withoutNames(code)) && codeNamesElevator(code))
      machine.opaque.add(`${language} code names an elevator and may start programs`);
  }
}

/** What this text wrote or changed on disk names an elevator, and something that may run it comes after. */
function suspectWritten(suspicion: Suspicion): void {
  const { machine } = suspicion;
  const written = [...machine.written];
  for (const [at, command] of machine.commands.entries()) {
    if (writesElevator(suspicion, command)) written.push({ path: "", at: at + 1 });
  }
  for (const { language, code, at } of machine.codes) {
    if (!WRITES.test(code) && (language !== "awk" || !code.includes(">"))) continue;
    if (pay(suspicion, code.length * 4) && codeNamesElevator(code)) written.push({ path: "", at });
  }
  for (const { kind, at } of firstOfEach(written)) {
    const runner = machine.commands.find((command, place) => place >= at && mayRun(machine, command, kind));
    if (runner !== undefined) {
      machine.opaque.add(`${nameOf(runner)} may run what was written before, which names an elevator`);
      return;
    }
  }
}

/** What kind of file it is decides who may run it. */
type Kind = "hook" | "ssh" | "description" | "code";

function kindOf(path: string): Kind {
  if (/(?:^|\/)(?:hooks|\.git|\.husky)\/|git(?:config|attributes)$/.test(path)) return "hook";
  if (/\.ssh\/|ssh_?config$/.test(path)) return "ssh";
  return /\.ya?ml$/.test(path) ? "description" : "code";
}

/** Only the first of a kind matters, so that many files cost no more than one. */
function firstOfEach(written: readonly WrittenFile[]): { readonly kind: Kind; readonly at: number }[] {
  const first = new Map<Kind, number>();
  for (const { path, at } of written) {
    const kind = kindOf(path);
    first.set(kind, Math.min(at, first.get(kind) ?? at));
  }
  return [...first].map(([kind, at]) => ({ kind, at }));
}

/** How code of other languages puts text into a file. */
const WRITES =
  /write|append|\bdump\b|spurt|put_contents|copyFile|shutil|rename|["']\s{0,9}[+>]{0,2}[wa]b?\+?["']|["']\s{0,9}\+?>{1,2}|print\s*\(?\s*\{?\$?\w{1,40}\}?\s*["']|>>/i;

/** Programs that change a file by what they are given. */
function writesElevator(suspicion: Suspicion, { words, stdin, redirects, cwd }: FoundCommand): boolean {
  const [, ...args] = words;
  const name = nameOf({ words });
  const text = [...args, ...madeBy(suspicion, args, cwd), isKnown(stdin ?? "") ? (stdin ?? "") : ""].join("\n");
  switch (name) {
    case "jq":
    case "yq":
      return redirects.some(({ op }) => op.startsWith(">")) && pay(suspicion, text.length) && namesElevator(text);
    case "sed":
    case "gsed":
      if (!args.some((arg) => /^-[nErsz]*i|^--in-place/.test(arg)) && !/\bw\s/.test(text)) return false;
      // What is looked for is no text that comes into the file.
      return (
        pay(suspicion, text.length) &&
        namesElevator(
          text
            .replace(/\bs([/|#,:@!])(?:(?!\1)[^\\\n]|\\.){0,500}\1/g, "s\n")
            .replace(/(?<=^|[\n;{}\d$/])\s{0,9}[aic]\\?\s{1,9}/g, "\n"),
        )
      );
    case "npm":
    case "pnpm":
    case "yarn":
      return args.includes("set") && pay(suspicion, text.length) && namesElevator(text);
    case "ed":
    case "ex":
    case "vim":
    case "patch":
    case "perl":
      return name !== "perl" || args.some((arg) => /^-\w*i/.test(arg))
        ? pay(suspicion, text.length) && namesElevator(text.replace(/\bnorm(?:al)?!?\s{1,9}\w/g, "\n"))
        : false;
    case "git":
      return args[0] === "apply" && pay(suspicion, text.length) && namesElevator(text);
    default:
      return false;
  }
}

/** Texts of the files among the words that this text made, such as a patch. */
function madeBy({ machine }: Suspicion, args: readonly string[], cwd: string): string[] {
  if (machine.files.size === 0) return [];
  return args.flatMap((arg) => {
    const made = machine.files.get(resolvePath(cwd, literally(arg)));
    return made?.kind === "text" ? [made.text] : [];
  });
}

/** Reviewed programs that start nothing from the folder they are called in, though they are followed for other reasons. */
const RUNS_NOTHING: ReadonlySet<string> = new Set([
  ...Object.keys(WRAPPERS),
  ...setOf(`
    env genv xargs gxargs parallel find gfind fd fdfind busybox toybox ssh awk gawk mawk nawk sed gsed tar zip
    rsync sqlite3 sort split jq nc vim vi nvim view ed ex man bat rg ag ack dd sponge patch
  `),
]);
/** Ordinary with their words, but they run what a project's files say. */
const RUNS_PROJECT: ReadonlySet<string> = setOf(`
  npm npx yarn pnpm bun bunx cargo go mvn gradle dotnet terraform pip pip3 tmux screen systemctl
  crontab make gmake flatpak snap
`);
const LISTS =
  /^(?:list|ls|view|info|show|pack|outdated|audit|version|--version|-v|-V|config|pkg|root|prefix|help|--help)$/;

/** True where a command may run, or load, a file that was written before it. */
function mayRun(machine: Machine, command: FoundCommand, kind: Kind): boolean {
  const { words, cwd } = command;
  const [written = "", ...args] = words;
  const name = nameOf(command);
  if (written === "") return false;
  if (kind === "ssh" && /^(?:ssh|scp|sftp|rsync|git|mosh|autossh)$/.test(name)) return true;
  // What describes work for others is read by those only that are not known here.
  if (kind === "description" && isHandled(name)) return false;
  if (name === "git") return kind === "hook";
  if (name === "source" || name === ".") return !isMade(machine, cwd, args[0] ?? "");
  if (Object.hasOwn(SHELLS, name)) return shellMayRun(machine, command);
  if (RUNS_PROJECT.has(name)) return !LISTS.test(args[0] ?? "") && !args.includes("-n");
  if (Object.hasOwn(INTERPRETERS, name)) return !isMade(machine, cwd, args.find((arg) => !arg.startsWith("-")) ?? "");
  if (/[/]/.test(written) && !/^(?:\/usr)?\/s?bin\//.test(written)) return !isMade(machine, cwd, written);
  if (machine.files.has(resolvePath(cwd, written))) return false;
  if (isDataProgram(name) || RUNS_NOTHING.has(name) || READS_TEXT.has(name)) return false;
  return !machine.functions.has(written);
}

/** Followed already, so that what it does is known. */
function isMade(machine: Machine, cwd: string, word: string): boolean {
  const made = machine.files.get(resolvePath(cwd, literally(word)));
  return made?.kind === "text" && isKnown(made.text) && made.text !== "";
}

/** A script from disk, or the start files of a login or an interactive shell. */
function shellMayRun(machine: Machine, { words, cwd }: FoundCommand): boolean {
  const args = words.slice(1);
  const start = args.findIndex((arg) => !/^[-+]/.test(arg));
  const options = start === -1 ? args : args.slice(0, start);
  if (options.some((option) => /^-\w*[li]|^--login$/.test(option))) return true;
  if (options.some((option) => /^-\w*[cns]/.test(option)) || start === -1) return false;
  return !isMade(machine, cwd, args[start] ?? "");
}

/** A program's file that is read to be copied, by whatever way, with something run by its path after. */
function suspectCopies({ machine }: Suspicion): void {
  let hasCopy = false;
  for (const command of machine.commands) {
    const { words, redirects } = command;
    const [written = ""] = words;
    if (hasCopy && /\/|^\.$/.test(written) && !/^(?:\/usr)?\/s?bin\//.test(written)) {
      machine.opaque.add(`${literally(written)} may be a copy of an elevator`);
      return;
    }
    const isPath = (word: string): boolean =>
      /^(?:[a-z]+=)?\/\S{0,200}$/.test(word) && isElevatorWord(word.replace(/^[a-z]+=/, ""));
    const copies = COPIES.has(nameOf(command)) && words.slice(1).some(isPath);
    hasCopy ||= copies || redirects.some(({ op, target }) => /^<[>&]?$/.test(op) && isPath(target));
  }
}

const COPIES: ReadonlySet<string> = setOf(`
  cat dd cp install ln mv rsync tee tar cpio zip gzip base64 xxd head scp curl busybox objcopy pv split
  tail zstd xz python3 perl link openssl
`);
