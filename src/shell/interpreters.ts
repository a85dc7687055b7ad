import { runInline } from "./inline-code.ts";
import { type Call, type Handler, within } from "./machine.ts";
import { HOLE, ON_DISK } from "./marks.ts";
import { hasOption, type OptionSpec, readOptions, valuesOf } from "./options.ts";
import { contentOf } from "./redirects.ts";
import { runCode } from "./shells.ts";

/** How an interpreter is given code. */
interface Interpreter {
  readonly language: string;
  readonly options: OptionSpec;
  /** Options whose value is code. */
  readonly code: readonly string[];
  /** Options after which no code is read from a file or from stdin, such as `-m`. */
  readonly instead?: readonly string[];
  /** The first operand is a sub-command; code follows these. */
  readonly verbs?: readonly string[];
  /** Without a script, stdin is the program. */
  readonly readsStdin: boolean;
}

const PYTHON: Interpreter = {
  language: "python",
  options: { short: "cmWXQ" },
  code: ["-c"],
  instead: ["-m", "-V", "--version", "-h"],
  readsStdin: true,
};
const NODE: Interpreter = {
  language: "node",
  options: {
    short: "epCrD",
    long: ["eval", "print", "require", "import", "loader", "input-type", "conditions", "env-file"],
  },
  code: ["-e", "-p", "--eval", "--print"],
  instead: ["-v", "--version", "-h", "--help", "--test", "--run"],
  readsStdin: true,
};
const PERL: Interpreter = {
  language: "perl",
  options: { short: "eEIMmxCF" },
  code: ["-e", "-E"],
  instead: ["-v", "-V"],
  readsStdin: true,
};
const RUBY: Interpreter = {
  language: "ruby",
  options: { short: "eICEFrx" },
  code: ["-e"],
  instead: ["-v", "--version"],
  readsStdin: true,
};
const PHP: Interpreter = {
  language: "php",
  options: { short: "rBRFEcdfStz", long: ["run", "process-begin", "process-code", "process-end"] },
  code: ["-r", "-B", "-R", "-E", "--run", "--process-code"],
  instead: ["-v", "-i", "-m", "-l", "-S"],
  readsStdin: true,
};
const LUA: Interpreter = { language: "lua", options: { short: "el" }, code: ["-e"], instead: ["-v"], readsStdin: true };

const general = (short: string, code: readonly string[], more: Partial<Interpreter> = {}): Interpreter => ({
  language: "general",
  options: { short, long: code.filter((name) => name.startsWith("--")).map((name) => name.slice(2)) },
  code,
  readsStdin: true,
  ...more,
});

const TABLE: Readonly<Record<string, Interpreter>> = {
  python: PYTHON,
  python2: PYTHON,
  python3: PYTHON,
  pypy: PYTHON,
  pypy3: PYTHON,
  ipython: PYTHON,
  ipython3: PYTHON,
  node: NODE,
  nodejs: NODE,
  bun: { ...NODE, verbs: ["run", "x", "install", "test", "add", "build"], readsStdin: false },
  tsx: { ...NODE, readsStdin: false },
  "ts-node": NODE,
  deno: { ...NODE, verbs: ["eval"], readsStdin: false },
  perl: PERL,
  perl5: PERL,
  ruby: RUBY,
  jruby: RUBY,
  irb: RUBY,
  php: PHP,
  lua: LUA,
  luajit: LUA,
  texlua: LUA,
  Rscript: { language: "r", options: { short: "e" }, code: ["-e"], readsStdin: true },
  R: { language: "r", options: { short: "ef" }, code: ["-e"], readsStdin: true },
  littler: { language: "r", options: { short: "e" }, code: ["-e"], readsStdin: true },
  julia: {
    language: "julia",
    options: { short: "eEL", long: ["eval", "print"] },
    code: ["-e", "-E", "--eval", "--print"],
    readsStdin: true,
  },
  octave: general("", ["--eval"]),
  "octave-cli": general("", ["--eval"]),
  gnuplot: general("ep", ["-e"]),
  m4: general("DIUe", []),
  emacs: {
    language: "lisp",
    options: { short: "lf", long: ["eval", "execute", "load", "funcall"], hasSingleDash: true, isPermuted: true },
    code: ["--eval", "-eval", "--execute", "-execute"],
    readsStdin: false,
  },
  emacsclient: {
    language: "lisp",
    options: { short: "es", long: ["eval"], isPermuted: true },
    code: ["-e", "--eval"],
    readsStdin: false,
  },
  guile: { language: "lisp", options: { short: "cels" }, code: ["-c"], readsStdin: true },
  racket: { language: "lisp", options: { short: "eftlr" }, code: ["-e"], readsStdin: true },
  sbcl: { language: "lisp", options: { long: ["eval", "load"] }, code: ["--eval"], readsStdin: true },
  clisp: { language: "lisp", options: { short: "xi" }, code: ["-x"], readsStdin: true },
  csi: { language: "lisp", options: { short: "ep" }, code: ["-e", "-p"], readsStdin: true },
  clojure: { language: "lisp", options: { short: "eMXA" }, code: ["-e"], readsStdin: true },
  clj: { language: "lisp", options: { short: "eMXA" }, code: ["-e"], readsStdin: true },
  bb: { language: "lisp", options: { short: "efo" }, code: ["-e"], readsStdin: false },
  elixir: general("erS", ["-e", "--eval"]),
  iex: general("e", ["-e", "--eval"]),
  erl: {
    ...general("", ["-eval"]),
    options: { long: ["eval", "s", "run", "pa", "name", "sname"], hasSingleDash: true, isPermuted: true },
    readsStdin: false,
  },
  groovy: { language: "groovy", options: { short: "ecD" }, code: ["-e"], readsStdin: false },
  scala: { language: "groovy", options: { short: "e" }, code: ["-e"], readsStdin: true },
  "scala-cli": { language: "groovy", options: { short: "e" }, code: ["-e"], readsStdin: true },
  jshell: general("", [], {}),
  kotlin: general("e", ["-e"], { readsStdin: false }),
  ghc: general("e", ["-e"], { readsStdin: false }),
  ghci: general("e", ["-e"]),
  runghc: general("", []),
  ocaml: general("e", ["-e"]),
  crystal: general("", [], { verbs: ["eval"] }),
  swift: general("e", ["-e"]),
  osascript: general("el", ["-e"]),
  nim: general("", ["--eval"], { readsStdin: false }),
  qjs: general("e", ["-e", "--eval"]),
  d8: general("e", ["-e"]),
  jjs: general("", []),
  jrunscript: general("efl", ["-e"]),
  pwsh: {
    language: "general",
    options: { long: ["Command", "c", "EncodedCommand", "File"], hasSingleDash: true },
    code: [],
    readsStdin: false,
  },
  tcc: general("", [], { readsStdin: false }),
};

export const INTERPRETERS: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(
    Object.entries(TABLE).map(([name, spec]): [string, Handler] => [name, (call) => runInterpreter(call, spec)]),
  ),
  pwsh: runPowerShell,
  tclsh: runTcl,
  wish: runTcl,
  jimsh: runTcl,
  expect: runTcl,
  expectk: runTcl,
  gcc: compile,
  cc: compile,
  "g++": compile,
  clang: compile,
  tcc: compile,
  go: (call) => (call.args[0] === "run" ? compile({ ...call, args: call.args.slice(1) }) : HOLE),
};

function runInterpreter(call: Call, spec: Interpreter): string {
  const { frame, name, args } = call;
  const verb = spec.verbs?.includes(args[0] ?? "") === true ? args[0] : undefined;
  const read = readOptions(verb === undefined ? args : args.slice(1), spec.options);
  const codes = valuesOf(read, ...spec.code);
  if (verb === "eval" && read.operands[0] !== undefined) codes.push(read.operands[0]);
  // Perl and others join several -e by newlines.
  if (codes.length > 0) {
    runInline(call, spec.language, codes.join("\n"), `the code after ${name} ${spec.code[0] ?? ""}`);
    return HOLE;
  }
  if (spec.language === "python" && hasOption(read, "-m")) {
    runModule(call, args.slice(args.findIndex((arg) => /^-\w*m/.test(arg)) + 1));
    return HOLE;
  }
  if (spec.instead !== undefined && hasOption(read, ...spec.instead)) return HOLE;
  const [script] = read.operands;
  if (script !== undefined && script !== "-") {
    if (verb === undefined) runFile(call, spec.language, script);
    return HOLE;
  }
  if (spec.readsStdin && frame.stdin !== null && frame.stdin !== ON_DISK) {
    runInline(
      { ...call, frame: within(frame, name, { stdin: HOLE }) },
      spec.language,
      frame.stdin,
      `what ${name} reads from its input`,
    );
  }
  return HOLE;
}

/** Modules that run code: as a word (timeit), from a file (cProfile, trace, pdb), or from the input (code). */
function runModule(call: Call, words: readonly string[]): void {
  const { machine, frame } = call;
  const isTimed = words.some((word) => word.endsWith("timeit"));
  for (const word of words) {
    const made = contentOf(machine, word.replace(/^--?[\w-]+=/, ""), frame);
    if (made !== ON_DISK && made !== HOLE) runInline(call, "python", made, "the script");
    else if (isTimed && !word.startsWith("--")) runInline(call, "python", word.replace(/^-s/, ""));
  }
  if (words.some((word) => /^m?(?:code|pdb|asyncio|IPython|idlelib)$/.test(word)) && frame.stdin !== null)
    runInline(call, "python", frame.stdin, "what python3 reads from its input");
}

/** A script that the text itself wrote; one on disk is not read. */
function runFile(call: Call, language: string, script: string): void {
  const content = contentOf(call.machine, script, call.frame);
  if (content !== ON_DISK) runInline(call, language, content, "the script");
}

/** A program that the text itself wrote is judged when it is compiled: what it becomes is run under another name. */
function compile(call: Call): string {
  const { machine, frame, args } = call;
  const read = readOptions(args, { short: "oxIDLlWOfmgstucU", long: ["param"], isPermuted: true });
  for (const file of read.operands) {
    const content = file === "-" ? (frame.stdin ?? "") : contentOf(machine, file, frame);
    if (content !== ON_DISK && content !== HOLE) runInline(call, "general", content, "the program");
  }
  return HOLE;
}

/** Statements of Tcl begin with their command; braces and quotes are enough like a shell's to be read as one. */
function runTcl(call: Call): string {
  const { machine, frame, name, args } = call;
  const read = readOptions(args, { short: name.startsWith("expect") ? "cfb" : "" });
  const [file] = name.startsWith("expect") ? valuesOf(read, "-f") : [];
  const script = file ?? read.operands[0];
  const texts = valuesOf(read, "-c");
  if (script !== undefined && script !== "-") texts.push(contentOf(machine, script, frame));
  else if (texts.length === 0 && frame.stdin !== null) texts.push(frame.stdin);
  for (const text of texts) if (text !== ON_DISK) followTcl({ ...call, frame: within(frame, `${name} code`) }, text);
  return HOLE;
}

function followTcl(call: Call, text: string): void {
  const { machine, frame } = call;
  if (text === HOLE) machine.opaque.add(`what ${call.name} reads is known only when it runs`);
  const constants = [...text.matchAll(/\bset\s+(\w+)\s+([^\s;{}[\]]+)/g)]
    .slice(0, 40)
    .map((match) => `${match[1] ?? ""}=${match[2] ?? ""};`)
    .join("");
  for (const match of text.matchAll(
    /(?:^|[;\n[{])\s*(?:catch\s*\{\s*)?(?:exec|spawn|system|eval\s+exec|eval\s+spawn)\s+((?:-\w+\s+)*)([^;\n\]}]*)/g,
  )) {
    const command = (match[2] ?? "").replace(/\{([^}]*)\}/g, "'$1'").replace(/\[([^\]]*)$/, "");
    machine.runText(`${constants}${command}`, frame);
  }
  for (const match of text.matchAll(/\bopen\s+(?:"\|([^"]*)"|\{\|([^}]*)\})/g))
    machine.runText(match[1] ?? match[2] ?? "", frame);
  for (const match of text.matchAll(/\bsend\b\s+(?:--\s+)?"((?:[^"\\]|\\.)*)"/g)) {
    // Typed into a shell that was spawned before.
    if (/\bspawn\s+\S*sh\b/.test(text)) machine.runText((match[1] ?? "").replace(/\\[rn]/g, "\n"), frame);
  }
}

function runPowerShell(call: Call): string {
  const read = readOptions(call.args, {
    long: ["Command", "c", "EncodedCommand", "File", "WorkingDirectory"],
    hasSingleDash: true,
  });
  const code = [
    ...valuesOf(read, "-Command", "-c", "--Command"),
    ...(read.options.length > 0 ? read.operands : []),
  ].join(" ");
  return code === "" ? HOLE : runCode({ ...call, frame: within(call.frame, "pwsh") }, code, "the text for pwsh");
}
