import { Type } from "@sinclair/typebox";
import data from "../../references/insecure-ports.json" with { type: "json" };
import type { Protocol } from "../core/network.ts";
import type { Risk } from "../core/risk.ts";
import { parseWith } from "./validate.ts";

/** Why a service is unsafe to expose. */
type InsecureClass = "cleartext" | "legacy" | "amplifier" | "sensitive" | "remote-admin";

export interface InsecurePort {
  readonly port: number;
  readonly protocol: Protocol;
  readonly service: string;
  readonly class: InsecureClass;
  /** Risk by who can reach it; null is no finding. All interfaces count as public. */
  readonly severity: {
    readonly loopback: Risk | null;
    readonly private: Risk | null;
    readonly public: Risk | null;
  };
  /** False where the service is found on this port by convention only. */
  readonly assigned: boolean;
  readonly why: string;
  /** The secure replacement, or how to close it. */
  readonly replace_with: string;
}

export interface InsecurePortTable {
  readonly schemaVersion: 1;
  readonly about: string;
  readonly classes: Readonly<Record<InsecureClass, string>>;
  readonly ports: readonly InsecurePort[];
}

/** The table shipped in references/. Its shape is proven by a test, not at every start. */
export const INSECURE_PORTS: InsecurePortTable = data as InsecurePortTable;

const text = Type.String({ minLength: 1 });
const closed = { additionalProperties: false } as const;
const risk = Type.Union([
  Type.Literal("critical"),
  Type.Literal("high"),
  Type.Literal("medium"),
  Type.Literal("low"),
  Type.Null(),
]);
const TABLE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    about: text,
    classes: Type.Object(
      { cleartext: text, legacy: text, amplifier: text, sensitive: text, "remote-admin": text },
      closed,
    ),
    ports: Type.Array(
      Type.Object(
        {
          port: Type.Integer({ minimum: 1, maximum: 65_535 }),
          protocol: Type.Union([Type.Literal("tcp"), Type.Literal("udp")]),
          service: text,
          class: Type.Union([
            Type.Literal("cleartext"),
            Type.Literal("legacy"),
            Type.Literal("amplifier"),
            Type.Literal("sensitive"),
            Type.Literal("remote-admin"),
          ]),
          severity: Type.Object({ loopback: risk, private: risk, public: risk }, closed),
          assigned: Type.Boolean(),
          why: text,
          replace_with: text,
        },
        closed,
      ),
      { minItems: 1 },
    ),
  },
  closed,
);

/**
 * Reads a table of insecure ports.
 * @throws {SecurityError} invalid-input with every issue in `details.issues`
 */
export function parseInsecurePorts(value: unknown): InsecurePortTable {
  return parseWith(TABLE, value, "insecure-ports.json", "invalid-input");
}
