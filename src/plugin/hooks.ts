import type { GateAnswer } from "../app/exec-gate.ts";
import type { ToolCall } from "../app/tool-use.ts";
import { asSecurityError } from "../core/error.ts";
import { helpFor, refuse } from "../core/refusal.ts";
import type { GatewayCaller, GatewayEngine } from "../deps/gateway.ts";
import { callerOf } from "./caller.ts";
import type { HostApi, HostBeforeToolCall, HostBeforeToolCallResult, HostHookContext } from "./host-api.ts";

/** The gate of a gateway, or the one that refuses where no service runs. */
export type Decide = (call: ToolCall, caller: GatewayCaller, signal: AbortSignal) => Promise<GateAnswer>;

/** What the host lets a hook take at most; the question to a person ends before it. */
const HOOK_TIMEOUT_MS = 600_000;
/** Last of all handlers, so that a rewrite of ours is the one that holds. */
const LAST = -1_000_000;

export function registerHooks(
  api: HostApi,
  engineNow: () => GatewayEngine | null,
  decideAlone: () => Promise<Decide>,
): void {
  api.on(
    "before_tool_call",
    async (event, context) => {
      try {
        const engine = engineNow();
        const decide: Decide = engine === null ? await decideAlone() : engine.decide;
        const answer = await decide(
          toolCallOf(event),
          callerOf(context),
          context.abortSignal ?? new AbortController().signal,
        );
        return hostAnswer(answer, event.params);
      } catch (thrown) {
        const { code, message } = asSecurityError(thrown);
        return hostAnswer({ kind: "refuse", refusal: refuse("internal-error", `${code}: ${message}`) }, event.params);
      }
    },
    { priority: LAST, timeoutMs: HOOK_TIMEOUT_MS },
  );
  api.on("after_tool_call", (event, context) => engineNow()?.noteToolResult(event.toolName, callerOf(context)));
  api.on("resolve_exec_env", (event, context) => {
    // The broker is on this host; elsewhere its token would say nothing.
    const token = event.host === "gateway" ? engineNow()?.mintToken(callerOf(context)) : null;
    return typeof token === "string" ? { OPENCLAW_ELEVATION_TOKEN: token } : undefined;
  });
  const endSession = (_event: unknown, { sessionKey }: HostHookContext): void => {
    if (sessionKey !== undefined) engineNow()?.endSession(sessionKey);
  };
  api.on("session_end", endSession);
  api.on("before_reset", endSession);
  api.on("subagent_ended", ({ targetSessionKey }) => engineNow()?.endSession(targetSessionKey));
}

function toolCallOf({ toolName, params, toolKind, derivedPaths }: HostBeforeToolCall): ToolCall {
  return { tool: toolName, params, toolKind: toolKind ?? null, derivedPaths: derivedPaths ?? [] };
}

function hostAnswer(answer: GateAnswer, params: HostBeforeToolCall["params"]): HostBeforeToolCallResult | undefined {
  switch (answer.kind) {
    case "pass":
      return undefined;
    case "replace":
      return { params: { ...params, [answer.parameter]: answer.text } };
    case "refuse": {
      const { code, message } = answer.refusal;
      return { block: true, blockReason: `Refused (${code}): ${message}. ${helpFor(code)}` };
    }
  }
}
