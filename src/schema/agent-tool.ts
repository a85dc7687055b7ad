import { type TSchema, type TString, Type } from "@sinclair/typebox";
import { parseWith } from "./validate.ts";

/**
 * What the agent's tools take. Unlike the library's they name no file: an agent must not choose its
 * own allowlist, or where reports go. The host shows these schemas to models and checks most calls
 * with them; its HTTP door does not, so every call is parsed again.
 */
const closed = { additionalProperties: false } as const;
const text = (description: string, maxLength: number): TString => Type.String({ description, maxLength });

const ASK = {
  argv: Type.Array(Type.String(), {
    minItems: 1,
    maxItems: 256,
    description: "The command, one word per item, beginning with its absolute path. No shell reads it.",
  }),
  reason: text("Why it is needed, in one sentence. The person sees it as your claim.", 300),
  runAs: Type.Optional(text("User to run as. Default root.", 32)),
  cwd: Type.Optional(text("Absolute folder to run in.", 4_095)),
  env: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: "Only DEBIAN_FRONTEND, LANG, LC_ALL and TZ." }),
  ),
  stdin: Type.Optional(text("Standard input. Default: none.", 1_048_576)),
  timeoutMs: Type.Optional(
    Type.Integer({ minimum: 1, description: "Ends the command after so long. Default 120000." }),
  ),
  keepSession: Type.Optional(
    Type.Boolean({ description: "Ask to run exactly this again without asking anew, until 30 idle minutes passed." }),
  ),
};

const PARAMETERS = {
  requestElevation: Type.Object(ASK, closed),
  runPrivileged: Type.Object(
    { ...ASK, grantId: Type.Optional(text("Grant from requestElevation. Default: ask first.", 100)) },
    closed,
  ),
  scanPorts: Type.Object({ includeUdp: Type.Optional(Type.Boolean({ description: "Default true." })) }, closed),
  scanEgress: Type.Object(
    { includeLoopback: Type.Optional(Type.Boolean({ description: "Also within this host. Default false." })) },
    closed,
  ),
  assess: Type.Object(
    {
      checks: Type.Optional(
        Type.Array(Type.String({ maxLength: 100 }), { maxItems: 100, description: "Ids of checks. Default: all." }),
      ),
      refresh: Type.Optional(Type.Boolean({ description: "Measure anew even if the last result is fresh." })),
    },
    closed,
  ),
} as const;

export const AGENT_TOOL_NAMES = ["requestElevation", "runPrivileged", "scanPorts", "scanEgress", "assess"] as const;
export type AgentToolName = (typeof AGENT_TOOL_NAMES)[number];

export function agentToolParameters(name: AgentToolName): TSchema {
  return PARAMETERS[name];
}

/** @throws {SecurityError} invalid-input */
export function parseScanPortsCall(value: unknown): { readonly includeUdp?: boolean } {
  return parseWith(PARAMETERS.scanPorts, value ?? {}, "The parameters of scanPorts", "invalid-input");
}

/** @throws {SecurityError} invalid-input */
export function parseScanEgressCall(value: unknown): { readonly includeLoopback?: boolean } {
  return parseWith(PARAMETERS.scanEgress, value ?? {}, "The parameters of scanEgress", "invalid-input");
}

/** @throws {SecurityError} invalid-input */
export function parseAssessCall(value: unknown): { readonly checks?: readonly string[]; readonly refresh?: boolean } {
  return parseWith(PARAMETERS.assess, value ?? {}, "The parameters of assess", "invalid-input");
}
