import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

/** OpenClaw's own audit calls shorter tokens too short. */
const MIN_TOKEN_CHARS = 24;

export const meta: CheckMeta = {
  check_id: "webhook_ingress_hardened",
  title: "Webhooks reach only what they are for",
  iso27001: ["A.8.21", "A.8.5", "A.8.26"],
  nist_csf: ["PR.AA-03", "PR.IR-01"],
  nist_800_53: ["IA-9", "AC-3", "SI-10"],
  cis: ["16.10"],
  mapping_confidence: "medium",
  default_risk: "high",
  expected_state: `Webhooks are off; or they have a token of their own of at least ${MIN_TOKEN_CHARS} characters, a path of their own, named agents, a session chosen by the owner, and outside text marked as such.`,
  mitigation:
    "Give hooks.token a new random value, name hooks.allowedAgentIds, set hooks.allowRequestSessionKey to false and hooks.defaultSessionKey",
  owner: "Platform Security",
  uses: ["config"],
  status_rules: {
    compliant: "Everything named under what is expected holds.",
    partial: "No fixed session is set, or the callers' sessions are limited by a prefix only.",
    violation:
      "The token is short, missing or the gateway's own, any agent may be reached, callers choose the session, the path is the root, or outside text is passed on unmarked.",
    not_assessed: "The config cannot be read, or the token cannot be seen.",
    not_applicable: "Webhooks are off.",
  },
  needs: [],
};

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const { hooks } = config.value;
  if (!hooks.enabled.value) {
    const off = "hooks.enabled is false";
    return weigh([{ kind: "no-object", seen: `there is no webhook: ${off}` }], [line(config, off)]);
  }
  const agents = hooks.allowed_agent_ids?.join(", ") ?? "every agent";
  const length = hooks.token.length === null ? hooks.token.kind : `${hooks.token.length} characters`;
  const seen = `webhooks on at ${hooks.path ?? "/hooks (default)"}, token ${length}, for ${agents}, session key from callers ${hooks.allow_request_session_key.value ? "taken" : "not taken"}`;
  return weigh(facts(config.value, seen), [line(config, seen)]);
}

function facts({ hooks, surface }: OpenClawConfig, seen: string): readonly Fact[] {
  const found: Fact[] = [{ kind: "good", seen }];
  const broken = (gap: string, fix: string = meta.mitigation): number =>
    found.push({ kind: "violation", seen, gap, fix });
  if (hooks.token.kind === "missing") broken("the webhooks have no token");
  if (hooks.token.length !== null && hooks.token.length < MIN_TOKEN_CHARS) {
    broken(`the webhooks' token has ${hooks.token.length} characters`);
  }
  if (hooks.token.is_guessable === true) broken("the webhooks' token is a placeholder or hardly varies");
  if (surface.hooks_token_is_gateway_secret === true) broken("the webhooks' token is the gateway's own secret");
  if (
    hooks.token.kind !== "missing" &&
    (hooks.token.length === null || surface.hooks_token_is_gateway_secret === null)
  ) {
    found.push({
      kind: "unknown",
      reason: "how long the webhooks' token is, or whether it is the gateway's own secret, cannot be seen from here",
      remedy: `Make sure that it has at least ${MIN_TOKEN_CHARS} random characters and is used for nothing else`,
    });
  }
  if ((hooks.path ?? "/hooks").replaceAll("/", "") === "")
    broken("the webhooks answer at the root path", "Set hooks.path to /hooks");
  if (hooks.allowed_agent_ids === null || hooks.allowed_agent_ids.includes("*")) {
    broken("a webhook can reach every agent", "Name the agents in hooks.allowedAgentIds");
  }
  if (hooks.allows_unsafe_external_content) {
    broken("text from outside is passed to an agent unmarked", "Take allowUnsafeExternalContent out of hooks");
  }
  if (hooks.allow_request_session_key.value) {
    if (surface.hooks.session_key_prefixes.length === 0) {
      broken("callers choose any session", "Set hooks.allowRequestSessionKey to false");
    } else {
      found.push({
        kind: "partial",
        seen,
        gap: `callers choose a session below ${surface.hooks.session_key_prefixes.join(", ")}`,
        fix: "Set hooks.allowRequestSessionKey to false",
        risk: "medium",
      });
    }
  } else if (!surface.hooks.default_session_key) {
    found.push({
      kind: "partial",
      seen,
      gap: "no fixed session is set for webhooks",
      fix: "Set hooks.defaultSessionKey",
      risk: "low",
    });
  }
  return found;
}
