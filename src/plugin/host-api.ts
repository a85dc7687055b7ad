/**
 * The part of OpenClaw's plugin interface that this plugin uses, in our own words, so that neither
 * building nor checking needs the host. test/host-types.test.ts compares it with the host's own types.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

export interface HostLogger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Who a tool call or an exec belongs to, as the host knows it. */
export interface HostCaller {
  readonly agentId?: string;
  readonly sessionKey?: string;
  readonly sessionId?: string;
}

export interface HostToolContext extends HostCaller {
  readonly senderIsOwner?: boolean;
  readonly workspaceDir?: string;
}

export interface HostToolResult {
  readonly content: { readonly type: "text"; readonly text: string }[];
  readonly details: unknown;
}

export interface HostTool {
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** JSON schema. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly execute: (callId: string, params: unknown, signal?: AbortSignal) => Promise<HostToolResult>;
  /** How long the host waits; approvals take minutes. */
  readonly getExecutionTimeoutMs?: () => number;
}

export interface HostBeforeToolCall {
  readonly toolName: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly toolKind?: string;
  readonly derivedPaths?: readonly string[];
}

export interface HostBeforeToolCallResult {
  readonly params?: Record<string, unknown>;
  readonly block?: boolean;
  readonly blockReason?: string;
}

export interface HostHookContext extends HostCaller {
  readonly abortSignal?: AbortSignal;
  readonly requester?: { readonly senderIsOwner?: boolean };
}

export interface HostHookOptions {
  /** Handlers with a lower one run later, and the last rewrite of parameters holds. */
  readonly priority?: number;
  readonly timeoutMs?: number;
}

export interface HostServiceContext {
  readonly stateDir: string;
  readonly config: unknown;
  readonly logger: HostLogger;
  readonly serviceHealth?: { reportFailure(error: unknown): void; clearFailure(): void };
}

export interface HostService {
  readonly id: string;
  readonly start: (context: HostServiceContext) => Promise<void>;
  readonly stop: (context: HostServiceContext) => Promise<void>;
}

export interface HostHttpRoute {
  readonly path: string;
  readonly match: "exact" | "prefix";
  /** `gateway`: the host lets in only who has the gateway's token, or a frame of its own Control UI. */
  readonly auth: "gateway";
  readonly handler: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
}

export interface HostChatCommand {
  readonly name: string;
  readonly description: string;
  readonly acceptsArgs: boolean;
  readonly requireAuth: boolean;
  readonly handler: (context: { readonly args?: string }) => Promise<{ readonly text: string }>;
}

export interface HostCliCommand {
  command(name: string): HostCliCommand;
  description(text: string): HostCliCommand;
  allowUnknownOption(): HostCliCommand;
  allowExcessArguments(): HostCliCommand;
  helpOption(flags: false): HostCliCommand;
  argument(name: string, description: string): HostCliCommand;
  action(run: (words: readonly string[]) => Promise<void>): HostCliCommand;
}

export interface HostCliDescriptor {
  readonly name: string;
  readonly description: string;
  readonly hasSubcommands: boolean;
}

export interface HostAuditFinding {
  readonly checkId: string;
  readonly severity: "info" | "warn" | "critical";
  readonly title: string;
  readonly detail: string;
  readonly remediation?: string;
}

/** What the host hands to `register`. It calls that several times, in copies of this module that share nothing. */
export interface HostApi {
  /** Folder this plugin is installed in; modules themselves run from a temporary copy. */
  readonly rootDir?: string;
  readonly registrationMode: string;
  readonly config: unknown;
  readonly pluginConfig?: Readonly<Record<string, unknown>>;
  readonly logger: HostLogger;
  readonly session?: {
    readonly controls?: { registerControlUiDescriptor(descriptor: HostTab): void };
  };
  registerTool(
    create: (context: HostToolContext) => HostTool[],
    options: { readonly names: string[]; readonly optional?: boolean },
  ): void;
  registerService(service: HostService): void;
  registerHttpRoute(route: HostHttpRoute): void;
  registerCommand(command: HostChatCommand): void;
  registerCli(
    registrar: (context: { readonly program: HostCliCommand }) => void,
    options: { readonly descriptors: readonly HostCliDescriptor[] },
  ): void;
  registerSecurityAuditCollector(collect: () => Promise<HostAuditFinding[]>): void;
  on(
    name: "before_tool_call",
    handler: (event: HostBeforeToolCall, context: HostHookContext) => Promise<HostBeforeToolCallResult | undefined>,
    options?: HostHookOptions,
  ): void;
  on(
    name: "after_tool_call",
    handler: (event: { readonly toolName: string }, context: HostHookContext) => void,
    options?: HostHookOptions,
  ): void;
  on(
    name: "resolve_exec_env",
    handler: (event: { readonly host: string }, context: HostCaller) => Record<string, string> | undefined,
    options?: HostHookOptions,
  ): void;
  on(
    name: "session_end" | "before_reset",
    handler: (event: unknown, context: HostCaller) => void,
    options?: HostHookOptions,
  ): void;
  on(
    name: "subagent_ended",
    handler: (event: { readonly targetSessionKey: string }) => void,
    options?: HostHookOptions,
  ): void;
}

/** A page of ours in the sidebar of the Control UI, shown in a sandboxed frame. */
export interface HostTab {
  readonly surface: "tab";
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  readonly group: "control";
  readonly path: string;
  readonly requiredScopes: "operator.read"[];
}

export interface HostPluginEntry {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly register: (api: HostApi) => void;
}
