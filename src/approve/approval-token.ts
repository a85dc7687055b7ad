import { hash, randomInt, timingSafeEqual } from "node:crypto";
import { CODE_ALPHABET, CODE_LENGTH } from "./terminal.ts";

/** Tells typed text from the configured token, in a time that says nothing about either. An empty token matches nothing. */
export function createTokenCheck(expected: string): (typed: string) => boolean {
  const wanted = hash("sha256", expected, "buffer");
  return (typed) => timingSafeEqual(wanted, hash("sha256", typed, "buffer")) && expected !== "";
}

/** A code for `createTerminalApprover`, each character drawn evenly from the system's random source. */
export function randomCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join("");
}
