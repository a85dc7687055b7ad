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
  readonly #tail: Buffer[] = [];
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
      this.#head.push(forHead);
      this.#headBytes += forHead.length;
    }
    this.#addToTail(chunk.subarray(forHead.length));
  }

  /** To be called once, at the end. */
  summary(): OutputSummary {
    const head = Buffer.concat(this.#head);
    const kept = Buffer.concat(this.#tail);
    const tail = kept.subarray(Math.max(0, kept.length - this.#tailMax));
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
    if (chunk.length === 0) return;
    // A copy, because a small slice would keep the whole buffer it was cut from.
    this.#tail.push(Buffer.from(chunk.subarray(Math.max(0, chunk.length - this.#tailMax))));
    this.#tailBytes += this.#tail.at(-1)?.length ?? 0;
    for (;;) {
      const first = this.#tail[0]?.length;
      if (first === undefined || this.#tailBytes - first < this.#tailMax) return;
      this.#tail.shift();
      this.#tailBytes -= first;
    }
  }
}
