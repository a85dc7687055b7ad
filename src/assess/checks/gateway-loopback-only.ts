import { bindScope, parseAddress } from "../../core/address.ts";
import type { Listener, SocketInventory } from "../../core/network.ts";
import type { GatewayConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import { clip } from "../../core/text.ts";
import type { AssessEvidence, GatewayProcess } from "../evidence.ts";
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
  uses: ["config", "sockets", "gateway"],
  status_rules: {
    compliant: "The config says loopback, and the gateway's own process is seen listening on loopback addresses only.",
    partial: "The gateway is offered to a tailnet or a network, with strong authentication and closed web origins.",
    violation:
      "It is offered beyond this host with weak authentication or open web origins, or through a public funnel, or it listens more widely than its config says.",
    not_assessed:
      "The config or the sockets could not be read, nothing listens on the gateway's port, or what does is not known to be the gateway.",
    not_applicable: "The config uses a gateway on another machine and nothing listens here.",
  },
  needs: [],
};

/** OpenClaw's own audit calls shorter tokens too short. */
const MIN_TOKEN_CHARS = 24;
const MIN_PASSWORD_CHARS = 12;

/** What the sockets of this host cannot show. */
const NOT_LOOKED_FOR =
  "not looked for: a proxy, tunnel or port forwarding of this host that leads to the gateway; a webhook's listener is judged with the open ports";

export function check({ config, sockets, gateway: running }: AssessEvidence): CheckResult {
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
  const found = gatewayListeners(sockets.value, gateway.port.value, running.kind === "measured" ? running.value : null);
  const evidence = [line(config, text), line(sockets, found.seen), line(sockets, NOT_LOOKED_FOR)];
  if (gateway.mode === "remote" && found.listeners.length === 0) {
    return weigh([{ kind: "no-object", seen: `gateway.mode is remote and ${found.seen}` }], evidence);
  }
  return weigh([...configFacts(gateway), ...listenerFacts(gateway, found)], evidence);
}

interface GatewayListeners {
  readonly listeners: readonly Listener[];
  /** Whether they are known to belong to the gateway and not to something else on its port. */
  readonly areOwn: boolean;
  readonly seen: string;
}

/**
 * What the gateway's process listens on: its configured port, or, when it was started with another
 * one, whatever it has. Without a process, whatever is on the port, which may be anything.
 */
function gatewayListeners(inventory: SocketInventory, port: number, running: GatewayProcess | null): GatewayListeners {
  const tcp = inventory.listeners.filter((listener) => listener.protocol === "tcp");
  const onPort = tcp.filter((listener) => listener.port === port);
  const pid = running?.pid ?? null;
  const own = pid === null ? [] : tcp.filter((listener) => isOf(listener, pid, running));
  const ownOnPort = own.filter((listener) => listener.port === port);
  const known = ownOnPort.length > 0 ? ownOnPort : own.filter((listener) => listener.pid === pid);
  const where = (listeners: readonly Listener[]): string =>
    listeners.map((listener) => `${listener.address}:${listener.port}`).join(", ");
  if (known.length > 0) {
    const what =
      ownOnPort.length > 0 ? "the gateway's port is" : `the gateway (pid ${pid ?? "?"}) has not port ${port} but is`;
    return { listeners: known, areOwn: true, seen: `${what} seen on ${where(known)}` };
  }
  if (onPort.length === 0) return { listeners: [], areOwn: true, seen: `nothing listens on tcp port ${port}` };
  const owners = [...new Set(onPort.map(ownerOf))].join(", ");
  return { listeners: onPort, areOwn: false, seen: `${owners} is seen on ${where(onPort)}` };
}

/** A socket whose owner may not be seen still has its account. */
function isOf(listener: Listener, pid: number, running: GatewayProcess | null): boolean {
  return listener.pid === pid || (listener.pid === null && listener.uid !== null && listener.uid === running?.uid);
}

function ownerOf({ exe, name, pid, uid }: Listener): string {
  if (pid === null) return uid === null ? "a process that is not known" : `a process of uid ${uid} that cannot be seen`;
  return `${clip(exe ?? name ?? "a process", 120)} (pid ${pid})`;
}

function listenerFacts(gateway: GatewayConfig, { listeners, areOwn, seen }: GatewayListeners): readonly Fact[] {
  const facts: Fact[] = [];
  if (listeners.length === 0) {
    facts.push({
      kind: "unknown",
      reason: `${seen}, so where the gateway really listens could not be observed`,
      remedy: "Start the gateway and run the assessment again",
    });
  } else if (!areOwn) {
    facts.push({
      kind: "unknown",
      reason: `${seen}, which is not known to be the gateway`,
      remedy: "Find out what it is (`cse scan ports`), and run the assessment as the gateway's account or as root",
    });
  }
  if (listeners.some((listener) => listener.scope !== "loopback") && isLoopbackBind(gateway)) {
    facts.push({
      kind: "violation",
      seen,
      gap: `the gateway${areOwn ? " listens" : "'s port is open"} beyond loopback although its config says loopback`,
      fix: "Find what listens there (`cse scan ports`), and restart the gateway so that its config takes effect",
    });
  }
  return facts.length > 0 ? facts : [{ kind: "good", seen }];
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
    if (weakness.length === 0 && hasUnseenSecret(gateway)) {
      facts.push({
        kind: "unknown",
        reason: "how long the gateway's token or password is cannot be seen from here",
        remedy: `Make sure that it has at least ${MIN_TOKEN_CHARS} characters, or set gateway.bind to loopback`,
      });
    }
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

function weakAuth({ auth, trusted_proxies: trusted }: GatewayConfig): readonly string[] {
  const weak: string[] = [];
  if (auth.mode === "none") weak.push("no authentication");
  const trustsAll = trusted.some((range) => /^(?:0\.0\.0\.0|::)\/0$/.test(range.trim()));
  if (auth.mode === "trusted-proxy" && trustsAll) weak.push("every address trusted as the proxy that authenticates");
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

/** Set through a reference that is resolved elsewhere; one that is not set at all is made at start, long enough. */
function hasUnseenSecret({ auth }: GatewayConfig): boolean {
  if (auth.mode === "none" || auth.mode === "trusted-proxy") return false;
  const secret =
    auth.mode === "password" || (auth.mode === null && auth.token.kind === "missing") ? auth.password : auth.token;
  return secret.kind !== "missing" && secret.length === null;
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
