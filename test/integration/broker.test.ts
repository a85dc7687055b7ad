import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, symlink, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { shellWord } from "../../src/app/shim-script.ts";
import { encodeFrame, FRAME } from "../../src/broker/frame.ts";
import { type Broker, type BrokerDeps, type BrokerLimits, startBroker } from "../../src/broker/server.ts";
import { type ShimReply, type ShimRequest } from "../../src/core/shim.ts";
import { claimSocket, holdsSocket, releaseSocket, type SocketPlace } from "../../src/state/socket-place.ts";

const SESSION = { session: "task-a", agent: null, channel: "gateway" } as const;
const MESSAGE = { v: 1, token: "good", name: "sudo", words: ["id"], cwd: "/", reason: null, stdinBytes: null };
const REQUEST = frameOf({});

function frameOf(changes: object): Buffer {
  return encodeFrame(FRAME.request, Buffer.from(JSON.stringify({ ...MESSAGE, ...changes })));
}

interface Open {
  readonly path: string;
  readonly broker: Broker;
  readonly requests: ShimRequest[];
}

async function privateFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "cse-broker-"));
}

async function open(run: BrokerDeps["run"], limits: Partial<BrokerLimits> = {}, folder?: string): Promise<Open> {
  const path = join(folder ?? (await privateFolder()), "broker.sock");
  let place: SocketPlace | null = null;
  const requests: ShimRequest[] = [];
  const broker = await startBroker({
    place: {
      claim: async (listen) => {
        place = await claimSocket(path, listen);
      },
      isHeld: async () => place !== null && (await holdsSocket(path, place)),
      release: async () => (place === null ? undefined : await releaseSocket(path, place)),
    },
    findSession: (token) => (token.startsWith("good") ? { ...SESSION, session: token } : null),
    run: async (request, session, watch) => {
      requests.push(request);
      return await run(request, session, watch);
    },
    limits,
  });
  onTestFinished(async () => await broker.close());
  return { path, broker, requests };
}

const done: BrokerDeps["run"] = async () => ({ kind: "exit", exitCode: 0, text: "" });

interface Heard {
  readonly kinds: readonly number[];
  readonly output: Buffer;
  readonly reply: ShimReply | null;
  readonly ms: number;
}

/** Sends the chunks and gathers what comes back until the broker hangs up. */
async function talk(path: string, chunks: readonly Uint8Array[], during?: (socket: Socket) => void): Promise<Heard> {
  const start = performance.now();
  const socket = connect(path);
  const received: Buffer[] = [];
  socket.on("data", (chunk) => received.push(chunk)).on("error", () => undefined);
  for (const chunk of chunks) socket.write(chunk);
  during?.(socket);
  await new Promise((closed) => socket.on("close", closed));
  let rest = Buffer.concat(received);
  const kinds: number[] = [];
  const output: Buffer[] = [];
  let reply: ShimReply | null = null;
  while (rest.length >= 5) {
    const end = 4 + rest.readUInt32BE(0);
    const [kind, content] = [rest.readUInt8(4), rest.subarray(5, end)];
    kinds.push(kind);
    if (kind === FRAME.stdout || kind === FRAME.stderr) output.push(content);
    if (kind === FRAME.end) reply = JSON.parse(content.toString()) as ShimReply;
    rest = rest.subarray(end);
  }
  return { kinds, output: Buffer.concat(output), reply, ms: performance.now() - start };
}

describe("T96: the broker's socket", () => {
  it("answers one right request and hangs up", async () => {
    const { path, requests } = await open(done);
    expect(await talk(path, [REQUEST])).toMatchObject({
      kinds: [FRAME.taken, FRAME.end],
      reply: { kind: "exit", exitCode: 0, text: "" },
    });
    expect(requests).toEqual([{ name: "sudo", words: ["id"], cwd: "/", reason: null, stdin: null }]);
  });

  it("takes standard input in pieces of any size", async () => {
    const { path, requests } = await open(done);
    const stdin = Buffer.alloc(1024 * 1024, "x");
    const pieces = [0, 1, 2, 3].map((index) =>
      encodeFrame(FRAME.stdin, stdin.subarray(index * 262_144, (index + 1) * 262_144)),
    );
    await talk(path, [frameOf({ stdinBytes: stdin.length }), ...pieces]);
    expect(requests[0]?.stdin?.length).toBe(stdin.length);
  });

  it("hangs up on garbage, a wrong version, 10 MB and what follows a request, and runs nothing of it", async () => {
    const { path, requests } = await open(done);
    const wrong: readonly (readonly Uint8Array[])[] = [
      [Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
      [Buffer.alloc(5)],
      [frameOf({ v: 2 })],
      [frameOf({ extra: 1 })],
      [Buffer.alloc(10_000_000, "x")],
      [Buffer.concat([frameOf({ stdinBytes: 1 }), Buffer.from("garbage")])],
    ];
    for (const chunks of wrong) expect(await talk(path, chunks)).toMatchObject({ kinds: [] });
    expect(requests).toEqual([]);
  });

  it("changes nothing for 1,000 malformed messages", async () => {
    const { path, requests, broker } = await open(done);
    const messages = fc.sample(fc.uint8Array({ minLength: 5, maxLength: 400 }), { numRuns: 1_000, seed: 7 });
    for (let at = 0; at < messages.length; at += 50) {
      await Promise.all(
        messages.slice(at, at + 50).map(async (bytes) => await talk(path, [bytes], (socket) => socket.end())),
      );
    }
    expect(requests).toEqual([]);
    expect([await broker.health(), (await talk(path, [REQUEST])).reply?.kind]).toEqual([null, "exit"]);
  });

  it("hangs up on half a message that is followed by silence", async () => {
    const { path } = await open(done, { requestMs: 300 });
    const half = await talk(path, [REQUEST.subarray(0, 20)]);
    const silent = await talk(path, []);
    expect([half.kinds, silent.kinds]).toEqual([[], []]);
    expect(Math.max(half.ms, silent.ms)).toBeLessThan(2_000);
  });

  it("bears 500 connections at once and is there afterwards", async () => {
    const { path, requests } = await open(done, { requestMs: 1_000 });
    const silent = await Promise.all(Array.from({ length: 500 }, async () => await talk(path, [])));
    expect(silent.every(({ kinds }) => kinds.length === 0)).toBe(true);
    expect((await talk(path, [REQUEST])).reply?.kind).toBe("exit");
    expect(requests).toHaveLength(1);
  });

  it("lets one session have eight calls under way, and others have theirs", async () => {
    const { promise, resolve } = Promise.withResolvers<ShimReply>();
    const { path, requests } = await open(async () => await promise);
    const held = Array.from({ length: 8 }, async () => await talk(path, [REQUEST]));
    while (requests.length < 8) await new Promise((next) => setTimeout(next, 10));
    const ninth = await talk(path, [REQUEST]);
    expect(ninth.reply).toMatchObject({ exitCode: 126, text: expect.stringContaining("too-many-pending") });
    const other = talk(path, [frameOf({ token: "good other" })]);
    while (requests.length < 9) await new Promise((next) => setTimeout(next, 10));
    resolve({ kind: "exit", exitCode: 0, text: "" });
    expect([...(await Promise.all(held)), await other].every(({ reply }) => reply?.kind === "exit")).toBe(true);
    expect((await talk(path, [REQUEST])).reply).toMatchObject({ exitCode: 0 });
  });

  it("refuses a token it does not know before anything is run", async () => {
    const { path, requests } = await open(done);
    const { reply } = await talk(path, [frameOf({ token: "bad" })]);
    expect(reply).toMatchObject({ exitCode: 126, text: expect.stringMatching(/^sudo: token-unknown: /) });
    expect(requests).toEqual([]);
  });

  it("tells the run that its caller went away, or went on talking", async () => {
    let aborts = 0;
    const run: BrokerDeps["run"] = async (_request, _session, { signal }) => {
      await new Promise((ended) => signal.addEventListener("abort", ended));
      aborts += 1;
      throw new Error("withdrawn");
    };
    const { path, requests } = await open(run);
    await talk(path, [REQUEST], (socket) => setTimeout(() => socket.destroy(), 200));
    await talk(path, [REQUEST], (socket) => setTimeout(() => socket.write("more"), 200));
    while (aborts < requests.length) await new Promise((next) => setTimeout(next, 10));
    expect(aborts).toBe(2);
  });

  it("ends one request, not the gateway, when the run throws", async () => {
    const { path } = await open(async () => {
      throw new Error("a bug\u001b[8m");
    });
    for (let call = 0; call < 2; call += 1) {
      expect((await talk(path, [REQUEST])).reply).toMatchObject({ kind: "exit", exitCode: 125 });
    }
  });

  it("makes output wait for its reader, and gives it whole", async () => {
    let waits = 0;
    const piece = Buffer.alloc(65_536, "y");
    const { path } = await open(async (_request, _session, { onOutput }) => {
      for (let at = 0; at < 100; at += 1) {
        const room = onOutput("stdout", piece);
        if (room !== null) {
          waits += 1;
          await room;
        }
      }
      return { kind: "exit", exitCode: 0, text: "" };
    });
    const heard = await talk(path, [REQUEST], (socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), 500);
    });
    expect([heard.output.length, heard.reply]).toEqual([100 * 65_536, { kind: "exit", exitCode: 0, text: "" }]);
    expect(waits).toBeGreaterThan(0);
  });

  it("holds no more than its limit for a reader that does not read, and says so", async () => {
    const piece = Buffer.alloc(65_536, "y");
    const { path } = await open(async (_request, _session, { onOutput }) => {
      // A sink that is not waited for, as after the end of a command.
      for (let at = 0; at < 400; at += 1) void onOutput("stderr", piece);
      return { kind: "exit", exitCode: 3, text: "end\n" };
    });
    const heard = await talk(path, [REQUEST], (socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), 300);
    });
    expect(heard.output.length).toBeLessThan(5 * 1024 * 1024);
    expect(heard.reply).toMatchObject({
      exitCode: 3,
      text: expect.stringMatching(/^sudo: part of the output.*\nend\n$/),
    });
  });

  it("stops: ends what is under way, takes its socket away, and leaves another's", async () => {
    const { promise, resolve } = Promise.withResolvers<ShimReply>();
    const { path, broker } = await open(async (_request, _session, { signal }) => {
      signal.addEventListener("abort", () => resolve({ kind: "exit", exitCode: 0, text: "" }));
      return await promise;
    });
    const call = talk(path, [REQUEST]);
    await new Promise((next) => setTimeout(next, 200));
    await broker.close();
    expect((await call).reply).toBeNull();
    expect([existsSync(path), await broker.health()]).toEqual([false, "the broker has stopped"]);
  });
});

describe("R-66: the place of the socket", () => {
  const claimIn = async (folder: string): Promise<string> =>
    await open(done, {}, folder).then(
      () => "claimed",
      (error: { code?: string }) => error.code ?? "?",
    );

  it("is a private folder of our own, nothing else", async () => {
    const parent = await privateFolder();
    const shared = join(parent, "shared");
    await mkdir(shared);
    await chmod(shared, 0o750);
    const real = join(parent, "real");
    await mkdir(real, { mode: 0o700 });
    const link = join(parent, "link");
    await symlink(real, link);
    expect([
      await claimIn(shared),
      await claimIn(link),
      await claimIn(join(parent, "new")),
      await claimIn(real),
    ]).toEqual(["state-file-insecure-mode", "state-file-symlink", "claimed", "claimed"]);
  });

  it("is not taken from a live process, a file or a link", async () => {
    const folder = await privateFolder();
    expect([await claimIn(folder), await claimIn(folder)]).toEqual(["claimed", "broker-in-use"]);
    const other = await privateFolder();
    await writeFile(join(other, "broker.sock"), "mine");
    expect(await claimIn(other)).toBe("file-exists");
    const third = await privateFolder();
    await symlink(join(folder, "broker.sock"), join(third, "broker.sock"));
    expect(await claimIn(third)).toBe("file-exists");
  });

  it("goes to exactly one of several that start at once", async () => {
    const folder = await privateFolder();
    const answers = await Promise.all(Array.from({ length: 5 }, async () => await claimIn(folder)));
    expect(answers.toSorted()).toEqual(["broker-in-use", "broker-in-use", "broker-in-use", "broker-in-use", "claimed"]);
    expect((await readdir(folder)).filter((name) => name !== "broker.sock")).toEqual([]);
  });
});

describe("a word in the shim's shell text", () => {
  it("is read back by a shell as it is", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 30 }), { minLength: 20, maxLength: 20 }), (all) => {
        const words = all.filter((word) => !word.includes("\0") && word.isWellFormed());
        const text = `printf '%s\\0' ${words.map(shellWord).join(" ")}`;
        const back = execFileSync("/bin/sh", ["-c", text], { encoding: "utf8" });
        expect(back.split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 20 },
    );
  });
});
