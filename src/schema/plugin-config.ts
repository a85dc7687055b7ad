import { Type } from "@sinclair/typebox";
import { SecurityError } from "../core/error.ts";
import { isCanonicalPath } from "../core/path.ts";
import { invalid, parseWith } from "./validate.ts";

/**
 * What an owner may set under `plugins.entries.cyber-security-engineer.config`. Every default is
 * the safe one. The same schema stands in openclaw.plugin.json, with which the host checks too.
 */
export interface PluginConfig {
  readonly approvers: {
    /** Whose yes counts. Devices count when they were enrolled. */
    readonly accept: readonly ("device" | "channel")[];
    /** Also whoever holds the gateway's token, which is to say the agent itself. */
    readonly allowRuntime: boolean;
  };
  /** A second factor that a person types to complete a yes. Null: none. */
  readonly approvalToken: string | null;
  readonly execGate: {
    readonly mode: "enforce" | "off";
    /** What happens to commands that cannot be read without running them. */
    readonly opaque: "ask" | "refuse" | "allow";
  };
  /** Absolute paths that the agent's tools may not change, besides the ones that always are. */
  readonly protectedPaths: readonly string[];
  /** Seconds a question about elevation waits for its answer, 10 to 600. */
  readonly answerWithinSeconds: number;
  /** Whole minutes until a kept grant that nobody uses ends; never more than 30. */
  readonly idleMinutes: number;
  /** The real sudo; it must pass the binary checks. Null: the usual one. */
  readonly sudoPath: string | null;
}

const closed = { additionalProperties: false } as const;
const absolutePath = Type.String({ pattern: "^/", minLength: 2, maxLength: 4096 });

const CONFIG = Type.Object(
  {
    approvers: Type.Optional(
      Type.Object(
        {
          accept: Type.Optional(
            Type.Array(Type.Union([Type.Literal("device"), Type.Literal("channel")]), { uniqueItems: true }),
          ),
          allowRuntime: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
    ),
    approvalToken: Type.Optional(Type.String({ minLength: 8, maxLength: 256 })),
    execGate: Type.Optional(
      Type.Object(
        {
          mode: Type.Optional(Type.Union([Type.Literal("enforce"), Type.Literal("off")])),
          opaque: Type.Optional(Type.Union([Type.Literal("ask"), Type.Literal("refuse"), Type.Literal("allow")])),
        },
        closed,
      ),
    ),
    protectedPaths: Type.Optional(Type.Array(absolutePath, { maxItems: 200 })),
    answerWithinSeconds: Type.Optional(Type.Integer({ minimum: 10, maximum: 600 })),
    idleMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 })),
    sudoPath: Type.Optional(absolutePath),
  },
  closed,
);

export const DEFAULT_PLUGIN_CONFIG: PluginConfig = {
  approvers: { accept: ["device", "channel"], allowRuntime: false },
  approvalToken: null,
  execGate: { mode: "enforce", opaque: "ask" },
  protectedPaths: [],
  answerWithinSeconds: 600,
  idleMinutes: 30,
  sudoPath: null,
};

const WHAT = "The configuration of the plugin";

/**
 * A key that nobody knows is an error: a typo must not silently leave a guard at its default.
 * @throws {SecurityError} config-invalid
 */
export function parsePluginConfig(value: unknown): PluginConfig {
  const given = parseWith(CONFIG, value ?? {}, WHAT, "config-invalid");
  const paths = [...(given.protectedPaths ?? []), ...(given.sudoPath === undefined ? [] : [given.sudoPath])];
  if (!paths.every(isCanonicalPath)) {
    throw invalid(WHAT, "config-invalid", [{ path: "", message: "a path is not in its plain form" }]);
  }
  const { approvers, execGate, answerWithinSeconds, idleMinutes } = DEFAULT_PLUGIN_CONFIG;
  return {
    approvers: { ...approvers, ...given.approvers },
    approvalToken: given.approvalToken ?? null,
    execGate: { ...execGate, ...given.execGate },
    protectedPaths: given.protectedPaths ?? [],
    answerWithinSeconds: given.answerWithinSeconds ?? answerWithinSeconds,
    idleMinutes: given.idleMinutes ?? idleMinutes,
    sudoPath: given.sudoPath ?? null,
  };
}

/** The config, or why there is none; nothing privileged happens then, and every guard stays at its default. */
export type PluginConfigState =
  | { readonly kind: "valid"; readonly config: PluginConfig }
  | { readonly kind: "broken"; readonly message: string };

export function readPluginConfig(value: unknown): PluginConfigState {
  try {
    return { kind: "valid", config: parsePluginConfig(value) };
  } catch (thrown) {
    return { kind: "broken", message: thrown instanceof SecurityError ? thrown.message : "it cannot be read" };
  }
}
