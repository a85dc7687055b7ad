import type { GatewayConfig, OpenClawConfig, SecretFact } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

/** OpenClaw's own audit calls shorter tokens and passwords too short. */
const MIN_CHARS = 24;

export const meta: CheckMeta = {
  check_id: "gateway_auth_strong",
  title: "Whoever reaches the gateway must know a strong secret, and cannot try many",
  iso27001: ["A.8.5", "A.5.17"],
  nist_csf: ["PR.AA-03", "PR.AA-01"],
  nist_800_53: ["IA-2", "IA-5(1)", "AC-7"],
  cis: ["5.2", "4.7"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state: `The gateway asks for a token or password of at least ${MIN_CHARS} characters that is used for nothing else, or for an identity from a proxy that is named; and failed attempts are limited.`,
  mitigation:
    "Make a secret with `openssl rand -hex 32`, set it as gateway.auth.token through a variable, and set gateway.auth.rateLimit",
  owner: "Platform Security",
  uses: ["config"],
  status_rules: {
    compliant: "The secret is long, not a placeholder and not the webhooks' token, and attempts are limited.",
    partial: "The secret is short or attempts are not limited, on a gateway that only this host reaches.",
    violation:
      "No authentication, a placeholder, a secret shared with the webhooks, or a short secret on a gateway that others reach.",
    not_assessed: "The config cannot be read, or the secret comes from where it cannot be seen.",
  },
  needs: [],
};

export function check({ config }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") return weigh([missing(config)], [line(config, "")]);
  const seen = textOf(config.value.gateway);
  return weigh(facts(config.value, seen), [line(config, seen)]);
}

function facts({ gateway, surface }: OpenClawConfig, seen: string): readonly Fact[] {
  const { auth } = gateway;
  const isExposed = gateway.bind.value !== "loopback" || gateway.tailscale_mode.value !== "off";
  const weak = (gap: string, fix: string = meta.mitigation): Fact => ({
    kind: isExposed ? "violation" : "partial",
    seen,
    gap: isExposed ? `${gap}, and others than this host reach the gateway` : gap,
    fix,
  });
  const broken = (gap: string): Fact => ({ kind: "violation", seen, gap, fix: meta.mitigation });
  if (auth.mode === "none") return [broken("the gateway asks nobody who they are")];
  const found: Fact[] = [{ kind: "good", seen }];
  if (!auth.rate_limit_set) {
    found.push(weak("failed attempts are not limited", "Set gateway.auth.rateLimit, e.g. 10 attempts in 60 seconds"));
  }
  if (auth.mode === "trusted-proxy") return [...found, ...proxyFacts(gateway, weak)];
  const secret = secretOf(gateway);
  const what = secret === auth.password ? "password" : "token";
  if (secret.is_guessable === true) found.push(broken(`the ${what} is a placeholder or hardly varies`));
  if (secret.length !== null && secret.length < MIN_CHARS)
    found.push(weak(`the ${what} has ${secret.length} characters`));
  if (secret.kind !== "missing" && secret.length === null) {
    found.push({
      kind: "unknown",
      reason: `the ${what} comes from where it cannot be seen from here`,
      remedy: `Make sure that it has at least ${MIN_CHARS} random characters, and run the assessment with the gateway's environment`,
    });
  }
  if (surface.hooks_token_is_gateway_secret === true) found.push(broken("the webhooks use the gateway's own secret"));
  if (surface.hooks_token_is_gateway_secret === null) {
    found.push({
      kind: "unknown",
      reason: "whether the webhooks use the gateway's own secret cannot be seen from here",
      remedy: "Compare hooks.token with the gateway's secret by hand",
    });
  }
  return found;
}

/** One that is not set at all is made at start, long enough. */
function secretOf({ auth }: GatewayConfig): SecretFact {
  return auth.mode === "password" || (auth.mode === null && auth.token.kind === "missing") ? auth.password : auth.token;
}

function proxyFacts(gateway: GatewayConfig, weak: (gap: string, fix?: string) => Fact): readonly Fact[] {
  const found: Fact[] = [];
  if (gateway.trusted_proxies.length === 0)
    found.push(weak("no proxy is named that may say who somebody is", "Set gateway.trustedProxies"));
  if (gateway.auth.trusted_proxy_user_header === null) {
    found.push(weak("no header is named in which the proxy says it", "Set gateway.auth.trustedProxy.userHeader"));
  }
  return found;
}

function textOf(gateway: GatewayConfig): string {
  const { auth } = gateway;
  const secret = secretOf(gateway);
  const length = secret.length === null ? "of unknown length" : `of ${secret.length} characters`;
  const how =
    auth.mode === "none" || auth.mode === "trusted-proxy"
      ? ""
      : `, secret ${secret.kind === "missing" ? "made at start" : `(${secret.kind}) ${length}`}`;
  return `auth ${auth.mode ?? "chosen at start"}${how}, attempts ${auth.rate_limit_set ? "limited" : "not limited"}, bind ${gateway.bind.value}`;
}
