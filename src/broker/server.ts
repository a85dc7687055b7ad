import { createServer, type Server, type Socket } from "node:net";
import type { OutputSink, SessionIdentity } from "../core/elevation.ts";
import { asSecurityError } from "../core/error.ts";
import { helpFor, refuse, type Refusal } from "../core/refusal.ts";
import { EXIT_FAILED, EXIT_REFUSED, type ShimReply, type ShimRequest } from "../core/shim.ts";
import { encodeFrame, FRAME, MAX_FRAME_BYTES } from "./frame.ts";
import { createRequestReader, type ReceivedRequest } from "./request-reader.ts";

/** Names one socket file for good; where it is kept is up to the effects. */
export interface BrokerPlace {
  /** Has the server listen once the place is free and safe; rejects otherwise. */
  claim(listen: (path: string) => Promise<void>): Promise<void>;
  /** False: the socket file was removed or replaced, so nobody reaches us any more. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

export interface BrokerLimits {
  readonly connections: number;
  /** Requests of one session that may be under way at once. */
  readonly perSession: number;
  /** From the connection until the whole request has come. */
  readonly requestMs: number;
  /** Output that waits for a slow reader; more is asked for only below it. */
  readonly pausedBytes: number;
  /** Where even that cannot be waited for, the rest is dropped and said so. */
  readonly droppedBytes: number;
}

const LIMITS: BrokerLimits = {
  connections: 64,
  perSession: 8,
  requestMs: 5_000,
  pausedBytes: 512 * 1024,
  droppedBytes: 4 * 1024 * 1024,
};

export interface BrokerDeps {
  readonly place: BrokerPlace;
  readonly findSession: (token: string) => SessionIdentity | null;
  /** Deals with one request. What it throws ends that request only. */
  readonly run: (
    request: ShimRequest,
    session: SessionIdentity,
    watch: { readonly signal: AbortSignal; readonly onOutput: OutputSink },
  ) => Promise<ShimReply>;
  readonly limits?: Partial<BrokerLimits>;
}

export interface Broker {
  /** Null: reachable. Else why it is not, in one line. */
  health(): Promise<string | null>;
  /** Takes no more, ends what is under way and waits for it. */
  close(): Promise<void>;
}

/**
 * The gateway's end of the sudo shim. It knows who asks by their token and hands the request on:
 * no rule about commands is in here. Whatever is not exactly one right request is hung up on.
 */
export async function startBroker(deps: BrokerDeps): Promise<Broker> {
  const limits = { ...LIMITS, ...deps.limits };
  const running = new Map<string, number>();
  const open = new Set<Socket>();
  const working = new Set<Promise<void>>();

  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    // A client may go away at any time; `close` follows and tells.
    socket.on("error", () => undefined);
    receive(socket, limits, (received) => {
      const work = serve(deps, limits, running, socket, received);
      working.add(work);
      void work.finally(() => working.delete(work));
    });
  });
  server.maxConnections = limits.connections;
  try {
    await deps.place.claim(async (path) => await listen(server, path));
  } catch (thrown) {
    server.close();
    throw thrown;
  }
  // A failed accept (no descriptors left) must not end the gateway.
  server.on("error", () => undefined);

  return {
    health: async () => {
      if (!server.listening) return "the broker has stopped";
      return (await deps.place.isHeld()) ? null : "the broker's socket was removed or replaced";
    },
    close: async () => {
      await deps.place.release();
      server.close();
      for (const socket of open) socket.destroy();
      await Promise.allSettled(working);
    },
  };
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen(path, () => {
      server.removeListener("error", failed);
      done();
    });
  });
}

/** Reads until one whole request has come; hangs up on anything else. */
function receive(socket: Socket, limits: BrokerLimits, take: (received: ReceivedRequest) => void): void {
  const read = createRequestReader();
  const deadline = setTimeout(() => socket.destroy(), limits.requestMs);
  socket.on("close", () => clearTimeout(deadline));
  socket.on("data", (chunk) => {
    const progress = read(chunk);
    if (progress === "malformed") socket.destroy();
    else if (progress !== "more") {
      clearTimeout(deadline);
      take(progress);
    }
  });
}

async function serve(
  deps: BrokerDeps,
  limits: BrokerLimits,
  running: Map<string, number>,
  socket: Socket,
  { token, request }: ReceivedRequest,
): Promise<void> {
  const reply = (answer: ShimReply): void =>
    void socket.end(encodeFrame(FRAME.end, Buffer.from(JSON.stringify(answer))));
  const session = deps.findSession(token);
  if (session === null) {
    reply(refused(refuse("token-unknown", "the call belongs to no session of this gateway")));
    return;
  }
  const count = running.get(session.session) ?? 0;
  if (count >= limits.perSession) {
    reply(refused(refuse("too-many-pending", `${count} calls of this session are under way`)));
    return;
  }
  running.set(session.session, count + 1);
  const gone = new AbortController();
  socket.on("close", () => gone.abort());
  socket.write(encodeFrame(FRAME.taken, Buffer.alloc(0)));
  const output = createOutput(socket, limits);
  try {
    const answer = await deps.run(request, session, { signal: gone.signal, onOutput: output.sink });
    reply(output.isCut() && answer.kind !== "passthrough" ? { ...answer, text: `${CUT}${answer.text}` } : answer);
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    reply({ kind: "exit", exitCode: EXIT_FAILED, text: `sudo: ${code}: ${message}\n` });
  } finally {
    const left = (running.get(session.session) ?? 1) - 1;
    if (left === 0) running.delete(session.session);
    else running.set(session.session, left);
  }
}

const CUT = "sudo: part of the output was dropped, because nobody read it in time\n";

function refused({ code, message }: Refusal): ShimReply {
  return { kind: "exit", exitCode: EXIT_REFUSED, text: `sudo: ${code}: ${message}\nsudo: ${helpFor(code)}\n` };
}

/** Hands output on as fast as it is read, and holds no more of it than the limits say. */
function createOutput(socket: Socket, limits: BrokerLimits): { sink: OutputSink; isCut: () => boolean } {
  let isCut = false;
  let waiting: Promise<void> | null = null;
  const sink: OutputSink = (stream, chunk) => {
    if (socket.destroyed) return null;
    if (socket.writableLength + chunk.length > limits.droppedBytes) {
      isCut = true;
      return null;
    }
    for (let at = 0; at < chunk.length; at += MAX_FRAME_BYTES) {
      socket.write(encodeFrame(FRAME[stream], chunk.subarray(at, at + MAX_FRAME_BYTES)));
    }
    if (socket.writableLength <= limits.pausedBytes) return null;
    return (waiting ??= drained(socket).finally(() => (waiting = null)));
  };
  return { sink, isCut: () => isCut };
}

async function drained(socket: Socket): Promise<void> {
  await new Promise<void>((done) => {
    const end = (): void => {
      socket.off("drain", end);
      socket.off("close", end);
      done();
    };
    socket.on("drain", end).on("close", end);
  });
}
