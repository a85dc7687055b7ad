import { parseAddress } from "../core/address.ts";

/** One end of a socket as a tool shows it. `port` null is the tool's "*". */
export interface Endpoint {
  readonly address: string;
  readonly zone: string | null;
  readonly family: 4 | 6 | 46 | null;
  readonly port: number | null;
}

/** An IPv6 address with a scope and an interface name is far shorter. */
const MAX_HOST_CHARS = 100;

/**
 * Reads `host` ("*", "0.0.0.0%eth0", "[fe80::1]%eth0", "fe80::1%6", ...) and `port` (number or "*").
 * Null when either is anything else, such as a host or service name: those are not evidence.
 * @param wildcardFamily what the tool says about a bare "*"
 */
export function readEndpoint(host: string, port: string, wildcardFamily: Endpoint["family"]): Endpoint | null {
  const number = readPort(port);
  if (number === undefined || host.length > MAX_HOST_CHARS) return null;
  if (host === "*") return { address: "*", zone: null, family: wildcardFamily, port: number };
  if (host.startsWith("*%")) {
    return host.length > 2 ? { address: "*", zone: host.slice(2), family: wildcardFamily, port: number } : null;
  }
  const bracketed = /^\[([^[\]]+)\](%.+)?$/.exec(host);
  const plain = bracketed === null ? host : `${bracketed[1]}${bracketed[2] ?? ""}`;
  const { text, zone } = splitKameScope(plain);
  const parsed = parseAddress(text);
  if (parsed === null) return null;
  return { address: parsed.address, zone: parsed.zone ?? zone, family: parsed.family, port: number };
}

/** Splits "host:port" (or "host.port") at the last separator; null when there is none. */
export function splitEndpoint(text: string, separator: ":" | "."): readonly [host: string, port: string] | null {
  const at = text.lastIndexOf(separator);
  return at === -1 ? null : [text.slice(0, at), text.slice(at + 1)];
}

/** `splitEndpoint` at the last colon, then `readEndpoint`. */
export function readColonEndpoint(text: string, wildcardFamily: Endpoint["family"]): Endpoint | null {
  const parts = splitEndpoint(text, ":");
  return parts === null ? null : readEndpoint(parts[0], parts[1], wildcardFamily);
}

/** Decimal 0 to 65535, null for "*", undefined for anything else. */
function readPort(text: string): number | null | undefined {
  if (text === "*") return null;
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/**
 * BSD kernels keep the interface number of a link-local address in its second group
 * ("fe80:4::1" is fe80::1 on interface 4), and macOS tools may print it so. RFC 4291 2.5.6 wants
 * zeros there, so nothing else is lost by reading it as the zone.
 */
function splitKameScope(text: string): { text: string; zone: string | null } {
  const match = /^(fe[89ab][0-9a-f]):([0-9a-f]{1,4})(:.*)$/i.exec(text);
  if (match === null) return { text, zone: null };
  const scope = Number.parseInt(match[2] ?? "0", 16);
  return scope === 0 ? { text, zone: null } : { text: `${match[1]}:0${match[3]}`, zone: String(scope) };
}
