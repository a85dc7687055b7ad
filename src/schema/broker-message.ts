import { Type } from "@sinclair/typebox";
import { parseStrictJson } from "../core/json.ts";
import { parseWith } from "./validate.ts";

/** The version of the broker's protocol that this release speaks. */
export const BROKER_VERSION = 1;

/** The first message of the shim. All of it is the caller's. */
export interface BrokerMessage {
  readonly v: typeof BROKER_VERSION;
  readonly token: string;
  readonly name: string;
  readonly words: readonly string[];
  readonly cwd: string;
  readonly reason: string | null;
  /** How many bytes of standard input follow; null: none, and none follow. */
  readonly stdinBytes: number | null;
}

const MESSAGE = Type.Object(
  {
    v: Type.Literal(BROKER_VERSION),
    token: Type.String({ maxLength: 200 }),
    name: Type.String(),
    words: Type.Array(Type.String()),
    cwd: Type.String(),
    reason: Type.Union([Type.String(), Type.Null()]),
    stdinBytes: Type.Union([Type.Integer({ minimum: 0, maximum: 1024 * 1024 }), Type.Null()]),
  },
  { additionalProperties: false },
);

/** @throws {SecurityError} json-invalid, json-duplicate-key, invalid-input */
export function parseBrokerMessage(text: string): BrokerMessage {
  return parseWith(MESSAGE, parseStrictJson(text, "the message"), "the message", "invalid-input");
}
