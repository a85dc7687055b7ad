/**
 * How messages lie on the socket: four bytes of length (big-endian, of what follows), one byte of
 * kind, the content. src/shim/shim.ts speaks the same, on its own, because it imports nothing.
 */
export const FRAME = {
  /** Client: the request as JSON, once, first. */
  request: 1,
  /** Client: a piece of standard input; as many bytes in all as the request announced. */
  stdin: 2,
  /** Broker: the whole request has come and is being dealt with. */
  taken: 16,
  stdout: 17,
  stderr: 18,
  /** Broker: how it ended, as JSON; the last one. */
  end: 19,
} as const;

export interface Frame {
  readonly kind: number;
  readonly content: Buffer;
}

/** Of one content. */
export const MAX_FRAME_BYTES: number = 256 * 1024;
const LENGTH_BYTES = 4;

export function encodeFrame(kind: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(LENGTH_BYTES + 1);
  head.writeUInt32BE(content.length + 1);
  head.writeUInt8(kind, LENGTH_BYTES);
  return Buffer.concat([head, content]);
}

/**
 * Takes bytes as they come and returns the frames that are whole now; null as soon as no right
 * continuation exists. Holds at most one frame and what came with it.
 */
export function createFrameReader(): (chunk: Buffer) => readonly Frame[] | null {
  let pieces: Buffer[] = [];
  let held = 0;
  /** Bytes needed to go on: a length, or a length with what it announces. */
  let wanted = LENGTH_BYTES;
  return (chunk) => {
    pieces.push(chunk);
    held += chunk.length;
    const frames: Frame[] = [];
    while (held >= wanted) {
      const bytes = Buffer.concat(pieces, held);
      const length = bytes.readUInt32BE(0);
      if (length < 1 || length > MAX_FRAME_BYTES + 1) return null;
      const end = LENGTH_BYTES + length;
      if (held >= end) {
        frames.push({ kind: bytes.readUInt8(LENGTH_BYTES), content: bytes.subarray(LENGTH_BYTES + 1, end) });
        pieces = [bytes.subarray(end)];
        held -= end;
        wanted = LENGTH_BYTES;
      } else {
        pieces = [bytes];
        wanted = end;
      }
    }
    return frames;
  };
}
