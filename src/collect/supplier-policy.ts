import { isAbsolute, join } from "node:path";
import { asSecurityError, SecurityError } from "../core/error.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { SupplierPolicy } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";
import { type Reader, readRecord } from "../schema/openclaw-reader.ts";
import { parseOpenClawText } from "../schema/openclaw-text.ts";
import type { Issue } from "../schema/issue.ts";
import { readTextFile } from "../state/read-file.ts";

/** Where OpenClaw's Policy plugin looks for the owner's requirements. */
export function supplierPolicyPath(config: OpenClawConfig, stateDir: string): string {
  const path = config.surface.policy_path ?? "policy.jsonc";
  const main = config.agents.find((agent) => agent.is_default) ?? config.agents[0];
  return isAbsolute(path) ? path : join(main?.workspace ?? join(stateDir, "workspace"), path);
}

/** Which MCP servers and model providers the owner approved. A missing file is an answer, a broken one is none. */
export async function collectSupplierPolicy(path: string, now: () => EpochMs): Promise<Evidence<SupplierPolicy>> {
  const at = isoFromEpoch(now());
  try {
    const text = await readTextFile(path, { maxBytes: 1_048_576, trust: "untrusted", what: "policy for OpenClaw" });
    const issues: Issue[] = [];
    const root = readRecord(parseOpenClawText(text, path), "", issues);
    const lists = (reader: Reader): readonly [allow: readonly string[] | null, deny: readonly string[]] => [
      reader.texts("allow") ?? null,
      reader.texts("deny") ?? [],
    ];
    const [mcpAllow, mcpDeny] = lists(root.object("mcp").object("servers"));
    const [modelsAllow, modelsDeny] = lists(root.object("models").object("providers"));
    if (issues.length > 0) {
      return unmeasured("config-invalid", `${path} has lists that are not lists of names`, path, at);
    }
    return measured(
      {
        path,
        present: true,
        mcp_allow: mcpAllow,
        mcp_deny: mcpDeny,
        models_allow: modelsAllow,
        models_deny: modelsDeny,
      },
      path,
      at,
    );
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") {
      return measured(
        { path, present: false, mcp_allow: null, mcp_deny: [], models_allow: null, models_deny: [] },
        path,
        at,
      );
    }
    const { code, message } = asSecurityError(thrown);
    return unmeasured(code, message, path, at);
  }
}
