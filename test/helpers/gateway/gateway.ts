import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectOptions, connectGateway, type GatewayConnection } from "./connection.ts";
import { type GatewayHome, type GatewayWish, identity, makeGatewayHome } from "./home.ts";
import { type ModelStep, type ScriptedModel, startScriptedModel } from "./scripted-model.ts";

export interface AgentTurn {
  /** Text of each tool result as the model saw it, in the order of the script's calls. */
  readonly toolResults: readonly string[];
  /** Names of the tools the model was offered. */
  readonly tools: readonly string[];
  /** The gateway's answer to the whole turn. */
  readonly result: Readonly<Record<string, unknown>>;
}

export interface TurnOptions {
  /** Turns of the same key share a session. Default: a new session. */
  readonly sessionKey?: string;
  /** Default "webchat", on which approvals can be asked; null: none, as `openclaw agent` without `--channel`. */
  readonly channel?: string | null;
  readonly timeoutMs?: number;
}

/** A real gateway process, ready to be used. */
export interface Gateway extends GatewayHome {
  readonly pid: number;
  /** To start it again with after `kill`. */
  readonly model: ScriptedModel | null;
  /** How long it took to get ready. */
  readonly startMs: number;
  /** Connects a client; the token is the gateway's unless another is given. */
  connect(options?: Omit<ConnectOptions, "port" | "token"> & { readonly token?: string }): Promise<GatewayConnection>;
  /** One RPC of a client with every scope, by the gateway's token: what any process of its account can do. */
  call(method: string, params?: unknown): Promise<Readonly<Record<string, unknown>>>;
  /**
   * One tool call over the host's HTTP door: the same tools, policies and hooks as in a turn, without the
   * model and its seconds. Resolves with the result that a model would get.
   */
  invokeTool(tool: string, args: Readonly<Record<string, unknown>>, sessionKey?: string): Promise<unknown>;
  /** Plays the steps as one turn of the agent and waits for its end. */
  agentTurn(steps: readonly ModelStep[], options?: TurnOptions): Promise<AgentTurn>;
  log(): Promise<string>;
  /** Ends by SIGTERM, as a service manager would. */
  stop(): Promise<void>;
  /** Ends at once. */
  kill(): Promise<void>;
}

/** For the hook that starts a gateway. About 17 s where nothing else runs, and minutes on a machine that is busy. */
export const READY_WITHIN_MS = 600_000;
const TRY_MS = 190_000;
const TRIES = 3;

/** Makes a home, a scripted model and a gateway. Call `stop` of what it returns, in `afterAll`. */
export async function startGateway(wish: GatewayWish = {}): Promise<Gateway> {
  const model = await startScriptedModel();
  try {
    return await startIn(await makeGatewayHome({ ...wish, model }), model);
  } catch (thrown) {
    await model.close();
    throw thrown;
  }
}

/** Starts a gateway in a home that is there already, such as one in which a plugin was installed, or after `kill`. */
export async function startIn(home: GatewayHome, model: ScriptedModel | null = null): Promise<Gateway> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await startOnce(home, model);
    } catch (thrown) {
      // On a busy machine the host gives up on itself: it allows its own workers five seconds to come up.
      if (left <= 1 || !String(thrown).includes("did not become ready")) throw thrown;
    }
  }
}

async function startOnce(home: GatewayHome, model: ScriptedModel | null): Promise<Gateway> {
  const begun = performance.now();
  // Ends with this process, whatever becomes of the tests.
  const words = ["--pdeathsig", "KILL", "--", home.node, home.bin, "gateway", "run"];
  const child = spawn("/usr/bin/setpriv", words, {
    cwd: home.home,
    env: { ...home.env },
    stdio: ["ignore", "pipe", "pipe"],
    ...identity(home.user),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const ended = once(child, "close");
  try {
    await waitUntilReady(child, home.port);
  } catch (cause) {
    child.kill("SIGKILL");
    throw new Error(`the gateway did not get ready:\n${output.slice(-4_000)}`, { cause });
  }
  const startMs = Math.round(performance.now() - begun);

  const connect: Gateway["connect"] = async (options = {}) =>
    await connectGateway({ port: home.port, token: home.token, ...options });
  const call: Gateway["call"] = async (method, params = {}) => {
    const connection = await connect();
    try {
      return await connection.request(method, params);
    } finally {
      await connection.close();
    }
  };
  const finish = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    child.kill(signal);
    // A gateway that cannot stop in time is ended for good.
    const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
    await ended;
    clearTimeout(timer);
  };
  return {
    ...home,
    pid: child.pid ?? 0,
    model,
    startMs,
    connect,
    call,
    invokeTool: async (tool, args, sessionKey = `agent:main:test-${randomUUID()}`) => {
      const response = await fetch(`http://127.0.0.1:${home.port}/tools/invoke`, {
        method: "POST",
        headers: { authorization: `Bearer ${home.token}`, "content-type": "application/json" },
        body: JSON.stringify({ tool, args, sessionKey }),
      });
      const body = (await response.json()) as { ok?: boolean; result?: unknown };
      if (body.ok !== true) throw new Error(`${tool}: ${response.status} ${JSON.stringify(body)}`);
      return body.result;
    },
    agentTurn: async (steps, options = {}) => {
      if (model === null) throw new Error("this gateway has no scripted model");
      return await playTurn(await connect(), model, steps, options);
    },
    log: async () => `${output}\n${await readFile(home.logPath, "utf8").catch(() => "")}`,
    stop: async () => {
      await finish("SIGTERM");
      await model?.close();
    },
    kill: async () => await finish("SIGKILL"),
  };
}

async function waitUntilReady(child: ChildProcess, port: number): Promise<void> {
  const until = Date.now() + TRY_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended with ${child.exitCode}`);
    if (await isReady(port)) return;
    await sleep(100);
  }
  throw new Error("not ready in time");
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
    const body = (await response.json()) as { ready?: boolean };
    return body.ready === true;
  } catch {
    // Not listening yet.
    return false;
  }
}

async function playTurn(
  connection: GatewayConnection,
  model: ScriptedModel,
  steps: readonly ModelStep[],
  { sessionKey, channel = "webchat", timeoutMs = 120_000 }: TurnOptions,
): Promise<AgentTurn> {
  const message = model.script([...steps, { text: "done" }]);
  try {
    const params = {
      message,
      agentId: "main",
      sessionKey: sessionKey ?? `agent:main:test-${randomUUID()}`,
      idempotencyKey: randomUUID(),
      ...(channel === null ? {} : { channel }),
    };
    const result = await connection.request("agent", params, { isFinal: true, timeoutMs });
    const { toolResults, tools } = model.recordOf(message);
    return { toolResults, tools, result };
  } finally {
    await connection.close();
  }
}
