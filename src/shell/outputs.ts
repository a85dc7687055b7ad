import { whichProgram } from "./builtins.ts";
import { decodeBase32, decodeBase64, decodeHex, translate } from "./decode.ts";
import type { Call, Handler, MadeFile } from "./machine.ts";
import { bounded, EMITTED, HOLE, isKnown, literally, ON_DISK } from "./marks.ts";
import { hasOption, readOptions, valuesOf } from "./options.ts";
import { unescapeText } from "./printf.ts";
import { contentOf } from "./redirects.ts";
import { makeText, resolvePath } from "./made-files.ts";

/** Programs whose output follows from their arguments and input, so that it can be read where it is run as code. */
export const OUTPUTS: Readonly<Record<string, Handler>> = {
  echo: ({ machine, args }) => {
    const start = args.findIndex((arg) => !/^-[neE]+$/.test(arg));
    const flags = (start === -1 ? args : args.slice(0, start)).join("");
    const text =
      start === -1
        ? ""
        : args
            .slice(start)
            .map((arg) => literally(arg))
            .join(" ");
    // The echo of sh reads escapes without being told.
    const shown = flags.includes("e") || machine.dialect === "sh" ? unescapeText(text) : text;
    return bounded(flags.includes("n") ? shown : `${shown}\n`);
  },
  cat: fromInput((text) => text),
  tac: fromInput((text) => text.replace(/\n$/, "").split("\n").toReversed().join("\n")),
  rev: fromInput((text) =>
    text
      .split("\n")
      .map((line) => Array.from(line).toReversed().join(""))
      .join("\n"),
  ),
  head: fromInput((text, { args }) => firstLines(text, args)),
  tail: fromInput((text, { args }) => lastLines(text, args)),
  uniq: fromInput((text) => text),
  sort: fromInput((text) => (text.trim().includes("\n") ? HOLE : text)),
  tee: (call) => {
    const text = call.frame.stdin ?? "";
    for (const file of readOptions(call.args, { isPermuted: true }).operands) {
      makeText(call.machine, resolvePath(call.frame.scope.cwd, literally(file)), text);
    }
    return text;
  },
  dd: copyBlocks,
  sponge: (call) => {
    const text = call.frame.stdin ?? "";
    for (const file of readOptions(call.args, {}).operands)
      makeText(call.machine, resolvePath(call.frame.scope.cwd, literally(file)), text);
    return "";
  },
  tr: ({ frame, args }) => {
    const { options, operands } = readOptions(args, {});
    const flags = options.map(({ name }) => name.replace(/^-+/, "")).join("");
    return frame.stdin === null ? "" : translate(frame.stdin, operands, flags);
  },
  cut: fromInput((text, { args }) => cutColumns(text, args)),
  base64: fromInput((text, { args }) =>
    /^(?:-d|-D|--decode|-di|-id)$/.test(args.find((arg) => /^-+[dDi]/.test(arg)) ?? "") ? decodeBase64(text) : HOLE,
  ),
  base32: fromInput((text, { args }) =>
    args.some((arg) => /^(?:-d|--decode)$/.test(arg)) ? decodeBase32(text) : HOLE,
  ),
  openssl: fromInput(
    (text, { args }) =>
      /^(?:base64|enc)$/.test(args[0] ?? "") &&
      args.includes("-d") &&
      (args[0] === "base64" || args.some((arg) => /^-(?:base64|a)$/.test(arg)))
        ? decodeBase64(text)
        : HOLE,
    [1],
  ),
  xxd: fromInput((text, { args }) =>
    args.some((arg) => /^-\w*r/.test(arg)) && args.some((arg) => /^-\w*p/.test(arg)) ? decodeHex(text) : HOLE,
  ),
  basename: ({ args }) => {
    const { operands } = readOptions(args, { short: "s" });
    const [path = "", suffix = ""] = operands;
    const base = path.replace(/\/+$/, "").replace(/^.*\//s, "");
    return `${suffix !== "" && base.endsWith(suffix) && base !== suffix ? base.slice(0, -suffix.length) : base}\n`;
  },
  dirname: ({ args }) => {
    const [path = ""] = readOptions(args, {}).operands;
    const folder = path.replace(/\/+$/, "").replace(/\/?[^/]*$/, "");
    return `${folder === "" ? (path.startsWith("/") ? "/" : ".") : folder}\n`;
  },
  which: whichProgram,
  whereis: ({ args }) => args.map((arg) => `${arg}: /usr/bin/${arg}\n`).join(""),
  readlink: samePath,
  realpath: samePath,
  pwd: ({ frame }) => `${frame.scope.cwd}\n`,
  ls: ({ args }) => {
    const operands = args.filter((arg) => !arg.startsWith("-"));
    // `ls /usr/bin/sudo` prints just that.
    return operands.length > 0 && operands.every((each) => each.startsWith("/") && !each.endsWith("/"))
      ? `${operands.map((each) => literally(each)).join("\n")}\n`
      : HOLE;
  },
  yes: ({ args }) => `${args.length === 0 ? "y" : args.join(" ")}\n`,
  ln: makeLink,
  cp: makeLink,
  mv: makeLink,
  install: makeLink,
  curl: download,
  wget: download,
  // Made to be evaluated: what they print sets variables, defines completions, or the like.
  ...Object.fromEntries(
    [
      "ssh-agent",
      "dircolors",
      "getopt",
      "tset",
      "resize",
      "lesspipe",
      "lesspipe.sh",
      "path_helper",
      "keychain",
      "gpg-agent",
      "dbus-launch",
      "register-python-argcomplete",
      "shellenv",
      "locale-gen-env",
    ].map((name): [string, Handler] => [name, () => EMITTED]),
  ),
  ...Object.fromEntries(
    [
      "brew",
      "direnv",
      "starship",
      "zoxide",
      "rbenv",
      "pyenv",
      "nodenv",
      "jenv",
      "goenv",
      "fnm",
      "nvm",
      "volta",
      "asdf",
      "mise",
      "opam",
      "conda",
      "mamba",
      "micromamba",
      "docker-machine",
      "minikube",
      "kubectl",
      "helm",
      "gh",
      "thefuck",
      "atuin",
      "fzf",
      "luarocks",
      "npm",
      "pip",
      "poetry",
      "pipx",
      "rustup",
      "deno",
      "hub",
      "op",
      "glab",
      "flux",
      "argocd",
      "kind",
      "k3d",
      "podman-machine",
      "plenv",
      "sdk",
      "vfox",
      "uv",
      "uvx",
      "bw",
      "chezmoi",
      "navi",
      "mcfly",
      "aws_completer",
      "gcloud",
      "stack",
      "cs",
    ].map((name): [string, Handler] => [name, emitsForShell]),
  ),
};

/** Sub-commands whose output is a script for the caller's shell. */
const FOR_SHELL =
  /^(?:shellenv|hook|init|env|docker-env|completions?|generate-shell-completion|shell\.\w+|export|activate|alias|--alias|path|config|-|--completion|--bash|--zsh)$/;

function emitsForShell({ args }: Call): string {
  return args.some((arg) => FOR_SHELL.test(arg)) ? EMITTED : HOLE;
}

/** What a filter prints: from its files when it is given any, else from its input. */
function fromInput(change: (text: string, call: Call) => string, valueless: readonly number[] = []): Handler {
  return (call) => {
    const { machine, frame, args } = call;
    const { operands } = readOptions(args, {
      short: "ncdfbwsk",
      long: ["lines", "bytes", "delimiter", "fields", "wrap"],
      isPermuted: true,
    });
    // `-d` takes a value in cut and none in base64; a delimiter is no file.
    const files =
      valueless.length > 0
        ? []
        : operands.filter(
            (each) =>
              each !== "-" &&
              (each.includes("/") ||
                machine.files.has(resolvePath(frame.scope.cwd, literally(each))) ||
                call.name === "cat"),
          );
    const text = files.length > 0 ? files.map((file) => contentOf(machine, file, frame)).join("") : (frame.stdin ?? "");
    if (text === ON_DISK) return call.name === "cat" ? ON_DISK : HOLE;
    if (call.name === "cat") return bounded(change(text, call));
    return isKnown(text) ? bounded(change(text, call)) : HOLE;
  };
}

/** Without if= it copies its input, without of= it prints. */
function copyBlocks({ machine, frame, args }: Call): string {
  const valueOf = (name: string): string | undefined =>
    args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
  const [from, to] = [valueOf("if"), valueOf("of")];
  const isPart = args.some((arg) => /^(?:skip|seek|count|conv)=/.test(arg));
  const text = from === undefined ? (frame.stdin ?? HOLE) : contentOf(machine, from, frame);
  if (to === undefined) return isPart ? HOLE : text;
  makeText(machine, resolvePath(frame.scope.cwd, literally(to)), isPart ? HOLE : text);
  return "";
}

function countOf(args: readonly string[], fallback: number): number {
  const read = readOptions(args, { short: "nc", long: ["lines", "bytes"] });
  const [value] = valuesOf(read, "-n", "--lines");
  const plain = args.find((arg) => /^-\d+$/.test(arg));
  const count = Number(value ?? plain?.slice(1) ?? fallback);
  return Number.isInteger(count) ? count : Number.NaN;
}

function firstLines(text: string, args: readonly string[]): string {
  const [bytes] = valuesOf(readOptions(args, { short: "nc", long: ["lines", "bytes"] }), "-c", "--bytes");
  if (bytes !== undefined) return text.slice(0, Number(bytes));
  const count = countOf(args, 10);
  return Number.isNaN(count)
    ? HOLE
    : text
        .split(/(?<=\n)/)
        .slice(0, count)
        .join("");
}

function lastLines(text: string, args: readonly string[]): string {
  const read = readOptions(args, { short: "nc", long: ["lines", "bytes"] });
  const [value] = valuesOf(read, "-n", "--lines");
  const lines = text.split(/(?<=\n)/);
  if (value?.startsWith("+") === true) return lines.slice(Number(value) - 1).join("");
  const [bytes] = valuesOf(read, "-c", "--bytes");
  if (bytes !== undefined) return bytes.startsWith("+") ? text.slice(Number(bytes) - 1) : text.slice(-Number(bytes));
  const count = countOf(args, 10);
  return Number.isNaN(count) ? HOLE : lines.slice(-count).join("");
}

/** Single fields or one range; anything else is left. */
function cutColumns(text: string, args: readonly string[]): string {
  const read = readOptions(args, {
    short: "cbfd",
    long: ["characters", "bytes", "fields", "delimiter"],
    isPermuted: true,
  });
  const [columns] = valuesOf(read, "-c", "-b", "--characters", "--bytes");
  const [fields] = valuesOf(read, "-f", "--fields");
  const [delimiter = "\t"] = valuesOf(read, "-d", "--delimiter");
  const range = /^(\d+)?(-)?(\d+)?$/.exec(columns ?? fields ?? "");
  if (range === null || hasOption(read, "--complement")) return pickFields(text, columns, fields, delimiter);
  const from = Number(range[1] ?? 1) - 1;
  const to = range[2] === undefined ? from + 1 : Number(range[3] ?? Number.MAX_SAFE_INTEGER);
  const cut = (line: string): string =>
    columns === undefined ? line.split(delimiter).slice(from, to).join(delimiter) : line.slice(from, to);
  return text
    .split("\n")
    .map((line) => cut(line))
    .join("\n");
}

/** Lists such as `-f1,3`. */
function pickFields(text: string, columns: string | undefined, fields: string | undefined, delimiter: string): string {
  const list = (columns ?? fields ?? "").split(",").map(Number);
  if (list.some((place) => !Number.isInteger(place))) return HOLE;
  const pick = (line: string): string => {
    const parts = columns === undefined ? line.split(delimiter) : Array.from(line);
    return list.map((place) => parts[place - 1] ?? "").join(columns === undefined ? delimiter : "");
  };
  return text
    .split("\n")
    .map((line) => pick(line))
    .join("\n");
}

function samePath({ frame, args }: Call): string {
  const paths = args.filter((arg) => !arg.startsWith("-"));
  return paths.map((path) => `${path.startsWith("/") ? path : resolvePath(frame.scope.cwd, path)}\n`).join("");
}

/** A program under another name. */
function makeLink({ machine, frame, name, args }: Call): string {
  const { options, operands } = readOptions(args, {
    short: name === "install" ? "mogtS" : "tS",
    long: ["target-directory", "suffix", "mode", "owner", "group"],
    isPermuted: true,
  });
  const folder = options.find((option) => option.name === "-t" || option.name === "--target-directory")?.value ?? null;
  const last = operands.at(-1) ?? "";
  const sources = folder === null ? operands.slice(0, -1) : operands;
  for (const source of operands.length === 1 && folder === null ? operands : sources) {
    const base = source.slice(source.lastIndexOf("/") + 1);
    const target = folder !== null ? `${folder}/${base}` : operands.length === 1 ? base : last;
    const from = resolvePath(frame.scope.cwd, literally(source));
    const fed: MadeFile = { kind: "text", text: frame.stdin ?? "" };
    const made = from === "/dev/stdin" ? fed : (machine.files.get(from) ?? { kind: "program", target: from });
    // A folder as the target keeps the name; whether it is one is not known, so both are.
    const place = resolvePath(frame.scope.cwd, literally(target));
    if (!isKnown(source) && made.kind === "program") continue;
    if (made.kind === "text") makeText(machine, place, made.text);
    else machine.files.set(place, made);
    machine.files.set(`${place}/${base}`, made);
  }
  return "";
}

/** A download that lands in a file which the text may run later. */
function download({ machine, frame, name, args }: Call): string {
  const read = readOptions(
    args,
    name === "curl"
      ? {
          short: "AbcCdDeEFhHKmoPQrtTuUwxXyYz",
          long: [
            "output",
            "header",
            "data",
            "request",
            "user",
            "url",
            "data-raw",
            "data-binary",
            "form",
            "user-agent",
            "max-time",
            "retry",
            "proxy",
            "cookie",
            "write-out",
            "connect-timeout",
            "output-dir",
          ],
          isPermuted: true,
        }
      : {
          short: "OoaeiBtTwQPUAR",
          long: ["output-document", "directory-prefix", "header", "user-agent"],
          isPermuted: true,
        },
  );
  const place = (path: string): string => resolvePath(frame.scope.cwd, literally(path));
  const [output] = name === "curl" ? valuesOf(read, "-o", "--output") : valuesOf(read, "-O", "--output-document");
  if (output === "-") return HOLE;
  if (output !== undefined) {
    machine.files.set(place(output), { kind: "text", text: HOLE });
    return "";
  }
  const takesName = name === "wget" || hasOption(read, "-O", "--remote-name");
  for (const url of read.operands) {
    const base = /([^/?#]+)(?:[?#].*)?$/.exec(url)?.[1] ?? "";
    if (takesName && base !== "") machine.files.set(place(base), { kind: "text", text: HOLE });
  }
  return takesName ? "" : HOLE;
}
