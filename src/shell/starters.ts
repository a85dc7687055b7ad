import { runInline } from "./inline-code.ts";
import { runMultiplexer, runTmux } from "./multiplexers.ts";
import { type Call, type Handler, within } from "./machine.ts";
import { HOLE, isKnown, literally, ON_DISK } from "./marks.ts";
import { hasOption, type OptionSpec, readOptions, valuesOf } from "./options.ts";
import { resolvePath } from "./made-files.ts";
import { unescapeText } from "./printf.ts";
import { contentOf } from "./redirects.ts";
import { runCode, runShell } from "./shells.ts";
import { runWithAssignments } from "./wrappers.ts";

/** Programs that start others in ways of their own. */
export const STARTERS: Readonly<Record<string, Handler>> = {
  env: runEnv,
  genv: runEnv,
  xargs: runXargs,
  gxargs: runXargs,
  parallel: runParallel,
  find: runFind,
  gfind: runFind,
  fd: runFd,
  fdfind: runFd,
  ssh: runSsh,
  mosh: runSsh,
  autossh: runSsh,
  dropbear: runSsh,
  busybox: ({ machine, frame, args }) =>
    machine.runWords(
      args.filter((arg) => !/^--(?:list|help)/.test(arg)),
      within(frame, "busybox"),
    ),
  toybox: ({ machine, frame, args }) => machine.runWords(args, within(frame, "toybox")),
  at: runScheduled,
  batch: runScheduled,
  crontab: runCrontab,
  "start-stop-daemon": runDaemon,
  gdb: runDebugger,
  lldb: runDebugger,
  tmux: runTmux,
  screen: runMultiplexer,
  zellij: runMultiplexer,
  capsh: (call) => {
    const at = call.args.findIndex((arg) => arg === "--" || arg === "==");
    return at === -1 ? "" : runShell({ ...call, name: "bash", args: call.args.slice(at + 1) });
  },
  npm: runNpm,
  npx: runNpm,
  pnpm: runNpm,
  yarn: runNpm,
  bunx: runNpm,
  "nix-shell": runNixShell,
  nix: runNixShell,
  vagrant: runRemoteText,
  gcloud: runRemoteText,
  ansible: runRemoteText,
  bwrap: runAnywhere,
  firejail: runAnywhere,
  proot: runAnywhere,
  kitty: runAnywhere,
  foot: runAnywhere,
  wezterm: runAnywhere,
  tilix: runAnywhere,
  terminator: runAnywhere,
  guix: runAnywhere,
};

const ENV_OPTIONS: OptionSpec = { short: "uCSPa", long: ["unset", "chdir", "split-string", "argv0"] };

function runEnv(call: Call): string {
  const { machine, frame, args } = call;
  const inner = within(frame, "env", { bypassed: null });
  const { options, operands } = readOptions(args, ENV_OPTIONS);
  // `-S` splits its value into words that stand before the rest.
  const split = options.flatMap(({ name, value }) =>
    name === "-S" || name === "--split-string" ? splitLikeEnv(value ?? "") : [],
  );
  const words = [...split, ...operands];
  const isAgain = split.length > 0 && words[0]?.startsWith("-") === true;
  if (isAgain) return runEnv({ machine, frame: inner, name: "env", args: words });
  return runWithAssignments({ machine, frame: inner, name: "env", args: words });
}

/** Spaces split, quotes and backslashes protect, `\_` is a space. Source: coreutils, env invocation. */
function splitLikeEnv(text: string): string[] {
  const words: string[] = [];
  let current: string | null = null;
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\\" && quote !== "'") {
      at += 1;
      const next = text.charAt(at);
      if (next === "_" && quote === "") {
        if (current !== null) words.push(current);
        current = null;
      } else {
        current = (current ?? "") + ({ _: " ", n: "\n", t: "\t" }[next] ?? next);
      }
    } else if (quote !== "" ? char === quote : char === "'" || char === '"') {
      quote = quote === "" ? char : "";
      current ??= "";
    } else if (quote === "" && /\s/.test(char)) {
      if (current !== null) words.push(current);
      current = null;
    } else {
      current = (current ?? "") + char;
    }
  }
  return current === null ? words : [...words, current];
}

const XARGS_OPTIONS: OptionSpec = {
  short: "adEIJLnPRsS",
  long: ["arg-file", "delimiter", "replace", "max-lines", "max-args", "max-procs", "max-chars", "process-slot-var"],
};

/** What comes on stdin becomes words of the command, or stands where `-I` says. */
function runXargs({ machine, frame, args, name }: Call): string {
  const read = readOptions(args, XARGS_OPTIONS);
  const command = read.operands.length === 0 ? ["echo"] : read.operands;
  const inner = within(frame, name, { stdin: "", bypassed: null });
  const [file] = valuesOf(read, "-a", "--arg-file");
  const source = file === undefined ? frame.stdin : contentOf(machine, file, frame);
  const text = source === null || source === ON_DISK ? HOLE : source;
  const [mark] = valuesOf(read, "-d", "--delimiter");
  const separator = hasOption(read, "-0", "--null") ? "\0" : mark === undefined ? null : unescapeText(mark);
  const [given] = valuesOf(read, "-I", "-J", "--replace");
  const replace = given ?? (hasOption(read, "-i", "--replace") ? "{}" : null);
  const plain =
    separator === null || separator === ""
      ? splitLikeEnv
      : (all: string): string[] => all.split(separator).filter((each) => each !== "");
  if (replace === null)
    return machine.runWords([...command, ...(isKnown(text) ? plain(text) : wordsWithHoles(text))], inner);
  const items = isKnown(text)
    ? text
        .split(separator === null || separator === "" ? "\n" : separator)
        .filter((line) => line.trim() !== "")
        .slice(0, 8)
    : [HOLE];
  let printed = "";
  for (const item of items)
    printed += machine.runWords(
      command.map((word) => word.replaceAll(replace, item.trim())),
      inner,
    );
  return printed;
}

function wordsWithHoles(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return words.length === 0 ? [HOLE] : words.slice(0, 64);
}

/** Each job is a shell text: the template with an argument put in, or added. */
function runParallel({ machine, frame, args }: Call): string {
  const inner = within(frame, "parallel", { stdin: "" });
  const read = readOptions(args, {
    short: "jnNLaISdPsCE",
    long: [
      "jobs",
      "max-args",
      "arg-file",
      "delay",
      "joblog",
      "results",
      "retries",
      "sshlogin",
      "colsep",
      "timeout",
      "tmpdir",
    ],
  });
  const at = read.operands.findIndex((word) => /^:::\+?$/.test(word));
  const template = at === -1 ? read.operands : read.operands.slice(0, at);
  const listed =
    at === -1 ? (frame.stdin ?? HOLE).split("\n").filter((line) => line !== "") : read.operands.slice(at + 1);
  const text = template.join(" ");
  // With --pipe the input goes to the job, not into its words.
  if (hasOption(read, "--pipe", "--pipepart", "--spreadstdin") && text !== "")
    return machine.runText(text, within(frame, "parallel"));
  let printed = "";
  for (const item of listed.slice(0, 8)) {
    const word = isKnown(item) ? item : HOLE;
    const job =
      text === "" ? word : /\{[^ ]*\}/.test(text) ? text.replace(/\{[./#%\d]*\}/g, () => word) : `${text} ${word}`;
    printed +=
      text === "" && !isKnown(word)
        ? runCode({ machine, frame: inner, name: "parallel", args: [] }, word, "a job of parallel")
        : machine.runText(job, inner);
  }
  return printed;
}

const FIND_ACTIONS: ReadonlySet<string> = new Set(["-exec", "-execdir", "-ok", "-okdir"]);

/** `{}` is a path that only running finds, unless find starts at a file. */
function runFind({ machine, frame, args, name }: Call): string {
  const start = args.find((arg) => arg.startsWith("/") || arg.startsWith(".")) ?? HOLE;
  const named = args[args.findIndex((arg) => arg === "-name" || arg === "-iname" || arg === "-path") + 1];
  // `find /usr/bin -name sudo -exec {} id` runs what it found.
  const found =
    args.includes("-name") && named !== undefined && isKnown(named)
      ? placeOf(machine, frame, `${start}/${literally(named)}`)
      : HOLE;
  for (let at = 0; at < args.length; at += 1) {
    if (!FIND_ACTIONS.has(args[at] ?? "")) continue;
    const rest = args.slice(at + 1);
    const end = rest.findIndex((word, index) => word === ";" || (word === "+" && rest[index - 1] === "{}"));
    const command = rest.slice(0, end === -1 ? undefined : end);
    const first = command[0]?.includes("{}") === true ? found : HOLE;
    machine.runWords(
      command.map((word, index) => word.replaceAll("{}", index === 0 ? first : HOLE)),
      within(frame, `${name} ${args[at] ?? ""}`),
    );
    at += command.length;
  }
  return HOLE;
}

/** It looks in folders below as well, so a name may be that of a program in any of them. */
function placeOf(machine: Call["machine"], frame: Call["frame"], path: string): string {
  if (machine.files.has(resolvePath(frame.scope.cwd, path))) return path;
  return `/usr/bin/${path.slice(path.lastIndexOf("/") + 1)}`;
}

function runFd({ machine, frame, args, name }: Call): string {
  const at = args.findIndex((arg) => ["-x", "-X", "--exec", "--exec-batch"].includes(arg));
  if (at === -1) return HOLE;
  return machine.runWords(
    args.slice(at + 1).map((word) => word.replace(/\{[./]*\}/g, HOLE)),
    within(frame, `${name} ${args[at] ?? ""}`),
  );
}

const SSH_OPTIONS: OptionSpec = { short: "bcDEeFIiJLlmOopQRSWw" };
/** Options of ssh whose value runs on this machine. */
const LOCAL_SSH =
  /^(?:ProxyCommand|LocalCommand|KnownHostsCommand|ProxyUseFdpass|XAuthLocation|PKCS11Provider|Match\s+exec)\s*[= ]\s*(.*)$/is;

/**
 * The command on the other side counts as if it were here: the other side may be this machine, and root there
 * is gained with this agent's keys, which no human agreed to either.
 */
function runSsh({ machine, frame, args, name }: Call): string {
  const inner = within(frame, name, { bypassed: null });
  const first = readOptions(args, SSH_OPTIONS);
  const [, ...afterHost] = first.operands;
  // Options may also follow the host.
  const second = readOptions(afterHost, SSH_OPTIONS);
  for (const value of [...valuesOf(first, "-o"), ...valuesOf(second, "-o")]) {
    const local = LOCAL_SSH.exec(value);
    if (local !== null) machine.runText(local[1] ?? "", within(frame, `${name} -o`));
  }
  for (const file of [...valuesOf(first, "-F"), ...valuesOf(second, "-F")])
    for (const line of contentOf(machine, file, frame).split("\n")) {
      const local = LOCAL_SSH.exec(line.trim());
      if (local !== null) machine.runText(local[1] ?? "", within(frame, `${name} -F`));
    }
  const words = second.operands;
  if (words.length > 0)
    return runCode({ machine, frame: inner, name, args: [] }, words.join(" "), "the command for ssh");
  // Without a command the remote shell reads its input.
  return first.operands.length > 0 && frame.stdin !== null
    ? runCode({ machine, frame: inner, name, args: [] }, frame.stdin, "what ssh passes on", { isFile: true })
    : HOLE;
}

/** at and batch give their input to sh. */
function runScheduled(call: Call): string {
  const { machine, frame, name, args } = call;
  const read = readOptions(args, { short: "fqtc", isPermuted: true });
  if (hasOption(read, "-l", "-d", "-r", "-c", "-V")) return HOLE;
  const [file] = valuesOf(read, "-f");
  const text = file === undefined ? frame.stdin : contentOf(machine, file, frame);
  if (text !== null)
    runCode({ ...call, frame: within(frame, name, { stdin: "" }) }, text, `what ${name} is given`, { isFile: true });
  return HOLE;
}

/** Lines of five time fields, or one beginning with @, and a command; variables are set by lines of their own. */
function runCrontab(call: Call): string {
  const { machine, frame, name, args } = call;
  const read = readOptions(args, { short: "u", isPermuted: true });
  if (hasOption(read, "-l", "-r", "-e", "-i")) return HOLE;
  const [file = "-"] = read.operands;
  const text = file === "-" ? (frame.stdin ?? "") : contentOf(machine, file, frame);
  for (const line of text.replaceAll(HOLE, `${HOLE}\n`).split("\n")) {
    const job = /^\s*(?:@\w+|(?:\S+\s+){5})\s*(.+)$/.exec(line);
    if (job !== null && !line.trimStart().startsWith("#"))
      machine.runText((job[1] ?? "").replace(/(?<!\\)%.*$/s, ""), within(frame, name, { stdin: "" }));
  }
  return "";
}

function runDaemon({ machine, frame, name, args }: Call): string {
  const at = args.indexOf("--");
  const read = readOptions(at === -1 ? args : args.slice(0, at), {
    short: "xapnugkcNPIRK",
    long: ["exec", "startas", "pidfile", "name", "user", "group", "chuid", "chdir", "retry", "signal", "nicelevel"],
    plain: ["start"],
    isPermuted: true,
  });
  const [program] = [...valuesOf(read, "-a", "--startas"), ...valuesOf(read, "-x", "--exec")];
  const isStopping = hasOption(read, "-K", "--stop", "-T", "--status");
  if (program === undefined || isStopping) return "";
  return machine.runWords([program, ...(at === -1 ? [] : args.slice(at + 1))], within(frame, name));
}

/** A debugger runs its commands (`!` and `shell` give them to a shell) and, told to run, its program. */
function runDebugger(call: Call): string {
  const { machine, frame, name, args } = call;
  const inner = within(frame, name);
  const isCommand = (word: string): boolean =>
    /^--?(?:ex|iex|eval-command|init-eval-command|o|one-line|O|one-line-before-file)$/.test(word);
  const commands = args.flatMap((arg, at) =>
    isCommand(args[at - 1] ?? "") ? [arg] : [(/^--?(?:ex|iex|eval-command|one-line)=(.*)$/s.exec(arg) ?? [])[1] ?? ""],
  );
  const files = args.flatMap((arg, at) =>
    /^--?(?:x|command|s|source)$/.test(args[at - 1] ?? "") ? [contentOf(machine, arg, frame)] : [],
  );
  for (const line of [...commands, ...files, frame.stdin ?? ""].join("\n").split("\n"))
    followDebuggerCommand(call, line);
  const start = args.findIndex((arg) => arg === "--args" || arg === "--");
  if (start !== -1) machine.runWords(args.slice(start + 1), inner);
  const operand = args.find((arg, at) => !arg.startsWith("-") && !isCommand(args[at - 1] ?? ""));
  const runs = [...commands].some((command) => /^\s*(?:r|run|start|starti|process launch)\b/.test(command));
  if (start === -1 && operand !== undefined && runs) machine.runWords([operand], inner);
  return HOLE;
}

function followDebuggerCommand({ machine, frame, name }: Call, line: string): void {
  const shell = /^\s*(?:!|shell\b|pipe\b[^|]*\||\|[^|]*\||platform shell\b|make\b)\s*(.+)$/.exec(line);
  if (shell !== null) machine.runText(shell[1] ?? "", within(frame, `${name} !`));
  // The program under it is made to call what starts another.
  if (/\b(?:system|popen|exec[lv]p?e?)\s*\(/.test(line)) runInline({ machine, frame, name, args: [] }, "general", line);
  const python = /^\s*(?:python|py|script|pi)\s+(.+)$/.exec(line);
  if (python !== null) machine.runWords(["python3", "-c", python[1] ?? ""], within(frame, name));
}

/** `npm exec -c text`, `npx -c text`, `npm exec -- program args`. */
function runNpm(call: Call): string {
  const { machine, frame, name, args } = call;
  const read = readOptions(args, {
    short: "cpwC",
    long: ["call", "package", "workspace", "prefix", "script-shell", "dir"],
    isPermuted: true,
  });
  const codes = valuesOf(read, "-c", "--call");
  for (const code of codes) machine.runText(code, within(frame, `${name} -c`));
  const rest = name.endsWith("x") ? args : args.slice(args.findIndex((arg) => ["exec", "x", "dlx"].includes(arg)) + 1);
  if (codes.length > 0 || (rest === args && !name.endsWith("x"))) return HOLE;
  const { operands } = readOptions(rest, { short: "p", long: ["package"] });
  return operands.length > 0 ? machine.runWords(operands, within(frame, name)) : HOLE;
}

function runNixShell({ machine, frame, name, args }: Call): string {
  for (const [at, arg] of args.entries()) {
    if (arg === "--run") machine.runText(args[at + 1] ?? "", within(frame, name));
    if (arg === "--command" || arg === "-c") {
      if (name === "nix") machine.runWords(args.slice(at + 1), within(frame, name));
      else machine.runText(args[at + 1] ?? "", within(frame, name));
    }
  }
  return HOLE;
}

/** Tools that carry a shell text to hosts of theirs, this one among them. */
function runRemoteText({ machine, frame, name, args }: Call): string {
  const read = readOptions(args, { short: "cam", long: ["command", "args", "module-name"], isPermuted: true });
  const isShell =
    name !== "ansible" ||
    valuesOf(read, "-m", "--module-name").some((module) => /^(?:shell|command|raw|script)$/.test(module)) ||
    !hasOption(read, "-m", "--module-name");
  for (const code of isShell ? valuesOf(read, "-c", "--command", "-a", "--args") : [])
    machine.runText(code, within(frame, name));
  return HOLE;
}

/** The command begins somewhere after options that are many and change: the first word that names a program followed here. */
function runAnywhere({ machine, frame, name, args }: Call): string {
  const dashes = args.indexOf("--");
  const start =
    dashes !== -1
      ? dashes + 1
      : args.findIndex((arg, at) => !arg.startsWith("-") && !(args[at - 1] ?? "").startsWith("-"));
  const inner = within(frame, name);
  if (dashes === -1) {
    const named = args.findIndex((arg) => /^(?:\S*\/)?(?:sudo|su|doas|pkexec|run0|env|sh|bash|dash|zsh)$/.test(arg));
    if (named !== -1) return machine.runWords(args.slice(named), inner);
  }
  return start === -1 ? HOLE : machine.runWords(args.slice(start), inner);
}
