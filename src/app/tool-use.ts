/**
 * What a call of one of the host's tools would do, as far as its parameters say. Everything here is
 * chosen by the model. A tool that can run or write and is not in the table passes unseen, so the
 * table names every one the host ships; what other plugins bring is theirs to guard.
 */
import { quoteShellWord } from "../core/shell-word.ts";
export type ToolUse =
  | { readonly kind: "harmless" }
  /** Shell text that the host would run. */
  | {
      readonly kind: "command";
      readonly text: string;
      readonly env: Readonly<Record<string, string>>;
      /** The parameter that may be replaced by another command; null: this call cannot be changed. */
      readonly parameter: "command" | null;
    }
  /** Text typed into a program that already runs, perhaps a shell; keys as the characters they send. */
  | { readonly kind: "typed"; readonly session: string; readonly text: string }
  /** Files the host would read, write or remove; as the model wrote them. */
  | { readonly kind: "files"; readonly reads: readonly string[]; readonly writes: readonly string[] }
  /** Runs something whose commands do not come by here. */
  | { readonly kind: "opaque"; readonly why: string }
  | { readonly kind: "protected"; readonly why: string }
  /** Parameters that the tool itself could not take, or that could mean two things. */
  | { readonly kind: "unreadable"; readonly why: string };

export interface ToolCall {
  readonly tool: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Of the host: "code_mode_exec" for a script whose own tool calls come by here one by one. */
  readonly toolKind: string | null;
  /** Paths that the host derived from the parameters; hints, never the whole. */
  readonly derivedPaths: readonly string[];
}

/** What is ours and what answers for approvals, by the names tools use. */
export interface OwnNames {
  readonly pluginId: string;
  /** Port of this gateway; null where it is not known. */
  readonly gatewayPort: number | null;
}

type Params = ToolCall["params"];
type Reader = (call: ToolCall, own: OwnNames) => ToolUse;

const HARMLESS: ToolUse = { kind: "harmless" };

/** Each tool with its reason. Names are the host's, in lower case. */
const READERS: Readonly<Record<string, Reader>> = {
  // Run shell text here, in a sandbox or on a node; the last names are those of other harnesses.
  exec: readExec,
  bash: readExec,
  shell: readExec,
  local_shell: readExec,
  exec_command: readExec,
  node_exec: readExec,
  gateway_exec: readExec,
  // Type into a process that an earlier exec started, or into a terminal the operator shares.
  process: readProcess,
  write_stdin: ({ params }) => typed(`stdin ${textOf(params["session_id"])}`, params["chars"]),
  terminal: ({ params }) =>
    params["action"] === "input" ? typed(`terminal ${textOf(params["sessionId"])}`, params["data"]) : HARMLESS,
  // Change files.
  write: ({ params }) => files([], pathsOf(params)),
  edit: ({ params }) => files([], pathsOf(params)),
  file_write: ({ params }) => files([], pathsOf(params)),
  apply_patch: readPatch,
  // Read files: the gateway's token must not reach the model.
  read: ({ params }) => files(pathsOf(params), []),
  file_fetch: ({ params }) => files(pathsOf(params), []),
  dir_fetch: ({ params }) => files(pathsOf(params), []),
  grep: ({ params }) => files([params["path"] ?? "."], []),
  // Run commands later, without a turn of the agent.
  cron: readCron,
  automations: readCron,
  // Change the gateway's own configuration or plugins, this one among them.
  openclaw: readSystemAgent,
  plugins: readPlugins,
  // Answers pairing requests, and can call system.run on a node.
  nodes: readNodes,
  // An agent of another kind has a shell of its own, whose commands the host does not show.
  sessions_spawn: ({ params }) =>
    params["runtime"] === "acp"
      ? { kind: "opaque", why: "it starts an agent whose own commands are not seen here" }
      : withoutApproval(params),
  lobster: () => ({ kind: "opaque", why: "a workflow runs commands that are not seen here" }),
  // Could speak the answer to a question, where such text is taken for a person's.
  message: ({ params }) => withoutApproval(params),
  sessions_send: ({ params }) => withoutApproval(params),
  conversations_send: ({ params }) => withoutApproval(params),
  conversations_turn: ({ params }) => withoutApproval(params),
  // In a browser profile where the person is signed in, the Control UI would take a click for theirs.
  browser: readBrowser,
};

export const GATED_TOOLS: readonly string[] = Object.keys(READERS);

export function readToolUse(call: ToolCall, own: OwnNames): ToolUse {
  const reader = READERS[call.tool.toLowerCase()];
  return reader === undefined ? HARMLESS : reader(call, own);
}

function readExec({ params, toolKind }: ToolCall): ToolUse {
  if (toolKind === "code_mode_exec") return HARMLESS;
  const given = [params["command"], params["cmd"]].filter((each) => each !== undefined);
  const texts = given.map((each) => (Array.isArray(each) ? quoteAll(each) : each));
  if (texts.length === 0 || !texts.every((each) => typeof each === "string"))
    return { kind: "unreadable", why: "the command is not text" };
  const env = readEnv(params["env"]);
  if (env === null) return { kind: "unreadable", why: "the environment is not a list of texts" };
  // The shim asks the gateway of this host, so only what runs here can be led through it.
  const host = params["host"];
  const isHere = host === undefined || host === "" || host === "auto" || host === "gateway";
  const isOne = given.length === 1 && typeof params["command"] === "string";
  const canChange = isHere && isOne && params["elevated"] !== true;
  return { kind: "command", text: texts.join("\n"), env, parameter: canChange ? "command" : null };
}

function readEnv(env: unknown): Readonly<Record<string, string>> | null {
  if (env === undefined || env === null) return {};
  if (typeof env !== "object" || Array.isArray(env)) return null;
  const entries = Object.entries(env);
  // Names that are no names would change where one assignment ends and the next begins.
  const isPlain = ([name, value]: [string, unknown]): boolean =>
    typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  return entries.every(isPlain) ? (Object.fromEntries(entries) as Record<string, string>) : null;
}

const TYPED_ACTIONS: readonly unknown[] = ["write", "send-keys", "submit", "paste"];

function readProcess({ params }: ToolCall): ToolUse {
  const { action } = params;
  if (!TYPED_ACTIONS.includes(action)) return HARMLESS;
  const hex = listOf(params["hex"]).map((byte) => (typeof byte === "string" ? readByte(byte) : UNKNOWN_KEY));
  const keys = listOf(params["keys"]).map((key) => (typeof key === "string" ? readKey(key) : UNKNOWN_KEY));
  const parts = [params["data"], params["literal"], params["text"]].filter((part) => part !== undefined);
  if (!parts.every((part) => typeof part === "string")) return { kind: "unreadable", why: "what is typed is not text" };
  const enter = action === "submit" ? "\r" : "";
  return typed(`process ${textOf(params["sessionId"])}`, [...parts, ...keys, ...hex].join("") + enter);
}

/** Stands for a key that may run the line, as Ctrl-O does in a shell. */
const UNKNOWN_KEY = "\x0f";
/** Stands for a key that changes the line or recalls another, without running it. */
const EDIT_KEY = "\x1b";
const KEYS: Readonly<Record<string, string>> = { enter: "\r", return: "\r", space: " ", tab: EDIT_KEY, "c-c": "\x03" };
const EDIT_KEYS =
  /^(?:up|down|left|right|home|end|page-?up|page-?down|backspace|bspace|delete|escape|esc|btab|f\d{1,2}|c-[abefhklnpuwy])$/;

function readKey(key: string): string {
  if (Array.from(key).length === 1) return key;
  const name = key.toLowerCase();
  return KEYS[name] ?? (EDIT_KEYS.test(name) ? EDIT_KEY : UNKNOWN_KEY);
}

function readByte(byte: string): string {
  const digits = /^(?:0x)?([0-7]?[0-9a-f])$/i.exec(byte)?.[1];
  return digits === undefined ? UNKNOWN_KEY : String.fromCharCode(Number.parseInt(digits, 16));
}

function typed(session: string, text: unknown): ToolUse {
  return typeof text === "string"
    ? { kind: "typed", session, text }
    : { kind: "unreadable", why: "what is typed is not text" };
}

const PATCH_FILE = /^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+)$/;

function readPatch({ params, derivedPaths }: ToolCall): ToolUse {
  const { input } = params;
  if (typeof input !== "string") return { kind: "unreadable", why: "the patch is not text" };
  const named = input.split(/\r?\n/).flatMap((line) => PATCH_FILE.exec(line.trim())?.slice(1) ?? []);
  return files([], [...named, ...derivedPaths]);
}

function readCron({ params }: ToolCall, _own: OwnNames): ToolUse {
  const job = objectOf(params["job"] ?? params["patch"]);
  const schedule = objectOf(job["schedule"] ?? params["schedule"]);
  const payload = objectOf(job["payload"] ?? params["payload"]);
  const commands = [schedule["command"], payload["argv"], payload["command"]].filter(
    (command) => command !== undefined,
  );
  if (commands.length === 0) return HARMLESS;
  const texts = commands.map((command) => (Array.isArray(command) ? quoteAll(command) : command));
  if (!texts.every((text) => typeof text === "string")) return { kind: "unreadable", why: "a command is not text" };
  return { kind: "command", text: texts.join("\n"), env: {}, parameter: null };
}

/** Configuration by which approvals, the token, the shell or this plugin would be switched off. */
const GUARDED_CONFIG =
  /^(?:$|\.$|plugins\b|approvals\b|gateway\b|security\b|secrets\b|tools\b|commands\b|channels\b|env\b|hooks\b)/;

function readSystemAgent({ params }: ToolCall, own: OwnNames): ToolUse {
  const action = textOf(params["action"]);
  const writes = ["config_set", "config_set_ref", "configure_gateway"].includes(action);
  if (writes && GUARDED_CONFIG.test(textOf(params["path"]).trim())) {
    return { kind: "protected", why: "it changes how this gateway is guarded" };
  }
  return action.startsWith("plugin_") ? aboutOurselves(action, params, own) : HARMLESS;
}

function readPlugins({ params }: ToolCall, own: OwnNames): ToolUse {
  const action = textOf(params["action"]);
  return ["list", "inspect", "search"].includes(action) ? HARMLESS : aboutOurselves(action, params, own);
}

function aboutOurselves(action: string, params: Params, own: OwnNames): ToolUse {
  const isOurs = JSON.stringify(params).includes(own.pluginId) || action === "plugin_activate_artifact";
  return isOurs ? { kind: "protected", why: "it changes the plugin that guards this gateway" } : HARMLESS;
}

function readNodes({ params }: ToolCall): ToolUse {
  if (params["action"] === "approve") return { kind: "protected", why: "it answers a pairing request" };
  const command = textOf(params["invokeCommand"]);
  if (params["action"] !== "invoke" || !command.startsWith("system.")) return HARMLESS;
  if (command !== "system.run") return { kind: "protected", why: `it calls ${command} on a node` };
  try {
    const given = objectOf(JSON.parse(textOf(params["invokeParamsJson"])));
    const text = given["rawCommand"] ?? (Array.isArray(given["command"]) ? quoteAll(given["command"]) : null);
    if (typeof text === "string") return { kind: "command", text, env: readEnv(given["env"]) ?? {}, parameter: null };
  } catch {
    // Not JSON: said below.
  }
  return { kind: "unreadable", why: "the command for the node cannot be read" };
}

function readBrowser({ params }: ToolCall, { gatewayPort }: OwnNames): ToolUse {
  const urls = [params["url"], params["targetUrl"], objectOf(params["request"])["url"]];
  const isControlUi = urls.some((url) => {
    const parsed = typeof url === "string" ? URL.parse(url) : null;
    return parsed !== null && gatewayPort !== null && parsed.port === String(gatewayPort);
  });
  return isControlUi ? { kind: "protected", why: "it opens this gateway's own pages" } : HARMLESS;
}

/** A message is plain text, unless it begins like the command that answers an approval. */
function withoutApproval(params: Params): ToolUse {
  const isAnswer = Object.values(params).some((value) => typeof value === "string" && /^\s*\/approve\b/i.test(value));
  return isAnswer ? { kind: "protected", why: "it would answer an approval" } : HARMLESS;
}

/** Every name under which a tool may take its path; one that is read by another name than ours must not slip by. */
function pathsOf(params: Params): readonly unknown[] {
  const given = ["path", "file_path", "filePath", "file"]
    .map((name) => params[name])
    .filter((path) => path !== undefined);
  return given.length === 0 ? [undefined] : given;
}

function files(reads: readonly unknown[], writes: readonly unknown[]): ToolUse {
  const isText = (path: unknown): path is string => typeof path === "string";
  if (!reads.every(isText) || !writes.every(isText)) return { kind: "unreadable", why: "a path is not text" };
  return { kind: "files", reads, writes };
}

/** What is no list counts as one unknown thing. */
function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [null];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The words as one line for a shell; undefined where one of them is not text. */
function quoteAll(words: readonly unknown[]): string | undefined {
  return words.every((word) => typeof word === "string") ? words.map(quoteShellWord).join(" ") : undefined;
}
