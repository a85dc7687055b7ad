import { hash, scrypt } from "node:crypto";
import { type Confirmation, confirmedText } from "../core/confirmation.ts";

const LENGTH = 32;

/**
 * Shows knowledge of the token for this text and no other. It may lie where others can read it: it is of
 * no use for another question, and trying out tokens against it is slow.
 */
export async function tokenProof(token: string, confirmation: Confirmation): Promise<string> {
  const salt = hash("sha256", confirmedText(confirmation), "buffer");
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(token, salt, LENGTH, (error, key) => (error === null ? resolve(key) : reject(error)));
  return (await promise).toString("hex");
}
