import { bindScope, parseAddress } from "../../core/address.ts";
import type { Listener, SocketInventory } from "../../core/network.ts";
import type { GatewayConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "gateway_loopback_only",
  title: "The gateway can only be reached from this host",
  iso27001: ["A.8.20", "A.8.21", "A.8.22", "A.8.9"],
  nist_csf: ["PR.IR-01", "PR.PS-01"],
  nist_800_53: ["SC-7", "CM-6", "CM-7", "AC-17"],
  cis: ["4.1", "4.6", "4.8"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "The gateway is set to loopback (also the default) and is seen listening there only; access from elsewhere goes through an authenticated tunnel, never through a public funnel.",
  mitigation:
    "Run `openclaw config set gateway.bind loopback`, restart the gateway, and come in through an SSH tunnel or Tailscale Serve",
  owner: "Platform Security",
  uses: ["config", "sockets"],
  status_rules: {
    compliant: "The config says loopback, and the gateway's port is seen on loopback addresses only.",
    partial: "The gateway is offered to a tailnet or a network, with strong authentication and closed web origins.",
    violation:
      "It is offered beyond this host with weak authentication or open web origins, or through a public funnel, or it listens more widely than its config says.",
    not_assessed: "The config or the sockets could not be read, or nothing listens on the gateway's port.",
    not_applicable: "The config uses a gateway on another machine and nothing listens here.",
  },
  needs: [],
};

/** OpenClaw's own audit calls shorter tokens too short. */
const MIN_TOKEN_CHARS = 24;
const MIN_PASSWORD_CHARS = 12;

export function check({ config, sockets }: AssessEvidence): CheckResult {
  if (config.kind === "unmeasured") {
    return weigh(
      [missing(config), ...(sockets.kind === "measured" ? [] : [missing(sockets)])],
      [line(config, ""), line(sockets, "which of the listeners is the gateway's is not known without the config")],
    );
  }
  const { gateway } = config.value;
  const text = configText(gateway);
  if (sockets.kind === "unmeasured") {
    return weigh([...configFacts(gateway), missing(sockets)], [line(config, text), line(sockets, "")]);
  }
  const listeners = gatewayListeners(sockets.value, gateway.port.value);
  const seen =
    listeners.length === 0
      ? `nothing listens on tcp port ${gateway.port.value}`
      : `the gateway's port is seen on ${listeners.map((listener) => `${listener.address}:${listener.port}`).join(", ")}`;
  const evidence = [line(config, text), line(sockets, seen)];
  if (gateway.mode === "remote" && listeners.length === 0) {
    return weigh([{ kind: "no-object", seen: `gateway.mode is remote and ${seen}` }], evidence);
  }
  return weigh([...configFacts(gateway), listenerFact(gateway, listeners, seen)], evidence);
}

function gatewayListeners(inventory: SocketInventory, port: number): readonly Listener[] {
  return inventory.listeners.filter((listener) => listener.protocol === "tcp" && listener.port === port);
}

function listenerFact(gateway: GatewayConfig, listeners: readonly Listener[], seen: string): Fact {
  if (listeners.length === 0) {
    return {
      kind: "unknown",
      reason: `${seen}, so where the gateway really listens could not be observed`,
      remedy: "Start the gateway and run the assessment again",
    };
  }
  const wider = listeners.some((listener) => listener.scope !== "loopback");
  if (wider && isLoopbackBind(gateway)) {
    return {
      kind: "violation",
      seen,
      gap: "the gateway's port is open beyond loopback although its config says loopback",
      fix: "Find what listens there (`cse scan ports`), and restart the gateway so that its config takes effect",
    };
  }
  return { kind: "good", seen };
}

function configFacts(gateway: GatewayConfig): readonly Fact[] {
  const seen = configText(gateway);
  const facts: Fact[] = [];
  if (gateway.tailscale_mode.value === "funnel") {
    facts.push({
      kind: "violation",
      seen,
      gap: "Tailscale Funnel offers the gateway to the whole internet",
      fix: "Run `openclaw config set gateway.tailscale.mode off` (or serve)",
    });
  }
  if (gateway.tailscale_mode.value === "serve" || !isLoopbackBind(gateway)) {
    const weakness = [...weakAuth(gateway), ...openOrigins(gateway)];
    const where =
      gateway.tailscale_mode.value === "serve"
        ? "a tailnet (Tailscale Serve)"
        : `other machines (bind ${gateway.bind.value})`;
    facts.push(
      weakness.length > 0
        ? {
            kind: "violation",
            seen,
            gap: `the gateway is offered to ${where} with ${weakness.join(" and ")}`,
            fix: meta.mitigation,
          }
        : { kind: "partial", seen, gap: `the gateway is offered to ${where}`, fix: meta.mitigation },
    );
  }
  return facts.length > 0 ? facts : [{ kind: "good", seen }];
}

/** `auto` and `tailnet` fall back to loopback at most; only what cannot widen counts as loopback. */
function isLoopbackBind({ bind, custom_bind_host: host }: GatewayConfig): boolean {
  if (bind.value === "custom") return host !== null && parseAddress(host) !== null && bindScope(host) === "loopback";
  return bind.value === "loopback";
}

function weakAuth({ auth }: GatewayConfig): readonly string[] {
  const weak: string[] = [];
  if (auth.mode === "none") weak.push("no authentication");
  const usesToken = auth.mode === "token" || (auth.mode === null && auth.token.kind !== "missing");
  if (usesToken && auth.token.length !== null && auth.token.length < MIN_TOKEN_CHARS) {
    weak.push(`a token of ${auth.token.length} characters`);
  }
  const usesPassword = auth.mode === "password" || (auth.mode === null && auth.token.kind === "missing");
  if (usesPassword && auth.password.length !== null && auth.password.length < MIN_PASSWORD_CHARS) {
    weak.push(`a password of ${auth.password.length} characters`);
  }
  return weak;
}

function openOrigins({ control_ui: ui }: GatewayConfig): readonly string[] {
  if (!ui.enabled.value) return [];
  const open: string[] = [];
  if (ui.allowed_origins.includes("*")) open.push("every web origin allowed");
  if (ui.host_header_origin_fallback.value) open.push("origins taken from the Host header");
  if (ui.disable_device_auth.value) open.push("device authentication off");
  return open;
}

function configText(gateway: GatewayConfig): string {
  const bind = `gateway.bind ${gateway.bind.value}${gateway.bind.explicit ? "" : " (default)"}`;
  const host = gateway.custom_bind_host === null ? "" : ` ${gateway.custom_bind_host}`;
  return `${bind}${host}, port ${gateway.port.value}, auth ${gateway.auth.mode ?? "chosen at start"}, tailscale ${gateway.tailscale_mode.value}`;
}
