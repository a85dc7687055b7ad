import type { StandingApproval } from "../core/setup-evidence.ts";
import { SecurityError } from "../core/error.ts";
import { isoFromEpoch } from "../core/time.ts";
import { type ConfigRecord, isConfigRecord } from "./openclaw-text.ts";

export interface ExecApprovals {
  readonly entries: readonly StandingApproval[];
  readonly auto_allow_skills: readonly string[];
}

/** Far more than a person approves, and few enough to judge at once. */
const MAX_ENTRIES = 10_000;

/**
 * OpenClaw's document of exec approvals, as it stands in its database.
 * @throws {SecurityError} json-invalid, schema-version-unsupported
 */
export function parseExecApprovals(text: string): ExecApprovals {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SecurityError("json-invalid", "OpenClaw's document of approvals is not JSON", { cause });
  }
  if (!isConfigRecord(value) || value["version"] !== 1) throw unknownForm();
  const agents = value["agents"] ?? {};
  if (!isConfigRecord(agents)) throw unknownForm();
  const entries: StandingApproval[] = [];
  const skills: string[] = [];
  const defaults = value["defaults"];
  if (isConfigRecord(defaults) && defaults["autoAllowSkills"] === true) skills.push("every agent");
  for (const [agent, rules] of Object.entries(agents)) {
    if (!isConfigRecord(rules)) throw unknownForm();
    if (rules["autoAllowSkills"] === true) skills.push(agent);
    for (const entry of listOf(rules, "allowlist")) entries.push(command(agent, entry));
    for (const entry of listOf(rules, "mcpTools")) entries.push(mcpTool(agent, entry));
    if (entries.length > MAX_ENTRIES) throw unknownForm();
  }
  return { entries, auto_allow_skills: skills };
}

function listOf(rules: ConfigRecord, key: string): readonly unknown[] {
  const found = rules[key] ?? [];
  if (!Array.isArray(found)) throw unknownForm();
  return found as readonly unknown[];
}

function command(agent: string, entry: unknown): StandingApproval {
  // An early form was the pattern alone.
  const record: ConfigRecord = typeof entry === "string" ? { pattern: entry } : isConfigRecord(entry) ? entry : {};
  const pattern = record["pattern"];
  if (typeof pattern !== "string") throw unknownForm();
  const fixed = record["argPattern"];
  return {
    agent,
    kind: "command",
    what: pattern,
    has_arguments: typeof fixed === "string" && fixed !== "",
    last_used_at: timeOf(record["lastUsedAt"]),
  };
}

function mcpTool(agent: string, entry: unknown): StandingApproval {
  if (!isConfigRecord(entry) || typeof entry["server"] !== "string" || typeof entry["tool"] !== "string") {
    throw unknownForm();
  }
  const used = timeOf(entry["lastUsedAt"]) ?? timeOf(entry["addedAt"]);
  return {
    agent,
    kind: "mcp-tool",
    what: `${entry["server"]}/${entry["tool"]}`,
    has_arguments: false,
    last_used_at: used,
  };
}

/** From 2000 to 2100; anything else is no time. */
function timeOf(value: unknown): string | null {
  const isTime =
    typeof value === "number" && Number.isInteger(value) && value > 946_684_800_000 && value < 4_102_444_800_000;
  return isTime ? isoFromEpoch(value) : null;
}

function unknownForm(): SecurityError {
  return new SecurityError(
    "schema-version-unsupported",
    "OpenClaw's document of approvals has a form that is not known",
    {
      hint: "Look at it with `openclaw approvals get`.",
    },
  );
}
