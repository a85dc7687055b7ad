/**
 * The wiring of one gateway: one elevation, one broker, one gate for tool calls, one place for the
 * last reports. Made by the plugin's service, and used by every copy of the plugin's module.
 */
import { randomBytes } from "node:crypto";
import { uptime } from "node:os";
import { join } from "node:path";
import type { ElevationResult, RunResult } from "../app/elevation-result.ts";
import { decideToolCall, type GateAnswer, type GateEvent, type ShimCall } from "../app/exec-gate.ts";
import { bringsOutsideContent, createSessionTrust } from "../app/session-trust.ts";
import type { OwnNames, ToolCall } from "../app/tool-use.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import { createSessionTokens } from "../broker/session-token.ts";
import type { ApprovalsClient } from "../core/approvals-client.ts";
import type { SessionIdentity } from "../core/elevation.ts";
import { asSecurityError } from "../core/error.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { DEFAULT_PLUGIN_CONFIG, type PluginConfigState } from "../schema/plugin-config.ts";
import { createGatewayApprovals } from "./approvals.ts";
import { brokerSocketPath, openBroker } from "./broker.ts";
import { createEffects, type EngineOptions } from "./effects.ts";
import { createElevation, type ElevationStatus, realSudoPath } from "./elevate.ts";
import { gateDeps } from "./exec-gate.ts";
import { createReports, type GatewayReports } from "./gateway-report.ts";
import { wire } from "./wire.ts";

export interface GatewayOptions extends EngineOptions {
  readonly config: PluginConfigState;
  readonly own: OwnNames;
  /** Folder the plugin is installed in. */
  readonly rootDir: string;
  readonly workspaces: readonly string[];
  /** The plugin's client of the gateway's approvals; opened once, closed with the engine. */
  readonly client: ApprovalsClient & { close(): void };
}

/** Whose call it is, in the host's words. */
export interface GatewayCaller {
  readonly sessionKey: string | null;
  readonly agent: string | null;
}

export interface GatewayStatus {
  readonly config: PluginConfigState["kind"];
  /** What does not work, in words; empty: all does. */
  readonly problems: readonly string[];
  readonly elevation: ElevationStatus;
  readonly pending: readonly string[];
}

/** What one gateway runs. Nothing in here rejects except `GatewayReports`, with a SecurityError. */
export interface GatewayEngine {
  readonly reports: GatewayReports;
  requestElevation(raw: unknown, caller: GatewayCaller): Promise<ElevationResult | Refusal>;
  runPrivileged(raw: unknown, caller: GatewayCaller): Promise<RunResult | Refusal>;
  readonly decide: (call: ToolCall, caller: GatewayCaller, signal: AbortSignal) => Promise<GateAnswer>;
  /** Null: the host named no session, so a shim of this process would be refused. */
  mintToken(caller: GatewayCaller): string | null;
  noteToolResult(tool: string, caller: GatewayCaller): void;
  endSession(sessionKey: string): void;
  status(): Promise<GatewayStatus>;
  close(): Promise<void>;
}

/** Opens everything. What cannot be opened is a problem in `status`, and refuses what needed it. */
export async function openGateway(options: GatewayOptions): Promise<GatewayEngine> {
  const { config: state, client, rootDir } = options;
  const config = state.kind === "valid" ? state.config : DEFAULT_PLUGIN_CONFIG;
  const env = options.env ?? process.env;
  const stateOptions: EngineOptions = {
    ...options,
    ...(config.sudoPath === null ? {} : { sudoPath: config.sudoPath }),
  };
  const folder = join(createEffects(stateOptions).securityDir(), "assessments");
  const engine: EngineOptions = { ...stateOptions, assessmentsDir: options.assessmentsDir ?? folder };
  const effects = createEffects(engine);
  const trust = createSessionTrust();
  const tokens = createSessionTokens({ now: effects.now, newToken: () => randomBytes(32).toString("base64url") });
  const problems: string[] = state.kind === "valid" ? [] : [`config: ${state.message}`];

  /** The host's own session, narrowed by the task's name where the gateway was started with one. */
  const task = env["OPENCLAW_TASK_SESSION_ID"] ?? "";
  const suffix = task === "" ? "" : ` ${task}`;
  const sessionName = (key: string): string => `${key}${suffix}`;
  const hostKey = (name: string): string => name.slice(0, name.length - suffix.length);

  const approvals = createGatewayApprovals(effects, {
    client: {
      ...client,
      // The host knows its own sessions only.
      request: async (question, how) => {
        const session = { ...question.session, session: hostKey(question.session.session) };
        return await client.request({ ...question, session }, how);
      },
    },
    rules: config.approvers,
    token: config.approvalToken,
    record: async (event) => await elevation.record(event),
  });
  const elevation = createElevation(effects, {
    approver: approvals.approver,
    exclusive: true,
    limits: { idleMinutes: config.idleMinutes, questionMs: config.answerWithinSeconds * 1_000 },
    accept: config.approvers.allowRuntime ? [...config.approvers.accept, "runtime"] : config.approvers.accept,
    isUntrusted: (session) => trust.isUntrusted(session),
    waitsForRoute: env["OPENCLAW_ALLOW_NONINTERACTIVE_SUDO"] === "1",
  });
  const broker = await openBroker(effects, elevation, tokens).catch((thrown: unknown) => {
    problems.push(`broker: ${asSecurityError(thrown).message}`);
    return null;
  });

  const record = async (event: GateEvent): Promise<void> => {
    await elevation.record(gateRecord(event));
  };
  const readClocks = () => ({
    wallMs: effects.now(),
    monotonicMs: effects.monotonicMs(),
    uptimeMs: options.uptime?.() ?? uptime() * 1000,
  });
  const shim: ShimCall | null =
    broker === null
      ? null
      : {
          node: process.execPath,
          path: join(rootDir, "dist/shim.cjs"),
          socket: brokerSocketPath(effects),
          realSudo: realSudoPath(effects),
        };
  const gate = gateDeps(effects, {
    own: options.own,
    config,
    rootDir,
    workspaces: options.workspaces,
    live: { asker: approvals.asker, shim, readClocks, record },
  });

  const sessionOf = ({ sessionKey, agent }: GatewayCaller): SessionIdentity | Refusal => {
    if (state.kind === "broken") return refuse("config-broken", state.message);
    if (sessionKey === null || sessionKey === "") return refuse("session-required", "the host named no session");
    return { session: sessionName(sessionKey), agent, channel: "gateway" };
  };

  return {
    reports: createReports(effects, wire(engine)),
    requestElevation: async (raw, caller) => {
      const session = sessionOf(caller);
      return "kind" in session ? session : await elevation.requestElevation(raw, session);
    },
    runPrivileged: async (raw, caller) => {
      const session = sessionOf(caller);
      return "kind" in session ? session : await elevation.runPrivileged(raw, session);
    },
    decide: async (call, caller, signal) => {
      const session = sessionOf(caller);
      return await decideToolCall(gate, call, "kind" in session ? null : session, signal);
    },
    mintToken: (caller) => {
      const session = sessionOf(caller);
      return "kind" in session ? null : tokens.mint(session);
    },
    noteToolResult: (tool, { sessionKey }) => {
      if (sessionKey !== null && bringsOutsideContent(tool)) trust.mark(sessionName(sessionKey));
    },
    endSession: (sessionKey) => {
      const session = sessionName(sessionKey);
      tokens.endSession(session);
      trust.endSession(session);
      // What cannot be recorded is gone all the same.
      elevation.dropSession(session).catch(() => undefined);
    },
    status: async () => {
      const health = broker === null ? null : await broker.health();
      return {
        config: state.kind,
        problems: health === null ? problems : [...problems, `broker: ${health}`],
        elevation: elevation.status(),
        pending: await approvals.pending(),
      };
    },
    close: async () => {
      await Promise.allSettled([broker?.close(), elevation.close()]);
      client.close();
    },
  };
}

/** What the gate did, in the words of the audit log. */
function gateRecord({ session, tool, text, outcome }: GateEvent): AuditEvent {
  const subject = { ...session, requestId: null, digest: null };
  if (outcome.kind === "refused") {
    const { code, message } = outcome;
    return { ...subject, event: "refused", code, message, argv: [tool, text] };
  }
  const { by } = outcome;
  return { ...subject, event: "decision", approver: "gateway", decision: "allow-once", by, code: null, keep: false };
}
