import { type Call, type Handler, within } from "./machine.ts";
import { HOLE, isKnown, literally, ON_DISK } from "./marks.ts";
import { runGit } from "./git.ts";
import { hasOption, type OptionSpec, readOptions, valuesOf } from "./options.ts";
import { contentOf } from "./redirects.ts";
import { runAwk } from "./awk.ts";
import { runSed } from "./sed.ts";

/** A program with options whose value it runs. */
interface Carrier extends OptionSpec {
  /** Given to a shell, or split into words and started, which reads the same here. */
  readonly code: readonly string[];
}

/** Each from its manual page. */
const TABLE: Readonly<Record<string, Carrier>> = {
  man: {
    short: "PrRLmMSseECHTXKp",
    long: ["pager", "html", "preprocessor", "config-file"],
    code: ["-P", "--pager", "-H", "--html"],
    isPermuted: true,
  },
  sort: { short: "kotTS", long: ["compress-program", "key", "output"], code: ["--compress-program"], isPermuted: true },
  split: { short: "abClnt", long: ["filter", "bytes", "lines", "number"], code: ["--filter"], isPermuted: true },
  rsync: {
    short: "efTBM",
    long: ["rsh", "filter", "exclude", "include", "files-from", "password-file", "log-file", "temp-dir"],
    code: ["-e", "--rsh"],
    isPermuted: true,
  },
  scp: { short: "cFiJloPSXD", code: ["-S"], isPermuted: true },
  sftp: { short: "bBcDFiJloPRSsX", code: ["-S"], isPermuted: true },
  wget: { short: "O", long: ["use-askpass"], code: ["--use-askpass"], isPermuted: true },
  nc: { short: "ceiIoOpPqswTVXx", code: ["-e", "-c"], isPermuted: true },
  netcat: { short: "ceiopqsw", code: ["-e", "-c"], isPermuted: true },
  ncat: {
    short: "cegGimdopswx",
    long: ["exec", "sh-exec", "lua-exec"],
    code: ["-e", "-c", "--exec", "--sh-exec"],
    isPermuted: true,
  },
  tcpdump: { short: "zwrCGWinsT", code: ["-z"], isPermuted: true },
  cpio: { long: ["rsh-command"], code: ["--rsh-command"], isPermuted: true },
  fzf: { long: ["preview", "bind"], code: ["--preview"], isPermuted: true },
  rg: { long: ["pre", "hostname-bin"], code: ["--pre", "--hostname-bin"], isPermuted: true },
  ack: { long: ["pager"], code: ["--pager"], isPermuted: true },
  ag: { long: ["pager"], code: ["--pager"], isPermuted: true },
  bat: { long: ["pager"], code: ["--pager"], isPermuted: true },
};

export const CARRIERS: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(
    Object.entries(TABLE).map(([name, spec]): [string, Handler] => [name, (call) => runCarrier(call, spec)]),
  ),
  tar: runTar,
  gtar: runTar,
  bsdtar: runTar,
  git: runGit,
  awk: runAwk,
  gawk: runAwk,
  mawk: runAwk,
  nawk: runAwk,
  "original-awk": runAwk,
  sed: runSed,
  gsed: runSed,
  vim: runEditor,
  vi: runEditor,
  nvim: runEditor,
  view: runEditor,
  vimdiff: runEditor,
  rvim: runEditor,
  gvim: runEditor,
  ex: runEditor,
  ed: lines(/^\s*(?:[\d,$.%]*\s*)?(?:!|[rwe]\s*!)\s*(.+)$/),
  dc: lines(/^\s*!(.+)$/),
  ftp: lines(/^\s*!\s*(.+)$/),
  lftp: lines(/(?:^|[;'"]\s*)\s*!\s*(.+)$/, ["-c", "-e"]),
  sqlite3: lines(/^\s*\.(?:shell|system)\s+(.+)$/, ["-cmd"]),
  sqlite: lines(/^\s*\.(?:shell|system)\s+(.+)$/),
  psql: lines(/\\!\s*(.+)$/, ["-c", "--command"]),
  mysql: lines(/(?:\\!|^\s*system\b)\s*(.+)$/, ["-e", "--execute"]),
  mariadb: lines(/(?:\\!|^\s*system\b)\s*(.+)$/, ["-e", "--execute"]),
  mail: lines(/^~!\s*(.+)$/),
  mailx: lines(/^~!\s*(.+)$/),
  make: runMake,
  gmake: runMake,
  socat: runSocat,
  zip: runZip,
};

function runCarrier(call: Call, spec: Carrier): string {
  const read = readOptions(call.args, spec);
  for (const code of valuesOf(read, ...spec.code)) {
    call.machine.runText(code, within(call.frame, `${call.name} ${spec.code[0] ?? ""}`));
  }
  return HOLE;
}

const TAR: OptionSpec = {
  short: "bCfFgHIKLNTVX",
  long: [
    "checkpoint-action",
    "to-command",
    "use-compress-program",
    "info-script",
    "new-volume-script",
    "rsh-command",
    "rmt-command",
    "file",
    "directory",
    "transform",
    "exclude",
    "files-from",
  ],
  isPermuted: true,
};

function runTar(call: Call): string {
  const read = readOptions(call.args, TAR);
  const codes = [
    ...valuesOf(read, "--checkpoint-action").flatMap((action) => (action.startsWith("exec=") ? [action.slice(5)] : [])),
    ...valuesOf(
      read,
      "--to-command",
      "-I",
      "--use-compress-program",
      "-F",
      "--info-script",
      "--new-volume-script",
      "--rsh-command",
      "--rmt-command",
    ),
  ];
  for (const code of codes) call.machine.runText(code, within(call.frame, "tar"));
  return HOLE;
}

function runZip(call: Call): string {
  const at = call.args.findIndex((arg) => arg === "-TT" || arg.startsWith("--unzip-command"));
  if (at === -1) return HOLE;
  const arg = call.args[at] ?? "";
  call.machine.runText(
    arg.includes("=") ? arg.slice(arg.indexOf("=") + 1) : (call.args[at + 1] ?? ""),
    within(call.frame, "zip -TT"),
  );
  return HOLE;
}

/** Interactive programs with a way out to a shell: lines of their input, or of an option's value. */
function lines(escape: RegExp, options: readonly string[] = []): Handler {
  return (call) => {
    const { machine, frame, name, args } = call;
    const texts = args.flatMap((arg, at) => {
      const option = options.find(
        (each) =>
          each === args[at - 1] ||
          arg.startsWith(`${each}=`) ||
          (each.length === 2 && arg.startsWith(each) && arg !== each),
      );
      if (option === undefined) return name.startsWith("sqlite") && arg.startsWith(".") ? [arg] : [];
      return [args[at - 1] === option ? arg : arg.slice(option.length).replace(/^=/, "")];
    });
    for (const line of [...texts, frame.stdin ?? ""].join("\n").split("\n")) {
      const command = escape.exec(line);
      if (command !== null) machine.runText(command[1] ?? "", within(frame, `${name} !`));
    }
    return HOLE;
  };
}

const VIM_COMMAND =
  /^[\s:]*(?:silent!?\s+|exe(?:cute)?\s+["']|au\w*\s+\S{1,200}\s+\S{1,200}\s+|tab\s+|[\d,.$%']+){0,6}(?:(?:r|read|w|write|ter|term|terminal)\s*)?!\s*(.+)$/;
const VIM_CALL =
  /\b(?:system(?:list)?|term_start|job_start|termopen|jobstart|popen)\s*\(\s*(?:\[\s*)?(?:"((?:[^"\\]|\\.){0,2000})"|'([^']{0,2000})')((?:\s*,\s*(?:"[^"]{0,500}"|'[^']{0,500}')){0,20})/g;

/** `-c`, `--cmd`, `+command`, and what a script or stdin holds. */
function runEditor(call: Call): string {
  const { machine, frame, name, args } = call;
  const inner = within(frame, `${name} :!`);
  const read = readOptions(
    args.filter((arg) => !arg.startsWith("+")),
    { short: "cSTuiwW", long: ["cmd"], isPermuted: true },
  );
  const commands = [
    ...valuesOf(read, "-c", "--cmd"),
    ...args.filter((arg) => arg.startsWith("+")).map((arg) => arg.slice(1)),
  ];
  const files = valuesOf(read, "-S", "-u")
    .map((file) => contentOf(machine, file, frame))
    .filter((text) => isKnown(text));
  const typed = name === "ex" || hasOption(read, "-e", "-s") ? [frame.stdin ?? ""] : [];
  for (const command of [...commands, ...files, ...typed].flatMap((text) => text.split(/\n|\|(?!\|)(?=\s*:?!)/))) {
    const shell = VIM_COMMAND.exec(command) ?? /^[\s:]*ter(?:m|minal)?\s+(.+)$/.exec(command);
    if (shell !== null)
      machine.runText(
        (shell[1] ?? "").replace(/["']\s*$/, (quote) => (/exe(?:cute)?\s/.test(command) ? "" : quote)),
        inner,
      );
    for (const match of command.matchAll(VIM_CALL)) {
      const more = [...(match[3] ?? "").matchAll(/["']([^"']*)["']/g)].map((each) => each[1] ?? "");
      machine.runText([match[1] ?? match[2] ?? "", ...more].join(" "), inner);
    }
    const python = /^[\s:]*(?:py(?:thon)?3?x?|pyx)\s+(.+)$/.exec(command);
    if (python !== null) machine.runWords(["python3", "-c", python[1] ?? ""], inner);
    const lua = /^[\s:]*(?:lua)\s+(.+)$/.exec(command);
    if (lua !== null)
      machine.runWords(["lua", "-e", (lua[1] ?? "").replace(/vim\.(?:fn\.)?system/, "os.execute")], inner);
    const other = /^[\s:]*(perl|ruby)\s+(.+)$/.exec(command);
    if (other !== null) machine.runWords([other[1] ?? "", "-e", other[2] ?? ""], inner);
  }
  return HOLE;
}

/** Recipes of a makefile that the text itself gives. */
function runMake(call: Call): string {
  const { machine, frame, name, args } = call;
  const read = readOptions(args, {
    short: "CfIjloWE",
    long: ["file", "makefile", "directory", "eval", "include-dir"],
    isPermuted: true,
  });
  if (
    hasOption(read, "-n", "--just-print", "--dry-run", "--recon") &&
    !valuesOf(read, "-E", "--eval").some((text) => text.includes("$(shell"))
  )
    return HOLE;
  const files = valuesOf(read, "-f", "--file", "--makefile");
  const given = files.map((file) => (file === "-" ? (frame.stdin ?? HOLE) : contentOf(machine, file, frame)));
  const usual =
    files.length > 0 ? [] : ["Makefile", "makefile", "GNUmakefile"].map((file) => contentOf(machine, file, frame));
  const shell = read.operands.find((word) => /^\.?SHELL:?=/.test(word));
  if (shell !== undefined) machine.runText(`${shell.slice(shell.indexOf("=") + 1)} -c true`, within(frame, name));
  for (const text of [...given, ...usual, ...valuesOf(read, "-E", "--eval")]) {
    if (text === ON_DISK) continue;
    if (text === HOLE) machine.opaque.add("the makefile is known only when it runs");
    else followMakefile(call, text);
  }
  return HOLE;
}

function followMakefile({ machine, frame, name }: Call, text: string): void {
  const inner = within(frame, name, { stdin: "" });
  const constants = new Map(
    [...text.matchAll(/^\s*([A-Za-z_]\w*)\s*[:?]?=\s*(.*)$/gm)].map((match): [string, string] => [
      match[1] ?? "",
      match[2] ?? "",
    ]),
  );
  const expand = (line: string): string =>
    line
      .replace(
        /\$[({](\w+)[)}]/g,
        (whole, variable: string) => constants.get(variable) ?? (whole.length > 3 ? HOLE : whole),
      )
      .replaceAll("$$", "$")
      .replace(/\$[@<^*?]/g, HOLE);
  for (const match of text.matchAll(/\$\(shell\s+([^)]{0,2000})\)|^\s*\w+\s*!=\s*(.*)$/gm))
    machine.runText(expand(match[1] ?? match[2] ?? ""), inner);
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    const recipe = /^\t[\s@+-]*(.+)$/.exec(line) ?? /^[^\t=#:]+:{1,2}[^=;]*;[\s@+-]*(.+)$/.exec(line);
    if (recipe !== null) machine.runText(expand(recipe[1] ?? ""), inner);
  }
}

/** Addresses of socat that start something. */
function runSocat({ machine, frame, name, args }: Call): string {
  for (const arg of args) {
    const address = /^(?:EXEC|SYSTEM|SHELL):(.*)$/is.exec(arg);
    if (address !== null) machine.runText(unescapeAddress(address[1] ?? ""), within(frame, name, { stdin: "" }));
  }
  return HOLE;
}

/** Options follow after a comma; quotes protect one. */
function unescapeAddress(text: string): string {
  const quoted = /^"([^"]*)"|^'([^']*)'/.exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2] ?? "";
  return literally(text)
    .replace(/,(?:pty|stderr|setsid|ctty|sane|raw|echo|fdin|fdout|pipes|nofork|su|sigint|sighup).*$/i, "")
    .replace(/\\(.)/g, "$1");
}
