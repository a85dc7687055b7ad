import { Type } from "@sinclair/typebox";
import type { Confirmation } from "../core/confirmation.ts";
import { parseWith } from "./validate.ts";

const ID = /^[0-9a-f]{8}$/;
const FILE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    id: Type.String({ pattern: ID.source }),
    title: Type.String({ maxLength: 200 }),
    lines: Type.Array(Type.String({ maxLength: 2_000 }), { maxItems: 600 }),
    expires_at: Type.String({ maxLength: 40 }),
  },
  { additionalProperties: false },
);

/** @throws {SecurityError} invalid-input */
export function parseConfirmation(value: unknown): Confirmation {
  const { id, title, lines, expires_at: expiresAt } = parseWith(FILE, value, "A waiting confirmation", "invalid-input");
  return { id, title, lines, expiresAt };
}

export function renderConfirmation({ id, title, lines, expiresAt }: Confirmation): string {
  return `${JSON.stringify({ schemaVersion: 1, id, title, lines, expires_at: expiresAt })}\n`;
}

/** Names a file, so nothing else may be in it. */
export function isConfirmationId(text: string): boolean {
  return ID.test(text);
}
