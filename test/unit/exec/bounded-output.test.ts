import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedOutput } from "../../../src/exec/bounded-output.ts";

/** The same, by keeping everything. */
function keepAll(chunks: readonly Buffer[], maxBytes: number): unknown {
  const all = Buffer.concat(chunks);
  const headMax = Math.ceil(maxBytes / 2);
  const left = Math.max(0, all.length - maxBytes);
  const text =
    left === 0
      ? all.toString()
      : `${all.subarray(0, headMax).toString()}\n[${left} bytes left out]\n${all.subarray(headMax + left).toString()}`;
  return { text, truncated: left > 0, bytes: all.length, sha256: hash("sha256", all) };
}

describe("BoundedOutput", () => {
  it("keeps what keeping everything would, whatever the chunks", () => {
    const chunk = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 12 }), fc.nat(64), (chunks, maxBytes) => {
        const output = new BoundedOutput(maxBytes);
        for (const part of chunks) output.add(part);
        expect(output.summary()).toEqual(keepAll(chunks, maxBytes));
      }),
      { seed: 20_261_123, numRuns: 500 },
    );
  });
});
