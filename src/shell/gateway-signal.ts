import type { FoundCommand } from "./machine.ts";
import { isKnown } from "./marks.ts";
import { readOptions, valuesOf } from "./options.ts";

interface Gateway {
  readonly gatewayPids: readonly number[];
  readonly gatewayPorts: readonly number[];
}

/** Names that the gateway's process has; it is a Node process, so a signal to all of those reaches it. */
const NAMES: readonly string[] = ["openclaw", "openclaw-gateway", "openclaw gateway", "node", "MainThread"];

/** True when a command would send a signal to the gateway, attach to it, or read its memory or environment. */
export function signalsGateway(commands: readonly FoundCommand[], gateway: Gateway): boolean {
  // `kill $(pgrep openclaw)` and `pgrep openclaw | xargs kill`: the pid is not known, but who looks for it is.
  const looksForIt = commands.some((command) => looksForGateway(command, gateway));
  return commands.some((command) => isSignal(command, gateway, looksForIt));
}

function isSignal({ words }: FoundCommand, { gatewayPids, gatewayPorts }: Gateway, looksForIt: boolean): boolean {
  const [written = "", ...args] = words;
  const name = written.slice(written.lastIndexOf("/") + 1);
  const isPid = (word: string): boolean => gatewayPids.includes(Number(word)) && /^\d+$/.test(word);
  if (args.some((arg) => isOwnProc(arg, gatewayPids))) return true;
  switch (name) {
    case "kill": {
      const targets = killTargets(args);
      if (targets === null) return false;
      return targets.some((target) => isPid(target.replace(/^-/, "")) || target === "-1" || (looksForIt && !isKnown(target)));
    }
    case "pkill":
    case "killall":
    case "skill": {
      const { operands } = readOptions(args.filter((arg) => !/^-(?:[A-Z]{2,}|\d+)$/.test(arg)), { short: "sugPtGUoFsy", long: ["signal", "user", "group", "parent", "older", "younger-than", "older-than"], isPermuted: true });
      return operands.some((pattern) => matchesName(pattern));
    }
    case "fuser":
      return args.some((arg) => /^-\w*k/.test(arg)) && args.some((arg) => gatewayPorts.some((port) => arg === `${port}/tcp` || arg === String(port)));
    case "gdb":
    case "strace":
    case "ltrace":
    case "lldb":
    case "perf":
    case "gcore":
    case "node": {
      const attached = [...valuesOf(readOptions(args, { short: "p", long: ["pid", "attach-pid"], isPermuted: true }), "-p", "--pid", "--attach-pid"), ...(name === "gcore" ? args : [])];
      return attached.some((pid) => isPid(pid));
    }
    case "systemctl":
    case "launchctl":
    case "service":
      return args.some((arg) => /openclaw/.test(arg)) && args.some((arg) => /^(?:stop|restart|kill|disable|mask|try-restart|reload|unload|bootout|kickstart|remove|edit|revert)$/.test(arg));
    default:
      return false;
  }
}

/** The processes that `kill` is told, or null where it only lists names of signals. */
function killTargets(args: readonly string[]): readonly string[] | null {
  if (args.some((arg) => arg === "-l" || arg === "-L")) return null;
  const dashes = args.indexOf("--");
  if (dashes !== -1) return args.slice(dashes + 1);
  const [first = "", second = ""] = args;
  if (first === "-s" || first === "-n" || first === "--signal") return args.slice(2);
  // The first word with a dash is the signal, unless it is all there is.
  return first.startsWith("-") && second !== "" ? args.slice(1) : args;
}

function matchesName(pattern: string): boolean {
  if (!isKnown(pattern) || pattern === "") return false;
  try {
    const matcher = new RegExp(pattern);
    return pattern.length < 100 && NAMES.some((each) => matcher.test(each));
  } catch {
    // What is no pattern matches no process.
    return false;
  }
}

function looksForGateway({ words }: FoundCommand, { gatewayPorts }: Gateway): boolean {
  const [written = "", ...args] = words;
  const name = written.slice(written.lastIndexOf("/") + 1);
  if (name === "pgrep" || name === "pidof") return args.some((arg) => !arg.startsWith("-") && matchesName(arg));
  if (name === "lsof" || name === "fuser" || name === "ss") return args.some((arg) => gatewayPorts.some((port) => new RegExp(`(?:^|\\D)${port}(?:\\D|$)`).test(arg)));
  return name === "grep" && args.some((arg) => /openclaw/.test(arg));
}

/** `/proc/<pid of the gateway>/environ`, `mem`, `fd`, `root` and so on. */
function isOwnProc(word: string, pids: readonly number[]): boolean {
  const pid = /^\/proc\/(\d+)\/(?:environ|mem|fd|root|cwd|map_files|task|maps|syscall|stack)/.exec(word)?.[1];
  return pid !== undefined && pids.includes(Number(pid));
}
