import type { Device } from "./device.ts";
import { makeDevice } from "./device.ts";
import type { Gateway } from "./gateway.ts";

/** What a surface is told when something waits for a decision. */
export interface WaitingApproval {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly request: Readonly<Record<string, unknown>>;
}

export type TestDecision = "allow-once" | "deny" | "leave";

/** A connected client that answers approvals. */
export interface TestApprover {
  /** Everything it was asked so far. */
  readonly asked: readonly WaitingApproval[];
  /** Resolves with the next question that nobody took yet. */
  next(): Promise<WaitingApproval>;
  /** Answers by hand what was left. */
  resolve(id: string, decision: "allow-once" | "deny"): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

export interface TestApproverOptions {
  /** What it does with each question; default: leaves it, so that it only makes a route. */
  readonly decide?: (waiting: WaitingApproval) => TestDecision;
  readonly displayName?: string;
  /** Default: every one. */
  readonly scopes?: readonly string[];
}

/** Whoever holds the gateway's token and no device: resolver kind `runtime`. What an agent's exec can do. */
export async function runtimeApprover(gateway: Gateway, options: TestApproverOptions = {}): Promise<TestApprover> {
  return await connectApprover(gateway, null, options);
}

/** A process that pairs itself over loopback with a key of its own: resolver kind `device`. */
export async function deviceApprover(
  gateway: Gateway,
  options: TestApproverOptions = {},
  device: Device = makeDevice(),
): Promise<TestApprover & { readonly deviceId: string }> {
  return { deviceId: device.id, ...(await connectApprover(gateway, device, options)) };
}

async function connectApprover(
  gateway: Gateway,
  device: Device | null,
  { decide = () => "leave", displayName, scopes }: TestApproverOptions,
): Promise<TestApprover> {
  const asked: WaitingApproval[] = [];
  const waiting: ((approval: WaitingApproval) => void)[] = [];
  const untaken: WaitingApproval[] = [];
  const resolve: TestApprover["resolve"] = async (id, decision) =>
    await connection.request("approval.resolve", { id, kind: "plugin", decision });
  const connection = await gateway.connect({
    device,
    caps: ["approvals"],
    ...(scopes === undefined ? {} : { scopes }),
    client: {
      ...(device === null ? { id: "gateway-client", mode: "backend" } : { id: "cli", mode: "cli" }),
      ...(displayName === undefined ? {} : { displayName }),
    },
    onEvent: ({ event, payload }) => {
      if (event !== "plugin.approval.requested") return;
      const request = payload["request"] as Readonly<Record<string, unknown>>;
      const approval = {
        id: String(payload["id"]),
        title: String(request["title"]),
        description: String(request["description"]),
        request,
      };
      asked.push(approval);
      const take = waiting.shift();
      if (take === undefined) untaken.push(approval);
      else take(approval);
      const decision = decide(approval);
      // Somebody else may have answered first.
      if (decision !== "leave") resolve(approval.id, decision).catch(() => undefined);
    },
  });
  return {
    asked,
    next: async () => {
      const first = untaken.shift();
      return first ?? (await new Promise((done) => waiting.push(done)));
    },
    resolve,
    close: async () => await connection.close(),
  };
}
