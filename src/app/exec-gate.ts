/**
 * What becomes of a tool call of the agent, before the host makes it. Clear commands pass. What
 * would elevate goes to the tool for it, or through the shim, where a person is asked; it never
 * reaches bare sudo. What cannot be read is asked about. What would touch the guards themselves is
 * refused. Anything that goes wrong in here refuses.
 */
import type { SessionIdentity } from "../core/elevation.ts";
import type { GatewayAsker, GatewayDecision, GatewayQuestion } from "../core/gateway-question.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { quoteShellWord } from "../core/shell-word.ts";
import { clip } from "../core/text.ts";
import type { EpochMs } from "../core/time.ts";
import type { PluginConfig } from "../schema/plugin-config.ts";
import { isAbove, isAtOrBelow, type ProtectedPaths } from "./protected-path.ts";
import { type OwnNames, readToolUse, type ToolCall, type ToolUse } from "./tool-use.ts";
import type { TypedText } from "./typed-text.ts";

/** What is known of a shell command without running it. */
export interface CommandReading {
  readonly verdict: "elevates" | "clear" | "opaque";
  /** Null: an elevation whose words are not all known. */
  readonly elevations: readonly { readonly program: string; readonly argv: readonly string[] | null }[];
  readonly reasons: readonly string[];
  /** The words after sudo, when the whole text is one plain call of sudo and nothing else. */
  readonly plainSudo: readonly string[] | null;
  /** The words for runPrivileged that would do the same; null where they cannot be told. */
  readonly advice: readonly string[] | null;
  /** Uses of what guards this machine; empty: none. */
  readonly protectedUses: readonly string[];
}

export interface ExecGateDeps {
  readonly own: OwnNames;
  readonly settings: PluginConfig["execGate"];
  readonly paths: ProtectedPaths;
  readonly readCommand: (text: string) => CommandReading;
  /** Where a path that the model wrote may lead, every reading of it; canonical. */
  readonly resolvePath: (path: string) => Promise<readonly string[]>;
  readonly typed: TypedText;
  /** Null: nobody can be asked, because the service does not run. */
  readonly asker: GatewayAsker | null;
  /** Null: there is no shim that the broker would answer. */
  readonly shim: ShimCall | null;
  /** Limits how often people are asked; the function ends the question. */
  readonly startQuestion: (text: string, session: SessionIdentity) => ((isDenied: boolean) => void) | Refusal;
  readonly record: (event: GateEvent) => Promise<void>;
  readonly now: () => EpochMs;
}

/** Absolute paths that a call of the shim is made of; see shim/main.ts. */
export interface ShimCall {
  readonly node: string;
  readonly path: string;
  readonly socket: string;
  readonly realSudo: string;
}

/** What the gate did that is worth a record. */
export interface GateEvent {
  readonly session: SessionIdentity;
  readonly tool: string;
  readonly text: string;
  readonly outcome: Refusal | Extract<GatewayDecision, { kind: "allow-once" }>;
}

export type GateAnswer =
  | { readonly kind: "pass" }
  /** The call goes on with this command instead. */
  | { readonly kind: "replace"; readonly parameter: "command"; readonly text: string }
  | { readonly kind: "refuse"; readonly refusal: Refusal };

const PASS: GateAnswer = { kind: "pass" };
/** Below the ten minutes that the host gives a hook at most. */
const QUESTION_MS = 9 * 60_000;

export async function decideToolCall(
  deps: ExecGateDeps,
  call: ToolCall,
  session: SessionIdentity | null,
  signal: AbortSignal,
): Promise<GateAnswer> {
  if (deps.settings.mode === "off") return PASS;
  const use = readToolUse(call, deps.own);
  const step = await decideUse(deps, use);
  switch (step.kind) {
    case "pass":
    case "replace":
      return step;
    case "refuse":
      return await refused(deps, call, use, session, step.refusal);
    case "ask": {
      const decision = await askPerson(deps, { use, why: step.why, session, signal });
      if (use.kind === "typed") deps.typed[decision.kind === "refused" ? "undo" : "ran"](use.session);
      if (decision.kind === "refused") return await refused(deps, call, use, session, decision);
      if (session !== null) await deps.record({ session, tool: call.tool, text: textOf(use), outcome: decision });
      return PASS;
    }
  }
}

type Step = GateAnswer | { readonly kind: "ask"; readonly why: string };

async function decideUse(deps: ExecGateDeps, use: ToolUse): Promise<Step> {
  switch (use.kind) {
    case "harmless":
      return PASS;
    case "protected":
      return no("protected-use", use.why);
    case "unreadable":
      return no("command-opaque", use.why);
    case "opaque":
      return decideOpaque(deps, use.why);
    case "files":
      return await decideFiles(deps, use.reads, use.writes);
    case "command":
      return decideCommand(deps, deps.readCommand(withEnv(use.text, use.env)), use);
    case "typed":
      return decideTyped(deps, use);
  }
}

/** Variables of the call count as if the command set them first: BASH_ENV and its like change what runs. */
function withEnv(text: string, env: Readonly<Record<string, string>>): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoteShellWord(value)}\n`);
  return exports.join("") + text;
}

function decideCommand(
  deps: ExecGateDeps,
  reading: CommandReading,
  use: { readonly parameter: "command" | null; readonly env: Readonly<Record<string, string>> },
): Step {
  const [protectedUse] = reading.protectedUses;
  if (protectedUse !== undefined) return no("protected-use", protectedUse);
  if (reading.verdict === "opaque") return decideOpaque(deps, reading.reasons[0] ?? "it cannot be read");
  if (reading.verdict === "clear") return PASS;
  const isPlain = reading.plainSudo !== null && Object.keys(use.env).length === 0;
  if (deps.shim !== null && use.parameter !== null && isPlain) {
    return { kind: "replace", parameter: use.parameter, text: throughShim(deps.shim, reading.plainSudo ?? []) };
  }
  return no("use-run-privileged", adviceFor(reading));
}

/** The token stays in the environment of the call: it is not for the host's records of commands. */
function throughShim({ node, path, socket, realSudo }: ShimCall, words: readonly string[]): string {
  const kept = [
    'OPENCLAW_ELEVATION_TOKEN="$OPENCLAW_ELEVATION_TOKEN"',
    '${OPENCLAW_PRIV_REASON:+"OPENCLAW_PRIV_REASON=$OPENCLAW_PRIV_REASON"}',
  ];
  const call = [node, "--no-addons", path, socket, realSudo, "sudo", ...words].map(quoteShellWord);
  return ["/usr/bin/env", "-i", ...kept, ...call].join(" ");
}

/** The exact call to make instead, as far as the command's words are known. */
function adviceFor({ elevations, advice }: CommandReading): string {
  const what = `it would run ${clip(elevations[0]?.program ?? "an elevator", 60)}`;
  const argv = advice === null ? "" : JSON.stringify(advice);
  if (advice === null || argv.length > 1_000) return what;
  const path = advice[0]?.startsWith("/") === true ? "" : ", with the absolute path of the command";
  return `${what}; call runPrivileged {"argv":${clip(argv, 1_000)},"reason":"..."}${path}`;
}

function decideTyped(deps: ExecGateDeps, use: Extract<ToolUse, { kind: "typed" }>): Step {
  const line = deps.typed.add(use.session, use.text);
  if (line.kind === "unknown") return line.runs ? decideOpaque(deps, line.why) : PASS;
  const step = decideCommand(deps, deps.readCommand(line.text), { parameter: null, env: {} });
  if (step.kind === "pass") deps.typed.accept(use.session);
  // What was refused is not typed, so the line is what it was before.
  if (step.kind === "refuse") deps.typed.undo(use.session);
  return step;
}

async function decideFiles(deps: ExecGateDeps, reads: readonly string[], writes: readonly string[]): Promise<Step> {
  const { unread, unchanged } = deps.paths;
  for (const path of writes) {
    const places = await deps.resolvePath(path);
    if (places.some((place) => isAtOrBelow(place, unchanged))) {
      return no("protected-use", `${clip(path, 200)} belongs to what guards this machine`);
    }
  }
  for (const path of reads) {
    const places = await deps.resolvePath(path);
    if (places.some((place) => isAtOrBelow(place, unread) || isAbove(place, unread))) {
      return no("protected-use", `${clip(path, 200)} holds the gateway's secrets`);
    }
  }
  return PASS;
}

function decideOpaque({ settings }: ExecGateDeps, why: string): Step {
  switch (settings.opaque) {
    case "allow":
      return PASS;
    case "refuse":
      return no("command-opaque", why);
    case "ask":
      return { kind: "ask", why };
  }
}

interface OpenQuestion {
  readonly use: ToolUse;
  readonly why: string;
  readonly session: SessionIdentity | null;
  readonly signal: AbortSignal;
}

type Yes = Extract<GatewayDecision, { kind: "allow-once" }>;

async function askPerson(deps: ExecGateDeps, open: OpenQuestion): Promise<Yes | Refusal> {
  const { session, why } = open;
  const { asker } = deps;
  if (session === null) return refuse("session-required", "the host named no session for this call");
  if (asker === null) return refuse("gate-unavailable", `${why}, and nobody can be asked about it`);
  const question = questionFor(open.use, why, session, deps.now() + QUESTION_MS);
  if ("code" in question) return question;
  if (!(await asker.hasRoute())) return refuse("no-route", `${why}, and nobody can be asked about it`);
  const end = deps.startQuestion(textOf(open.use), session);
  if (typeof end !== "function") return end;
  let isDenied = true;
  try {
    const decision = await asker.ask(question, open.signal);
    isDenied = decision.kind !== "allow-once";
    return decision.kind === "allow-once" ? decision : refuse(decision.code, `${why}, and it was not approved`);
  } finally {
    end(isDenied);
  }
}

const MAX_DESCRIPTION = 512;

/** Nothing is cut: a yes to half a command is a yes to nothing. */
function questionFor(
  use: ToolUse,
  why: string,
  session: SessionIdentity,
  expiresAt: EpochMs,
): GatewayQuestion | Refusal {
  const text = textOf(use);
  const description = [
    `What it does cannot be known without running it: ${clip(why, 120)}.`,
    "It runs as the gateway's user. The whole text:",
    clip(text, Number.MAX_SAFE_INTEGER),
  ].join("\n");
  if (description.length > MAX_DESCRIPTION) {
    return refuse("too-long-to-review", `${why}, and the command is too long to put before a person`);
  }
  return {
    title: "Run a command that cannot be read?",
    description,
    detail: null,
    severity: "warning",
    session,
    expiresAt,
  };
}

function textOf(use: ToolUse): string {
  switch (use.kind) {
    case "command":
    case "typed":
      return use.text;
    case "files":
      return use.writes.concat(use.reads).join(" ");
    case "opaque":
    case "protected":
    case "unreadable":
      return use.why;
    case "harmless":
      return "";
  }
}

async function refused(
  deps: ExecGateDeps,
  call: ToolCall,
  use: ToolUse,
  session: SessionIdentity | null,
  refusal: Refusal,
): Promise<GateAnswer> {
  const who = session ?? { session: "unknown", agent: null, channel: "gateway" };
  // What is refused stays refused, whether or not that can be written down.
  await deps.record({ session: who, tool: call.tool, text: textOf(use), outcome: refusal }).catch(() => undefined);
  return { kind: "refuse", refusal };
}

function no(code: Refusal["code"], message: string): Step {
  return { kind: "refuse", refusal: refuse(code, message) };
}
