import { createHash, type Hash } from "node:crypto";

export interface OutputSummary {
  readonly text: string;
  readonly truncated: boolean;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Head and tail of a stream of any length in bounded memory, with size and hash of the whole.
 * Bytes that are not UTF-8 become U+FFFD in the text.
 */
export class BoundedOutput {
  readonly #hash: Hash = createHash("sha256");
  readonly #headMax: number;
  readonly #tailMax: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  /** The last bytes, in a ring: allocating for each chunk would leave garbage as large as the output. */
  #tail: Buffer | null = null;
  #tailBytes = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#headMax = Math.ceil(maxBytes / 2);
    this.#tailMax = maxBytes - this.#headMax;
  }

  add(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    const room = this.#headMax - this.#headBytes;
    const forHead = chunk.subarray(0, room);
    if (forHead.length > 0) {
      // A copy: the caller lets go of the chunk's memory.
      this.#head.push(Buffer.from(forHead));
      this.#headBytes += forHead.length;
    }
    this.#addToTail(chunk.subarray(forHead.length));
  }

  /** To be called once, at the end. */
  summary(): OutputSummary {
    const head = Buffer.concat(this.#head);
    const tail = this.#keptTail();
    const left = this.#bytes - head.length - tail.length;
    const parts =
      left === 0 ? [Buffer.concat([head, tail])] : [head, Buffer.from(`\n[${left} bytes left out]\n`), tail];
    return {
      text: parts.map((part) => part.toString("utf8")).join(""),
      truncated: left > 0,
      bytes: this.#bytes,
      sha256: this.#hash.digest("hex"),
    };
  }

  #addToTail(chunk: Buffer): void {
    if (chunk.length === 0 || this.#tailMax === 0) return;
    const ring = (this.#tail ??= Buffer.alloc(this.#tailMax));
    const kept = chunk.subarray(Math.max(0, chunk.length - this.#tailMax));
    // Where the first of the kept bytes belongs, and so the oldest once the ring is full.
    const at = (this.#tailBytes + chunk.length - kept.length) % this.#tailMax;
    const first = kept.copy(ring, at);
    kept.copy(ring, 0, first);
    this.#tailBytes += chunk.length;
  }

  #keptTail(): Buffer {
    if (this.#tail === null) return Buffer.alloc(0);
    if (this.#tailBytes <= this.#tailMax) return this.#tail.subarray(0, this.#tailBytes);
    const oldest = this.#tailBytes % this.#tailMax;
    return Buffer.concat([this.#tail.subarray(oldest), this.#tail.subarray(0, oldest)]);
  }
}
