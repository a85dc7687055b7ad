import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, FRAME, MAX_FRAME_BYTES } from "../../../src/broker/frame.ts";
import { createRequestReader, type Progress } from "../../../src/broker/request-reader.ts";

const MESSAGE = { v: 1, token: "t", name: "sudo", words: ["id"], cwd: "/", reason: null, stdinBytes: null };

function message(changes: object = {}): Buffer {
  return encodeFrame(FRAME.request, Buffer.from(JSON.stringify({ ...MESSAGE, ...changes })));
}

function read(...chunks: readonly Buffer[]): Progress {
  const reader = createRequestReader();
  let progress: Progress = "more";
  for (const chunk of chunks) progress = reader(chunk);
  return progress;
}

describe("a request as it comes over the socket", () => {
  it("is whole with its last byte, however it was cut", () => {
    const bytes = Buffer.concat([message({ stdinBytes: 3 }), encodeFrame(FRAME.stdin, Buffer.from("abc"))]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 20 }), (cuts) => {
        const at = [0, ...new Set(cuts.toSorted((a, b) => a - b)), bytes.length];
        const reader = createRequestReader();
        const answers = at.slice(1).map((end, index) => reader(bytes.subarray(at[index], end)));
        expect(answers.slice(0, -1).every((answer) => answer === "more")).toBe(true);
        expect(answers.at(-1)).toEqual({
          token: "t",
          request: { name: "sudo", words: ["id"], cwd: "/", reason: null, stdin: Buffer.from("abc") },
        });
      }),
    );
  });

  it("keeps every word as it is", () => {
    const words = ["é", "\ufffd", "", "\ud800", "\n\u001b", "\0"];
    expect(read(message({ words }))).toMatchObject({ request: { words } });
  });

  it.each([
    ["another version", message({ v: 2 })],
    ["an unknown key", message({ approved: true })],
    ["a key missing", encodeFrame(FRAME.request, Buffer.from('{"v":1}'))],
    ["a key twice", encodeFrame(FRAME.request, Buffer.from(JSON.stringify(MESSAGE).replace("{", '{"token":"x",')))],
    ["a word that is no text", message({ words: [1] })],
    ["more standard input than allowed", message({ stdinBytes: 1024 * 1024 + 1 })],
    ["no JSON", encodeFrame(FRAME.request, Buffer.from("id"))],
    ["no UTF-8", encodeFrame(FRAME.request, Buffer.from([0x22, 0xff, 0x22]))],
    ["standard input first", encodeFrame(FRAME.stdin, Buffer.from("x"))],
    ["a kind of the broker's", encodeFrame(FRAME.end, Buffer.from("{}"))],
    ["a length of zero", Buffer.alloc(4)],
    ["a length beyond the limit", Buffer.from([0, 0x04, 0, 0x02])],
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ])("is hung up on: %s", (_title, bytes) => {
    expect(read(bytes)).toBe("malformed");
  });

  it("is hung up on when anything follows it", () => {
    expect(read(message(), Buffer.from("x"))).toBe("malformed");
    expect(read(Buffer.concat([message(), message()]))).toBe("malformed");
    const tooMuch = encodeFrame(FRAME.stdin, Buffer.from("abcd"));
    expect(read(message({ stdinBytes: 3 }), tooMuch)).toBe("malformed");
    expect(read(message({ stdinBytes: 3 }), encodeFrame(FRAME.stdin, Buffer.alloc(0)))).toBe("malformed");
  });

  it("may be as long as the limit and takes linear time byte by byte", () => {
    const filler = "x".repeat(MAX_FRAME_BYTES - JSON.stringify(MESSAGE).length);
    const bytes = message({ words: [`id${filler}`] });
    const reader = createRequestReader();
    const start = performance.now();
    const answers = Array.from(bytes, (_, at) => reader(bytes.subarray(at, at + 1)));
    expect(answers.at(-1)).toMatchObject({ token: "t" });
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(read(message({ words: [`idx${filler}`] }))).toBe("malformed");
  });

  it("never throws, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
        const reader = createRequestReader();
        for (const chunk of chunks) expect(["more", "malformed"]).toContain(reader(Buffer.from(chunk)));
      }),
    );
  });
});
