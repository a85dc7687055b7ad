import type { GatewayClient } from "openclaw/plugin-sdk/gateway-runtime";
import type { ApprovalsClient } from "../core/approvals-client.ts";
import type { GatewayQuestion } from "../core/gateway-question.ts";

export interface OpenApprovalsClient extends ApprovalsClient {
  close(): void;
}

const APPROVALS_CLIENT_NAME = "Cyber Security Engineer";
const PLUGIN_ID = "cyber-security-engineer";
const ANSWER_WITHIN_MS = 15_000;
const RECONNECT_MS = 1_000;
/** Newest first; a decision is looked up at once, so it is among the first of them. */
const HISTORY_LENGTH = 50;

/**
 * Opens the plugin's own client of the gateway's approvals: it may ask and read what was decided, and has
 * no other right. One client only: a second one of ours would count as somebody who can answer, and a
 * question that reaches nobody would wait instead of being refused.
 */
export async function openApprovalsClient(hostConfig: unknown, onConnected: () => void): Promise<OpenApprovalsClient> {
  // Loaded when it is needed: the plugin itself must load fast.
  const host = await import("openclaw/plugin-sdk/gateway-runtime");
  let client: GatewayClient | null = null;
  let isConnected = false;
  let isClosed = false;
  const connect = async (): Promise<void> => {
    const opened = await host.createOperatorApprovalsGatewayClient({
      config: hostConfig,
      clientDisplayName: APPROVALS_CLIENT_NAME,
      onHelloOk: () => {
        if (client !== opened) return;
        isConnected = true;
        onConnected();
      },
      onClose: () => {
        if (client !== opened) return;
        isConnected = false;
        client = null;
        // It would connect again by itself, but after refusals while the gateway starts only half a minute later.
        opened.stop();
        connectSoon();
      },
    });
    if (isClosed) return;
    client = opened;
    opened.start();
  };
  const connectSoon = (): void => {
    if (isClosed) return;
    setTimeout(() => {
      if (!isClosed) connect().catch(connectSoon);
    }, RECONNECT_MS).unref();
  };
  await connect();

  const request = async (method: string, params: unknown, timeoutMs: number | null): Promise<unknown> => {
    if (client === null) throw new Error("the gateway's approvals cannot be reached");
    return await client.request(method, params, { timeoutMs });
  };
  return {
    isConnected: () => isConnected,
    request: async (question, options) =>
      await request("plugin.approval.request", requestParams(question, options), ANSWER_WITHIN_MS),
    waitDecision: async (id) => await request("plugin.approval.waitDecision", { id }, null),
    history: async () => await request("approval.history", { kind: "plugin", limit: HISTORY_LENGTH }, ANSWER_WITHIN_MS),
    withdraw: async (id) => {
      await request("plugin.approval.resolve", { id, decision: "deny" }, ANSWER_WITHIN_MS);
    },
    close: () => {
      isClosed = true;
      isConnected = false;
      client?.stop();
      client = null;
    },
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
