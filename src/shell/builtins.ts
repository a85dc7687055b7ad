import { putInEnvironment } from "./environment-table.ts";
import { type Call, type Handler, within } from "./machine.ts";
import { HOLE, isKnown, literally, ON_DISK } from "./marks.ts";
import { resolvePath } from "./made-files.ts";
import { formatPrintf } from "./printf.ts";
import { readOptions, valuesOf } from "./options.ts";
import { contentOf } from "./redirects.ts";
import { assign, assignAny, findVariable } from "./scope.ts";
import { runCode } from "./shells.ts";

/** What the shell does itself: most of it changes what the rest of the text means. */
export const BUILTINS: Readonly<Record<string, Handler>> = {
  eval: (call) =>
    runCode(call, (call.args[0] === "--" ? call.args.slice(1) : call.args).join(" "), "the text given to eval"),
  source: runSource,
  ".": runSource,
  exec: runExec,
  command: runCommandBuiltin,
  builtin: ({ machine, frame, args }) => machine.runWords(args, within(frame, "builtin")),
  noglob: ({ machine, frame, args }) => machine.runWords(args, within(frame, "noglob")),
  nocorrect: ({ machine, frame, args }) => machine.runWords(args, within(frame, "nocorrect")),
  "-": ({ machine, frame, args }) => machine.runWords(args, within(frame, "-")),
  cd: changeFolder,
  pushd: changeFolder,
  set: setPositional,
  shift: ({ frame: { scope }, args }) => {
    const [count] = args;
    const by = count === undefined ? 1 : Number(count);
    if (Number.isInteger(by) && by >= 0)
      scope.positional = [scope.positional[0] ?? "bash", ...scope.positional.slice(1 + by)];
    return "";
  },
  export: declare,
  declare,
  typeset: declare,
  local: declare,
  readonly: declare,
  unset: ({ machine, frame, args }) => {
    for (const name of args) {
      evaluateSubscript({ machine, frame, name: "unset", args }, name);
      if (frame.scope.conditions > 0 || name.startsWith("-")) continue;
      if (args[0] !== "-f") frame.scope.variables.set(name, { values: [[""]], isExported: false, refersTo: null });
      if (args[0] !== "-v") frame.scope.functions.delete(name);
    }
    return "";
  },
  read: readVariables,
  mapfile: readLines,
  readarray: readLines,
  let: (call) => {
    for (const expression of call.args) call.machine.runText(`(( ${expression} ))`, within(call.frame, "let"));
    return "";
  },
  test: testBuiltin,
  "[": testBuiltin,
  alias: ({ frame: { scope }, args }) => {
    for (const arg of args) {
      const equals = arg.indexOf("=");
      if (equals > 0) scope.aliases.set(arg.slice(0, equals), literally(arg.slice(equals + 1)));
    }
    return "";
  },
  unalias: ({ frame: { scope }, args }) => {
    for (const arg of args) scope.aliases.delete(arg);
    if (args[0] === "-a") scope.aliases.clear();
    return "";
  },
  hash: ({ frame: { scope }, args }) => {
    const { options, operands } = readOptions(args, { short: "p" });
    const path = options.find(({ name }) => name === "-p")?.value ?? null;
    for (const name of operands) if (path !== null) scope.hashed.set(name, path);
    return "";
  },
  // The signal may never come, but EXIT and DEBUG always do.
  trap: (call) => {
    const { operands } = readOptions(call.args, {});
    const [code, ...signals] = operands;
    if (code === undefined || signals.length === 0 || /^(?:-|\d*)$/.test(code)) return "";
    call.machine.runText(code, within(call.frame, "trap"));
    return "";
  },
  // Runs its command for every completion, and `complete -C` only at a prompt; `compgen -C` at once.
  compgen: (call) => {
    const read = readOptions(call.args, { short: "ACDFGOPSWX", long: [] });
    for (const code of valuesOf(read, "-C", "-W")) call.machine.runText(code, within(call.frame, "compgen"));
    return HOLE;
  },
  printf: (call) => {
    const { args, frame } = call;
    if (args[0] !== "-v") return formatPrintf(args[0] === "--" ? args.slice(1) : args);
    const [, name = "", ...rest] = args;
    evaluateSubscript(call, name);
    assignNamed(frame.scope, name, formatPrintf(rest));
    return "";
  },
  type: whichProgram,
  coproc: ({ machine, frame, args }) => machine.runWords(args, within(frame, "coproc", { stdin: HOLE })),
  getopts: ({ frame: { scope }, args }) => {
    assign(scope, args[1] ?? "OPT", [HOLE]);
    assign(scope, "OPTARG", [HOLE]);
    return "";
  },
  ":": () => "",
  true: () => "",
  false: () => "",
  return: () => "",
  exit: () => "",
  break: () => "",
  continue: () => "",
  wait: () => "",
  shopt: () => "",
  umask: () => "",
  popd: () => "",
  bind: (call) => {
    const read = readOptions(call.args, { short: "fqrux" });
    for (const binding of valuesOf(read, "-x"))
      call.machine.runText(binding.replace(/^[^:]*:/, ""), within(call.frame, "bind"));
    return "";
  },
};

export function whichProgram({ args }: Pick<Call, "args">): string {
  const names = args.filter((arg) => !arg.startsWith("-"));
  return names.map((name) => (name.includes("/") || !isKnown(name) ? `${name}\n` : `/usr/bin/${name}\n`)).join("");
}

function runCommandBuiltin({ machine, frame, args }: Call): string {
  const { options, operands } = readOptions(args, {});
  if (options.some(({ name }) => name === "-v" || name === "-V")) return whichProgram({ args: operands });
  return machine.runWords(operands, within(frame, "command", { bypassed: operands[0] ?? null }));
}

function runExec({ machine, frame, args }: Call): string {
  const { operands } = readOptions(args, { short: "a" });
  return operands.length === 0 ? "" : machine.runWords(operands, within(frame, "exec"));
}

function runSource(call: Call): string {
  const { machine, frame, name } = call;
  const [file, ...rest] = call.args[0] === "--" ? call.args.slice(1) : call.args;
  if (file === undefined) return "";
  const content = contentOf(machine, file, frame);
  if (content === ON_DISK || content === "") return "";
  const before = frame.scope.positional;
  if (rest.length > 0) frame.scope.positional = ["bash", ...rest];
  const printed = runCode({ ...call, name }, content, "the text that is sourced");
  frame.scope.positional = before;
  return printed;
}

function changeFolder({ frame: { scope }, args }: Call): string {
  const folder = args.find((arg) => arg === "-" || !arg.startsWith("-"));
  if (folder === undefined) scope.cwd = findVariable(scope, "HOME")?.values[0]?.[0] ?? HOLE;
  else scope.cwd = folder === "-" ? HOLE : resolvePath(scope.cwd, literally(folder));
  return "";
}

function setPositional({ machine, frame, args }: Call): string {
  const { scope } = frame;
  // With a trace, PS4 is expanded before each command.
  const trace = args.some((arg) => /^-\w*x|^xtrace$/.test(arg))
    ? (findVariable(scope, "PS4")?.values[0]?.[0] ?? "")
    : "";
  if (/\$\(|`/.test(trace)) machine.runText(`: "${trace}"`, within(frame, "PS4"));
  const dashes = args.indexOf("--");
  const isOption = (arg: string): boolean => /^[-+]/.test(arg);
  if (dashes !== -1 && args.slice(0, dashes).every(isOption)) scope.positional = ["bash", ...args.slice(dashes + 1)];
  else if (args.length > 0 && !isOption(args[0] ?? "")) scope.positional = ["bash", ...args];
  return "";
}

/** The values are assigned already, as the words were read; this is about the options. */
function declare(call: Call): string {
  const { frame, name, args } = call;
  const { scope } = frame;
  const flags = args.filter((arg) => /^[-+][A-Za-z]+$/.test(arg)).join("");
  for (const arg of args) {
    if (/^[-+]/.test(arg)) continue;
    const equals = arg.indexOf("=");
    const target = equals === -1 ? arg : arg.slice(0, equals);
    evaluateSubscript(call, target);
    // `export "$x"`, whose word was no assignment as written.
    if (equals !== -1 && findVariable(scope, target) === undefined)
      assignNamed(scope, target, literally(arg.slice(equals + 1)));
    const value = findVariable(scope, target)?.values[0]?.[0];
    if (flags.includes("n") && name !== "export" && value !== undefined && /^[A-Za-z_]\w*$/.test(value)) {
      scope.variables.set(target, { values: [[value]], isExported: false, refersTo: value });
    }
    // An integer variable evaluates what it is given.
    if (value !== undefined && flags.includes("i")) evaluateSubscript(call, value);
    if (value !== undefined && flags.includes("u")) assign(scope, target, [value.toUpperCase()]);
    if (value !== undefined && flags.includes("l")) assign(scope, target, [value.toLowerCase()]);
    if (name === "export" || flags.includes("x")) putInEnvironment(call.machine, scope, target);
  }
  return "";
}

function readVariables(call: Call): string {
  const { frame, args } = call;
  const read = readOptions(args, { short: "adinNptu" });
  const names = read.operands.length > 0 ? read.operands : ["REPLY"];
  const { stdin, scope } = frame;
  for (const name of [...names, ...valuesOf(read, "-a")]) evaluateSubscript(call, name);
  const lines = stdin === null || !isKnown(stdin) ? null : stdin.replace(/\n$/, "").split("\n").slice(0, 64);
  const [list] = valuesOf(read, "-a");
  if (list !== undefined) {
    assign(scope, list, lines?.[0] === undefined ? [HOLE] : fieldsOf(scope, lines[0]));
    return "";
  }
  for (const [at, name] of names.entries()) {
    if (lines === null) assign(scope, name, [HOLE]);
    else
      assignAny(
        scope,
        name,
        lines.map((line) => fieldOf(fieldsOf(scope, line), at, names.length)),
      );
  }
  return "";
}

/** Split as IFS says; without it a line is one field. */
function fieldsOf(scope: Call["frame"]["scope"], line: string): string[] {
  const ifs = findVariable(scope, "IFS")?.values[0]?.[0] ?? " \t\n";
  if (ifs === "" || !isKnown(ifs)) return [line];
  const fields: string[] = [""];
  for (const char of line.trim()) {
    if (!ifs.includes(char)) fields[fields.length - 1] += char;
    else if (fields.at(-1) !== "") fields.push("");
  }
  return fields;
}

/** The last variable takes the rest of the line. */
function fieldOf(fields: readonly string[], at: number, count: number): string {
  return at === count - 1 ? fields.slice(at).join(" ") : (fields[at] ?? "");
}

function readLines(call: Call): string {
  const { machine, frame, args } = call;
  const read = readOptions(args, { short: "dnOsuCc" });
  for (const code of valuesOf(read, "-C")) machine.runText(`${code} 0 line`, within(frame, call.name));
  const [name = "MAPFILE"] = read.operands;
  evaluateSubscript(call, name);
  const { stdin } = frame;
  assign(frame.scope, name, stdin === null || !isKnown(stdin) ? [HOLE] : stdin.replace(/\n$/, "").split("\n"));
  return "";
}

function testBuiltin(call: Call): string {
  const { args } = call;
  for (const [at, arg] of args.entries()) {
    if (arg === "-v" || arg === "-R") evaluateSubscript(call, args[at + 1] ?? "");
  }
  return "";
}

/** Where a builtin takes the name of a variable, it evaluates the subscript in it. */
function evaluateSubscript({ machine, frame, name }: Call, target: string): void {
  if (target.includes("[") && /\$\(|`/.test(target)) machine.runText(`(( ${target} ))`, within(frame, name));
}

function assignNamed(scope: Call["frame"]["scope"], target: string, value: string): void {
  const subscript = /^([A-Za-z_]\w*)\[(\d{1,3})\]$/.exec(target);
  if (subscript === null) {
    assign(scope, target, [value]);
    return;
  }
  const [, name = "", key = "0"] = subscript;
  const list = [...(findVariable(scope, name)?.values[0] ?? [])];
  while (list.length < Number(key)) list.push("");
  list[Number(key)] = value;
  assign(scope, name, list);
}
