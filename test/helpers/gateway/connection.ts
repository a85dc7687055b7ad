import { randomUUID } from "node:crypto";
import { type Device, signedDevice } from "./device.ts";

/** What the gateway sends unasked. */
export interface GatewayEvent {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface ConnectOptions {
  readonly port: number;
  readonly token: string;
  readonly scopes?: readonly string[];
  /** One of the host's own client ids and modes; the gateway knows no others. */
  readonly client?: { readonly id: string; readonly mode: string; readonly displayName?: string };
  readonly caps?: readonly string[];
  /** Null: no device, which the gateway allows to backend clients on loopback alone. */
  readonly device?: Device | null;
  readonly onEvent?: (event: GatewayEvent) => void;
}

/** A WebSocket of the host's protocol, spoken by us: no code of the host stands between a test and the gateway. */
export interface GatewayConnection {
  readonly hello: Readonly<Record<string, unknown>>;
  /**
   * Two-phase methods answer "accepted" first; `isFinal` waits for the answer after that.
   * @throws {GatewayRequestError} what the gateway refused, with its code and details
   */
  request(method: string, params: unknown, options?: RequestOptions): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly isFinal?: boolean;
  readonly onAccepted?: (payload: Readonly<Record<string, unknown>>) => void;
  readonly timeoutMs?: number;
}

class GatewayRequestError extends Error {
  readonly error: Readonly<Record<string, unknown>>;
  constructor(method: string, error: Readonly<Record<string, unknown>>) {
    super(`${method}: ${JSON.stringify(error)}`);
    this.error = error;
  }
}

const ALL_SCOPES: readonly string[] = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
];

interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly ok?: boolean;
  readonly event?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly error?: Readonly<Record<string, unknown>>;
}

interface Pending {
  readonly method: string;
  readonly options: RequestOptions;
  readonly done: (payload: Readonly<Record<string, unknown>>) => void;
  readonly failed: (error: Error) => void;
}

/** Connects as an operator. Rejects with what the gateway said when it does not let the client in. */
export async function connectGateway(options: ConnectOptions): Promise<GatewayConnection> {
  const { port, token, scopes = ALL_SCOPES, caps = [], device = null } = options;
  const client = { id: "gateway-client", mode: "backend", ...options.client };
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const pending = new Map<string, Pending>();
  const closed = Promise.withResolvers<void>();
  const challenge = Promise.withResolvers<{ nonce: string; ts: number }>();

  const end = (why: string): void => {
    for (const { method, failed } of pending.values()) failed(new Error(`${method}: ${why}`));
    pending.clear();
    challenge.reject(new Error(why));
    closed.resolve();
  };
  challenge.promise.catch(() => undefined);
  socket.addEventListener("close", ({ code, reason }) => end(`closed ${code} ${reason}`));
  socket.addEventListener("error", () => end("the connection failed"));
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as Frame;
    if (frame.type === "res") return answer(pending, frame);
    if (frame.event === "connect.challenge") return challenge.resolve(frame.payload as { nonce: string; ts: number });
    if (frame.event !== undefined) options.onEvent?.({ event: frame.event, payload: frame.payload ?? {} });
  });

  const request: GatewayConnection["request"] = async (method, params, how = {}) => {
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<Readonly<Record<string, unknown>>>();
    pending.set(id, { method, options: how, done: resolve, failed: reject });
    socket.send(JSON.stringify({ type: "req", id, method, params }));
    const timer = setTimeout(() => {
      pending.delete(id);
      reject(new Error(`${method}: no answer in time`));
    }, how.timeoutMs ?? 60_000);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  };

  const { nonce, ts } = await challenge.promise;
  const role = "operator";
  const identity = { clientId: client.id, clientMode: client.mode, role, scopes, token, nonce, signedAt: ts };
  const hello = await request("connect", {
    minProtocol: 4,
    maxProtocol: 4,
    client: { version: "1.0.0", platform: "linux", ...client },
    role,
    scopes,
    caps,
    auth: { token },
    ...(device === null ? {} : { device: signedDevice(device, identity) }),
  });
  return {
    hello,
    request,
    close: async () => {
      socket.close();
      await closed.promise;
    },
  };
}

function answer(pending: Map<string, Pending>, { id = "", ok, payload = {}, error = {} }: Frame): void {
  const waiting = pending.get(id);
  if (waiting === undefined) return;
  const { method, options, done, failed } = waiting;
  if (ok === true && options.isFinal === true && payload["status"] === "accepted") {
    options.onAccepted?.(payload);
    return;
  }
  pending.delete(id);
  if (ok === true) done(payload);
  else failed(new GatewayRequestError(method, error));
}
