import type { CommandPolicyFile, PolicyFile } from "../assess/evidence.ts";
import { parseStrictJson } from "../core/json.ts";
import type { EpochMs } from "../core/time.ts";
import { parsePolicy } from "../policy/command-decision.ts";
import { lintCommandPolicy } from "../policy/command-policy-lint.ts";
import { parsePromptPolicy, type PromptPolicy } from "../schema/prompt-policy.ts";

/** Text of a policy file; null when there is none. */
export interface PolicyText {
  readonly path: string;
  readonly text: string | null;
}

/**
 * The command policy as enforcement reads it, with what its linter says.
 * @throws {SecurityError} json-invalid, json-duplicate-key, policy-invalid, schema-version-unsupported
 */
export function readCommandPolicy({ path, text }: PolicyText, now: EpochMs): CommandPolicyFile {
  if (text === null) return { path, present: false, policy: null, notes: [] };
  const { policy } = parsePolicy(parseStrictJson(text, path));
  return { path, present: true, policy, notes: lintCommandPolicy(policy, now) };
}

/** @throws {SecurityError} json-invalid, json-duplicate-key, policy-invalid, schema-version-unsupported */
export function readPromptPolicy({ path, text }: PolicyText): PolicyFile<PromptPolicy> {
  if (text === null) return { path, present: false, policy: null };
  return { path, present: true, policy: parsePromptPolicy(parseStrictJson(text, path)) };
}
