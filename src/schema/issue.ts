/** One thing wrong with a received value: where (JSON pointer, "" is the root) and what. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}
