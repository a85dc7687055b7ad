import type { ApprovalsClient } from "../core/approvals-client.ts";
import type { GatewayQuestion } from "../core/gateway-question.ts";

export interface OpenApprovalsClient extends ApprovalsClient {
  close(): void;
}

const APPROVALS_CLIENT_NAME = "Cyber Security Engineer";
const PLUGIN_ID = "cyber-security-engineer";
const ANSWER_WITHIN_MS = 15_000;
/** Newest first; a decision is looked up at once, so it is among the first of them. */
const HISTORY_LENGTH = 50;

/**
 * Opens the plugin's own client of the gateway's approvals: it may ask and read what was decided, and has
 * no other right. One client only: a second one of ours would count as somebody who can answer, and a
 * question that reaches nobody would wait instead of being refused.
 */
export async function openApprovalsClient(hostConfig: unknown): Promise<OpenApprovalsClient> {
  // Loaded when it is needed: the plugin itself must load fast.
  const host = await import("openclaw/plugin-sdk/gateway-runtime");
  let isConnected = false;
  const client = await host.createOperatorApprovalsGatewayClient({
    config: hostConfig,
    clientDisplayName: APPROVALS_CLIENT_NAME,
    onHelloOk: () => {
      isConnected = true;
    },
    onClose: () => {
      isConnected = false;
    },
  });
  // Connects by itself, and again after each loss.
  await host.startGatewayClientWhenEventLoopReady(client, { clientOptions: {} });
  const short = { timeoutMs: ANSWER_WITHIN_MS };
  return {
    isConnected: () => isConnected,
    request: async (question, options) =>
      await client.request("plugin.approval.request", requestParams(question, options), short),
    waitDecision: async (id) => await client.request("plugin.approval.waitDecision", { id }, { timeoutMs: null }),
    history: async () => await client.request("approval.history", { kind: "plugin", limit: HISTORY_LENGTH }, short),
    withdraw: async (id) => {
      await client.request("plugin.approval.resolve", { id, decision: "deny" }, short);
    },
    close: () => client.stop(),
  };
}

function requestParams(
  { title, description, detail, severity, session }: GatewayQuestion,
  { timeoutMs, reviewers }: { readonly timeoutMs: number; readonly reviewers: readonly string[] },
): Readonly<Record<string, unknown>> {
  return {
    pluginId: PLUGIN_ID,
    title,
    description,
    severity,
    allowedDecisions: ["allow-once", "deny"],
    timeoutMs,
    twoPhase: true,
    sessionKey: session.session,
    ...(detail === null ? {} : { detail }),
    ...(session.agent === null ? {} : { agentId: session.agent }),
    ...(reviewers.length === 0 ? {} : { approvalReviewerDeviceIds: reviewers }),
  };
}
