import { fail, REFUSED } from "./fail.ts";

/** The shim's end of what src/broker/frame.ts describes; on its own, because it imports nothing. */
const VERSION = 1;
export const FRAME = { request: 1, stdin: 2, taken: 16, stdout: 17, stderr: 18, end: 19 } as const;
const MAX_FRAME = 256 * 1024;
const HEAD = 5;

/** The whole request, to be sent in one go. */
export function encodeRequest(name: string, words: readonly string[], stdin: Buffer | null): Buffer {
  const request = Buffer.from(
    JSON.stringify({
      v: VERSION,
      token: process.env["OPENCLAW_ELEVATION_TOKEN"],
      name,
      words,
      cwd: process.cwd(),
      reason: process.env["OPENCLAW_PRIV_REASON"] || null,
      stdinBytes: stdin?.length ?? null,
    }),
  );
  if (request.length > MAX_FRAME) {
    const help = "Give at most 256 words and 128 KiB; put long content into a file.";
    fail(REFUSED, "argv-too-long", "the command line is too long", help);
  }
  const frames = [encode(FRAME.request, request)];
  const input = stdin ?? Buffer.alloc(0);
  for (let at = 0; at < input.length; at += MAX_FRAME) {
    frames.push(encode(FRAME.stdin, input.subarray(at, at + MAX_FRAME)));
  }
  return Buffer.concat(frames);
}

function encode(kind: number, content: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32BE(content.length + 1);
  head.writeUInt8(kind, HEAD - 1);
  return Buffer.concat([head, content]);
}

/** Calls `take` with each whole frame as it comes. */
export function createReader(take: (kind: number, content: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= HEAD && held.length >= HEAD - 1 + held.readUInt32BE(0)) {
      const end = HEAD - 1 + held.readUInt32BE(0);
      const kind = held.readUInt8(HEAD - 1);
      const content = held.subarray(HEAD, end);
      held = held.subarray(end);
      take(kind, content);
    }
  };
}
