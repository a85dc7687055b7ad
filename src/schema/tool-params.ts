import { Type } from "@sinclair/typebox";
import { parseWith } from "./validate.ts";

/**
 * Parameters of the agent's tools and of the library. The library's may name files; the tools' may
 * not, because an agent must not choose its own allowlist or where reports go.
 */
const closed = { additionalProperties: false } as const;
const path = Type.String({ minLength: 1, maxLength: 4096 });

const SCAN_PORTS = Type.Object({ includeUdp: Type.Optional(Type.Boolean()), baseline: Type.Optional(path) }, closed);
const SCAN_EGRESS = Type.Object(
  { includeLoopback: Type.Optional(Type.Boolean()), allowlist: Type.Optional(path) },
  closed,
);
const ASSESS = Type.Object(
  {
    checks: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 100 })),
    refresh: Type.Optional(Type.Boolean()),
    outDir: Type.Optional(path),
  },
  closed,
);

export interface ScanPortsParams {
  /** Default true. */
  readonly includeUdp?: boolean;
  /** Path of a baseline to use instead of the approved one. */
  readonly baseline?: string;
}

export interface ScanEgressParams {
  /** Also list connections within this host. Default false. */
  readonly includeLoopback?: boolean;
  /** Path of an allowlist to use instead of the approved one. */
  readonly allowlist?: string;
}

export interface AssessParams {
  /** Check ids; default all. */
  readonly checks?: readonly string[];
  /** Measure again even where a recent result could be shown. */
  readonly refresh?: boolean;
  /** Folder for the five reports. */
  readonly outDir?: string;
}

/** @throws {SecurityError} invalid-input */
export function parseScanPortsParams(value: unknown): ScanPortsParams {
  return parseWith(SCAN_PORTS, value ?? {}, "The parameters of scanPorts", "invalid-input");
}

/** @throws {SecurityError} invalid-input */
export function parseScanEgressParams(value: unknown): ScanEgressParams {
  return parseWith(SCAN_EGRESS, value ?? {}, "The parameters of scanEgress", "invalid-input");
}

/** @throws {SecurityError} invalid-input */
export function parseAssessParams(value: unknown): AssessParams {
  return parseWith(ASSESS, value ?? {}, "The parameters of assess", "invalid-input");
}
