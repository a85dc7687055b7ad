/** What the sudo shim and the gateway say to each other, free of how it is carried. */

/** A command line after `sudo`, as it came over the socket. Everything in it is the caller's claim. */
export interface ShimRequest {
  /** The name the shim was called by: "sudo", or that of a link to it. */
  readonly name: string;
  /** Without the leading `sudo`. Bytes that are not UTF-8 have become U+FFFD, which no request may hold. */
  readonly words: readonly string[];
  readonly cwd: string;
  /** Null: none given. */
  readonly reason: string | null;
  /** Null: none, which is /dev/null to the command. */
  readonly stdin: Uint8Array | null;
}

/** How the shim is to end. `text` is printed on its standard error as it is. */
export type ShimReply =
  | { readonly kind: "exit"; readonly exitCode: number; readonly text: string }
  /** By the signal that ended the command, such as "SIGTERM". */
  | { readonly kind: "signal"; readonly signal: string; readonly text: string }
  /** One of the words that real sudo answers itself. */
  | { readonly kind: "passthrough" };

/** As sudo, env and timeout use them: our own failure, refused, command not found. */
export const EXIT_FAILED = 125;
export const EXIT_REFUSED = 126;
export const EXIT_NOT_FOUND = 127;
