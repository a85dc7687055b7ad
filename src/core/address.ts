import ipaddr from "ipaddr.js";
import type { AddressCategory, Scope } from "./network.ts";

export interface ParsedAddress {
  /** IPv4 dotted or RFC 5952; v4-mapped IPv6 becomes IPv4; no zone. */
  readonly address: string;
  readonly zone: string | null;
  readonly family: 4 | 6;
}

export interface Cidr {
  readonly text: string;
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/** Where clouds hand out credentials to whoever asks, in the spelling of `parseAddress`. */
const METADATA = new Set([
  // AWS, Google, Azure, OpenStack and most others.
  "169.254.169.254",
  "fd00:ec2::254",
  "fd20:ce::254",
  "fd00:c1::a9fe:a9fe",
  "fe80::a9fe:a9fe",
  // Credentials of ECS tasks and of EKS pods.
  "169.254.170.2",
  "169.254.170.23",
  "fd00:ec2::23",
  // Alibaba, Tencent, Scaleway.
  "100.100.100.200",
  "169.254.0.23",
  "169.254.42.42",
  "fd00:42::42",
]);

/** Strict: four decimal octets for IPv4 (no octal, no short forms), any RFC 4291 text for IPv6, optional %zone. */
export function parseAddress(text: string): ParsedAddress | null {
  const percent = text.indexOf("%");
  const bare = percent === -1 ? text : text.slice(0, percent);
  const zone = percent === -1 ? null : text.slice(percent + 1);
  if (zone === "") return null;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) {
    return { address: ipaddr.IPv4.parse(bare).toString(), zone, family: 4 };
  }
  const groups = withoutDottedTail(bare);
  if (groups === null || !groups.includes(":") || !ipaddr.IPv6.isValid(groups)) return null;
  const six = ipaddr.IPv6.parse(groups);
  if (six.isIPv4MappedAddress()) return { address: six.toIPv4Address().toString(), zone, family: 4 };
  return { address: six.toRFC5952String(), zone, family: 6 };
}

/**
 * "::ffff:10.0.0.1" as "::ffff:a00:1"; null when the dotted tail is not strict IPv4. ipaddr.js itself
 * reads octal and hexadecimal there, and takes "::10.0.0.1" for the v4-mapped address.
 */
function withoutDottedTail(text: string): string | null {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  if (!tail.includes(".")) return text;
  if (!ipaddr.IPv4.isValidFourPartDecimal(tail)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(tail).toByteArray();
  const head = text.slice(0, text.length - tail.length);
  return `${head}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Category of an address `parseAddress` accepts; anything else is "reserved". */
export function categorizeAddress(text: string): AddressCategory {
  const parsed = parseAddress(text);
  if (parsed === null) return "reserved";
  if (METADATA.has(parsed.address)) return "metadata";
  const ip = parsed.family === 4 ? ipaddr.IPv4.parse(parsed.address) : ipaddr.IPv6.parse(parsed.address);
  switch (ip.range()) {
    case "loopback":
      return "loopback";
    case "unspecified":
      // All of 0.0.0.0/8 has this range, but only its first address binds every interface.
      return parsed.address === "0.0.0.0" || parsed.address === "::" ? "unspecified" : "reserved";
    case "private":
    case "uniqueLocal":
      return "private";
    case "carrierGradeNat":
      return "cgnat";
    case "linkLocal":
      return "link-local";
    case "multicast":
    case "broadcast":
      return "multicast";
    case "unicast":
      return "public";
    // 6to4, Teredo and NAT64 addresses carry traffic to the public internet.
    case "6to4":
    case "teredo":
    case "rfc6052":
    case "rfc6145":
      return "public";
    default:
      return "reserved";
  }
}

/** Who can reach a socket bound to this address. Unknown ranges count as public: the wider reading. */
export function bindScope(text: string): Scope {
  switch (categorizeAddress(text)) {
    case "unspecified":
      return "all-interfaces";
    case "loopback":
      return "loopback";
    case "private":
    case "cgnat":
    case "link-local":
    case "metadata":
      return "private";
    case "multicast":
      // A socket bound to a group hears the local segment.
      return "private";
    case "reserved":
    case "public":
      return "public";
  }
}

/** "10.0.0.0/8", "2001:db8::/32", or a bare address as a host route. Null when it is neither or has host bits set. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf("/");
  const parsed = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (parsed === null || parsed.zone !== null) return null;
  const bits = parsed.family === 4 ? 32 : 128;
  const prefixText = slash === -1 ? String(bits) : text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefixText)) return null;
  const prefix = Number(prefixText);
  if (prefix > bits) return null;
  const bytes = bytesOf(parsed);
  for (let bit = prefix; bit < bits; bit += 1) {
    if (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) return null;
  }
  return { text: `${parsed.address}/${prefix}`, family: parsed.family, bytes, prefix };
}

/** An address in the form that is quick to compare with many networks. */
export type AddressBits = Pick<Cidr, "family" | "bytes">;

/** Null for anything that is not an address; a v4-mapped address counts as IPv4. */
export function addressBits(address: string): AddressBits | null {
  const parsed = parseAddress(address);
  return parsed === null ? null : { family: parsed.family, bytes: bytesOf(parsed) };
}

/** False for an address of another family. */
export function cidrHolds(cidr: Cidr, { family, bytes }: AddressBits): boolean {
  if (family !== cidr.family) return false;
  const whole = cidr.prefix >> 3;
  for (let index = 0; index < whole; index += 1) if (bytes[index] !== cidr.bytes[index]) return false;
  const rest = cidr.prefix & 7;
  return rest === 0 || (bytes[whole] ?? 0) >> (8 - rest) === (cidr.bytes[whole] ?? 0) >> (8 - rest);
}

function bytesOf(parsed: ParsedAddress): number[] {
  return parsed.family === 4
    ? ipaddr.IPv4.parse(parsed.address).toByteArray()
    : ipaddr.IPv6.parse(parsed.address).toByteArray();
}
