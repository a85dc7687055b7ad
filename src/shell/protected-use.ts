import { mayMatch } from "./glob.ts";
import { interpret, type Reading } from "./interpret.ts";
import type { FoundCommand } from "./machine.ts";
import { resolvePath } from "./made-files.ts";
import { hasWildcard, isKnown, literally } from "./marks.ts";
import { governingUse } from "./openclaw-use.ts";
import { signalsGateway } from "./gateway-signal.ts";

/** What the agent's commands must leave alone. */
export interface ProtectedThings {
  /** Files and folders by absolute path; a folder stands for all that is in it. May hold `*`. */
  readonly paths: readonly string[];
  readonly home: string;
  /** Where the command starts, when known. */
  readonly cwd?: string;
  readonly gatewayPids: readonly number[];
  readonly gatewayPorts: readonly number[];
  /** Names of variables whose value is a secret. */
  readonly secretVariables: readonly string[];
}

/** Programs that only name a path, or tell no more than that it is there. */
const ONLY_NAMES: ReadonlySet<string> = new Set(["echo", "printf", "ls", "stat", "test", "[", "basename", "dirname", "realpath", "readlink", "cd", "pushd", "which", "type", "du", "df", "file", "export", "mkdir", "true", ":"]);
/** Programs that with these options take in all that is below a folder. */
const RECURSIVE: Readonly<Record<string, RegExp | null>> = {
  rm: /^-\w*[rR]|^--recursive/,
  cp: /^-\w*[rRa]|^--(?:recursive|archive)/,
  mv: null,
  chmod: /^-\w*R|^--recursive/,
  chown: /^-\w*R|^--recursive/,
  tar: null,
  zip: /^-\w*r/,
  rsync: null,
  scp: /^-\w*r/,
  grep: /^-\w*[rR]|^--recursive/,
  rg: null,
  ag: null,
  find: /^-(?:exec|execdir|delete|ok)/,
  ln: null,
  mount: null,
};
/** Of these, any folder above counts, up to the root: they destroy or move. */
const DESTRUCTIVE: ReadonlySet<string> = new Set(["rm", "mv", "chmod", "chown"]);
const APPROVAL_WORDS = /approv|resolve|device|pair|config\.(?:set|patch|apply)|plugins?\.|exec\.policy|operator/i;
const CLIENTS: ReadonlySet<string> = new Set(["curl", "wget", "websocat", "wscat", "nc", "ncat", "netcat", "socat", "telnet", "http", "https", "xh"]);

/**
 * Why a command would decide approvals, read or change the gateway's token, configuration, policy, audit or shim,
 * or signal the gateway; empty when it does nothing of that kind as far as its text shows. Total.
 *
 * This keeps an agent from doing it plainly or by accident. It is no wall: a process of the same user can reach
 * every file of that user in ways that no text shows (a script on disk, a compiled program), which is why
 * approvals must not rest on it.
 *
 * Printing the whole environment (`env`, `printenv`) is let through: it is what people do to debug, and a secret
 * in the environment of an agent's command is a fault that posture reports by itself.
 */
export function findProtectedUse(text: string, things: ProtectedThings): readonly string[] {
  const reading = interpret(text, { home: things.home, ...(things.cwd === undefined ? {} : { cwd: things.cwd }) });
  const reasons = new Set<string>();
  for (const name of things.secretVariables) {
    const isNamed = reading.codes.some(({ code }) => code.includes(name)) || reading.commands.some(({ words }) => words[0] === "printenv" && words.includes(name));
    if (reading.outsideVariables.has(name) || isNamed) reasons.add(`It reads ${name}.`);
  }
  for (const command of reading.commands) {
    const { words } = command;
    const governing = governingUse(words.map((word) => literally(word)));
    if (governing !== null) reasons.add(`${governing}.`);
    for (const path of touchedPaths(command, things)) reasons.add(`It touches ${path}.`);
    if (asksGateway(command, things)) reasons.add("It talks to the gateway about approvals, devices or configuration.");
  }
  for (const path of namedInCode(reading, things)) reasons.add(`Its code names ${path}.`);
  if (signalsGateway(reading.commands, things)) reasons.add("It signals or attaches to the gateway.");
  return [...reasons];
}

function touchedPaths({ words, redirects, cwd }: FoundCommand, things: ProtectedThings): string[] {
  const [written = "", ...args] = words;
  const name = written.slice(written.lastIndexOf("/") + 1);
  const targets = redirects.filter(({ op }) => !op.startsWith("<<")).map(({ target }) => target);
  const named = ONLY_NAMES.has(name) ? [] : args.flatMap((arg) => pathsIn(arg));
  const found = [...targets, ...named].flatMap((word) => {
    const at = resolvePath(cwd, word);
    return things.paths.filter((path) => isInside(at, path));
  });
  const pattern = Object.hasOwn(RECURSIVE, name) ? RECURSIVE[name] : undefined;
  const isRecursive = pattern === null || (pattern !== undefined && args.some((arg) => pattern.test(arg)));
  if (!isRecursive) return found;
  const above = args.filter((arg) => !arg.startsWith("-")).map((arg) => resolvePath(cwd, arg));
  return [...found, ...things.paths.filter((path) => above.some((at) => isAbove(at, path, name, things)))];
}

/** The paths that a word may hold: itself, the value of an option, what follows `@` or `file://`. */
function pathsIn(word: string): string[] {
  const value = /^(?:--?[\w-]+|[A-Za-z_]\w*)=(.+)$/s.exec(word)?.[1];
  const candidates = value === undefined ? [word] : [value];
  return candidates.flatMap((each) => {
    const bare = each.replace(/^-\w(?=[/~])/, "").replace(/^(?:[\w-]*@|file:\/\/)(?=[/~\ufdd0.])/, "");
    // `host:path` of scp, `source:target` of a mount.
    return bare.startsWith("-") ? [] : [bare, ...(bare.includes(":/") ? bare.split(":").filter((part) => part.startsWith("/")) : [])];
  });
}

/** Inside or equal; wildcards and holes are taken for whatever they may stand for, but not on their own. */
function isInside(at: string, path: string): boolean {
  if (at === path || at.startsWith(`${path}/`)) return true;
  const isPattern = path.includes("*");
  if (isPattern) {
    const pattern = path.replaceAll("*", "\ufdd3");
    if (isKnown(at) && !hasWildcard(at)) return mayMatch(pattern, at);
  }
  if (!hasWildcard(at) && isKnown(at)) return false;
  const fixed = at.replace(/[\ufdd0-\ufdd5].*$/s, "");
  // What begins with a hole may be anything and is not held against the command.
  if (fixed === "" || !fixed.includes("/", 1)) return false;
  if (!isKnown(at) && !hasWildcard(at)) return `${path}/`.startsWith(fixed) && fixed.length > path.lastIndexOf("/") + 1;
  return mayMatch(at, path) || mayMatch(at, path.replaceAll("*", "x"));
}

function isAbove(at: string, path: string, name: string, { home }: ProtectedThings): boolean {
  if (!isKnown(at)) return false;
  const folder = at.replace(/\/[^/]*[\ufdd3-\ufdd5].*$/s, "");
  if (!path.startsWith(`${folder === "/" ? "" : folder}/`)) return false;
  const isBroad = folder === "/" || folder === "" || folder === home || home.startsWith(`${folder}/`);
  return !isBroad || DESTRUCTIVE.has(name);
}

function asksGateway({ words, stdin }: FoundCommand, { gatewayPorts }: ProtectedThings): boolean {
  const [written = "", ...args] = words;
  if (!CLIENTS.has(written.slice(written.lastIndexOf("/") + 1))) return false;
  const text = args.join(" ");
  const isLocal = gatewayPorts.some((port) => new RegExp(`(?:localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\]|0\\.0\\.0\\.0|::1|0)[: ]+${port}\\b`).test(text));
  return isLocal && APPROVAL_WORDS.test(`${text} ${stdin ?? ""}`);
}

/** Inline code is not understood; a protected path that is spelled in it counts. */
function namedInCode({ codes }: Reading, { paths, home, gatewayPorts }: ProtectedThings): string[] {
  const named = paths.filter((path) => {
    const below = path.startsWith(`${home}/`) ? path.slice(home.length + 1) : path;
    const needle = below.replace(/\*.*$/, "");
    return needle.length > 4 && codes.some(({ code }) => code.includes(needle));
  });
  const asks = codes.some(({ code }) => gatewayPorts.some((port) => code.includes(String(port))) && APPROVAL_WORDS.test(code));
  return asks ? [...named, "the gateway's port and approvals"] : named;
}
