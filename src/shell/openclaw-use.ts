import { readOptions } from "./options.ts";

/** Sub-commands of a command line that a person uses to govern the agent. */
interface Governing {
  /** What only looks; everything else counts. */
  readonly looks?: readonly string[];
  /** What counts; everything else only looks. */
  readonly acts?: readonly string[];
  readonly why: string;
}

const GATEWAY: Governing = {
  acts: ["auth-token", "stop", "restart", "uninstall", "install", "suspend", "resume"],
  why: "stops or changes the gateway, or prints its token",
};

/** From `openclaw <command> --help` of 2026.9.6. A new sub-command of a group with `looks` counts until it is known. */
const OPENCLAW: Readonly<Record<string, Governing>> = {
  approvals: { looks: ["get", "pending", "list", "help", ""], why: "decides approvals or changes who is asked" },
  "exec-approvals": { looks: ["get", "pending", "list", "help", ""], why: "decides approvals or changes who is asked" },
  "exec-policy": { looks: ["show", "help", ""], why: "changes the execution policy" },
  devices: { looks: ["list", "help", ""], why: "pairs, approves or changes devices" },
  pairing: { looks: ["list", "help", ""], why: "approves a sender" },
  nodes: { acts: ["approve", "reject", "remove"], why: "approves or removes a node" },
  config: { looks: ["file", "schema", "validate", "help", "get"], why: "changes the configuration" },
  configure: { looks: [], why: "changes the configuration" },
  onboard: { looks: [], why: "changes the configuration" },
  setup: { looks: [], why: "changes the configuration" },
  reset: { looks: [], why: "resets the configuration" },
  uninstall: { looks: [], why: "removes the gateway" },
  plugins: {
    looks: ["list", "inspect", "search", "doctor", "validate", "init", "build", "pack", "help", ""],
    why: "changes the plugins",
  },
  hooks: { looks: ["list", "info", "check", "help", ""], why: "changes the hooks" },
  secrets: { looks: ["audit", "help", ""], why: "changes secrets" },
  channels: { acts: ["add", "remove", "login", "logout"], why: "changes the channels that approvals come from" },
  gateway: GATEWAY,
  daemon: GATEWAY,
  dashboard: { looks: [], why: "prints the token of the Control UI" },
  qr: { looks: [], why: "prints a pairing code" },
  "file-transfer": { looks: ["list", "help", ""], why: "changes standing approvals" },
};

/** Our own commands that a person has to give. */
const OWN: Readonly<Record<string, Governing>> = {
  approvers: { looks: ["list", "help"], why: "changes who may approve, or approves" },
  shim: { looks: ["status", "help"], why: "changes the sudo shim" },
  waiver: { looks: ["list", "help"], why: "waives a finding" },
  schedule: { acts: ["enable", "disable"], why: "changes the schedule" },
};

const GLOBAL_OPTIONS = { short: "", long: ["container", "log-level", "profile"], isPermuted: true };
/** Methods of the gateway that decide, pair or configure. */
const GOVERNING_METHOD = /approv|resolve|device|pair|config\.|plugin|secret|wizard|token|exec\.policy/i;
const SECRET_KEY = /token|password|secret|auth|credential|api-?key/i;

/** Why this use of openclaw's or our own command line is a person's and not an agent's, or null. */
export function governingUse(words: readonly string[]): string | null {
  const line = commandLine(words);
  if (line === null) return null;
  const { operands, options } = readOptions(line.args, GLOBAL_OPTIONS);
  if (options.some(({ name }) => name === "--help" || name === "-h")) return null;
  const [group = "", action = "", ...rest] = operands;
  if (line.program === "openclaw" && (group === "cse" || group === "cyber-security-engineer"))
    return own([action, ...rest], line.args);
  if (line.program === "cse") return own(operands, line.args);
  if (group === "gateway" && action === "call") {
    const method = rest.join(" ");
    return GOVERNING_METHOD.test(method) ? `openclaw gateway call ${rest[0] ?? ""} decides or configures` : null;
  }
  if (group === "gateway" && line.args.includes("--force"))
    return "openclaw gateway --force replaces the gateway that runs";
  if (group === "config" && action === "get")
    return SECRET_KEY.test(rest.join(" ")) ? "openclaw config get reads a secret" : null;
  if ((group === "doctor" || group === "security") && line.args.some((arg) => /^--(?:fix|repair|force)$/.test(arg)))
    return `openclaw ${group} changes the configuration`;
  return verdict(OPENCLAW, "openclaw", group, action);
}

function own(operands: readonly string[], args: readonly string[]): string | null {
  const [group = "", action = ""] = operands;
  if (group === "audit" && action === "export" && args.includes("--key"))
    return "cse audit export --key prints the key of the audit log";
  return verdict(OWN, "cse", group, action);
}

function verdict(
  table: Readonly<Record<string, Governing>>,
  program: string,
  group: string,
  action: string,
): string | null {
  const found = Object.hasOwn(table, group) ? table[group] : undefined;
  if (found === undefined) return null;
  const counts = found.acts === undefined ? found.looks?.includes(action) !== true : found.acts.includes(action);
  return counts ? `${program} ${group}${action === "" ? "" : ` ${action}`} ${found.why}` : null;
}

/** `openclaw ...`, `node .../openclaw.mjs ...`, the `cse` program, `node .../dist/cli.js ...`. */
function commandLine(
  words: readonly string[],
): { readonly program: "openclaw" | "cse"; readonly args: readonly string[] } | null {
  const [first = "", ...args] = words;
  const name = first.slice(first.lastIndexOf("/") + 1);
  if (name === "openclaw" || /^openclaw(?:\.m?js|@.*)$/.test(name)) return { program: "openclaw", args };
  if (name === "cse" || name === "cyber-security-engineer") return { program: "cse", args };
  if (!/^(?:node|nodejs|bun|deno|tsx)$/.test(name)) return null;
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const script = args[at] ?? "";
  if (/(?:^|\/)openclaw(?:\.m?js)?$|\/openclaw\/(?:dist\/)?(?:index|entry)\.m?js$/.test(script))
    return { program: "openclaw", args: args.slice(at + 1) };
  if (/cyber-security-engineer[^ ]*\/dist\/cli\.js$/.test(script)) return { program: "cse", args: args.slice(at + 1) };
  return null;
}
