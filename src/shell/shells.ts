import { type Call, type Handler, within } from "./machine.ts";
import { EMITTED, HOLE, isKnown, ON_DISK } from "./marks.ts";
import { contentOf } from "./redirects.ts";
import { exportedValue, subshell } from "./scope.ts";

/** Shells by name. Other dialects are read as bash; what cannot be read so is opaque. */
export const SHELLS: Readonly<Record<string, Handler>> = Object.fromEntries(
  [
    "sh",
    "bash",
    "rbash",
    "dash",
    "ash",
    "ksh",
    "ksh93",
    "mksh",
    "lksh",
    "oksh",
    "pdksh",
    "zsh",
    "yash",
    "fish",
    "csh",
    "tcsh",
    "posh",
    "hush",
    "rksh",
    "rzsh",
    "rsh-shell",
    "xonsh",
    "elvish",
    "nu",
    "osh",
    "brush",
  ].map((name) => [name, runShell]),
);

interface ShellWords {
  readonly isCode: boolean;
  readonly isInteractive: boolean;
  readonly isTraced: boolean;
  readonly readsStdin: boolean;
  readonly startFiles: readonly string[];
  readonly operands: readonly string[];
}

/** `sh -c code name args`, `sh script args`, or whatever comes on stdin. */
export function runShell(call: Call): string {
  const { machine, frame, name } = call;
  const words = readShellWords(call.args);
  const scope = subshell(frame.scope);
  const inner = within(frame, words.isCode ? `${name} -c` : name, { scope, bypassed: null });
  const started: Call = { machine, frame: inner, name, args: [] };
  for (const file of words.startFiles)
    runCode(started, contentOf(machine, file, frame), "a start file", { isFile: true });
  if (words.isInteractive) expandPrompts(started, ["PS0", "PS1", "PS2"]);
  if (words.isTraced) expandPrompts(started, ["PS4"]);
  const [first, ...rest] = words.operands;
  if (words.isCode) {
    scope.positional = rest.length > 0 ? rest : [name];
    return first === undefined ? "" : runCode(started, first, `the text after ${name} -c`);
  }
  if (first !== undefined && first !== "-" && !words.readsStdin) {
    scope.positional = [first, ...rest];
    return runCode(started, contentOf(machine, first, frame), "the script", { isFile: true });
  }
  scope.positional = [name, ...words.operands];
  if (frame.stdin === null) return "";
  // Commands that come from a pipe: the rest of it is their input, which is not followed.
  return runCode({ ...started, frame: { ...inner, stdin: HOLE } }, frame.stdin, `what ${name} reads from its input`, {
    isFile: true,
  });
}

/** A prompt is expanded each time it is shown. */
function expandPrompts({ machine, frame }: Call, names: readonly string[]): void {
  for (const name of names) {
    const prompt = exportedValue(frame.scope, name) ?? "";
    if (/\$\(|`/.test(prompt)) machine.runText(`: "${prompt}"`, within(frame, name));
  }
}

/**
 * Runs text as the shell would. A text that is not known at all is opaque; so is one whose commands are not,
 * which comes out as it is walked. A whole file on disk is not the text's doing.
 */
export function runCode(
  { machine, frame, name }: Call,
  code: string,
  what: string,
  { isFile = false }: { readonly isFile?: boolean } = {},
): string {
  const bare = code.trim();
  if (bare === "" || bare === EMITTED) return "";
  if (bare === ON_DISK && isFile) return HOLE;
  if (!isKnown(bare) && bare.replace(/[\ufdd0-\ufdd2\s]/g, "") === "") {
    machine.opaque.add(`${what} is known only when it runs`);
    return HOLE;
  }
  return machine.runText(code, frame.via.at(-1)?.startsWith(name) === true ? frame : within(frame, name));
}

const LONG_WITH_VALUE: ReadonlySet<string> = new Set(["--rcfile", "--init-file", "--init-command", "-C"]);

function readShellWords(args: readonly string[]): ShellWords {
  let [isCode, isInteractive, readsStdin, isTraced] = [false, false, false, false];
  const startFiles: string[] = [];
  let at = 0;
  for (; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (word === "--" || word === "-") {
      at += 1;
      break;
    }
    if (!/^[-+]./.test(word)) break;
    if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const option = equals === -1 ? word : word.slice(0, equals);
      if (option === "--command" || option === "--commands") {
        // fish and nu spell it out.
        return {
          isCode: true,
          isInteractive,
          isTraced,
          readsStdin,
          startFiles,
          operands: equals === -1 ? args.slice(at + 1) : [word.slice(equals + 1)],
        };
      }
      if (!LONG_WITH_VALUE.has(option)) continue;
      startFiles.push(equals === -1 ? (args[at + 1] ?? "") : word.slice(equals + 1));
      if (equals === -1) at += 1;
      continue;
    }
    isCode ||= word.startsWith("-") && word.includes("c");
    isInteractive ||= word.startsWith("-") && word.includes("i");
    isTraced ||= word.startsWith("-") && word.includes("x");
    readsStdin ||= word.startsWith("-") && word.includes("s");
    if (/[oO]$/.test(word)) at += 1;
  }
  return { isCode, isInteractive, isTraced, readsStdin, startFiles, operands: args.slice(at) };
}
