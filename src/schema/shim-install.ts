import { Type } from "@sinclair/typebox";
import { parseWith } from "./validate.ts";

/** `shim-install.json`: what `cse shim install` changed, so that uninstalling takes back exactly that. */
export interface ShimInstall {
  readonly schemaVersion: 1;
  readonly installed_at: string;
  /** Version of the package that the shim came from. */
  readonly version: string;
  /** Every file written, with the hash of what was written. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  /** Null: OpenClaw's config was not changed. */
  readonly path_prepend: {
    readonly entry: string;
    /** Nothing was set before. */
    readonly was_absent: boolean;
  } | null;
  /** Null: no LaunchAgent was changed. */
  readonly launch_agent: { readonly path: string; readonly entry: string } | null;
}

const text = Type.String({ minLength: 1, maxLength: 10_000 });
const INSTALL = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    installed_at: text,
    version: text,
    files: Type.Array(Type.Object({ path: text, sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }) }), {
      maxItems: 10,
    }),
    path_prepend: Type.Union([Type.Null(), Type.Object({ entry: text, was_absent: Type.Boolean() })]),
    launch_agent: Type.Union([Type.Null(), Type.Object({ path: text, entry: text })]),
  },
  { additionalProperties: false },
);

/** @throws {SecurityError} invalid-input */
export function parseShimInstall(value: unknown): ShimInstall {
  return parseWith(INSTALL, value, "shim-install.json", "invalid-input");
}
