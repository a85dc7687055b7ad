import { parseAddress } from "./address.ts";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const NUMERIC_LABEL = /^(?:[0-9]+|0x[0-9a-f]*)$/;

/**
 * The one spelling of a DNS host name: lower case, no trailing dot. Null for anything that is not
 * letters, digits and hyphens in labels of at most 63 (253 in all), so internationalised names must
 * come as A-labels (`xn--...`). Null also for addresses and for names whose last label is a number:
 * resolvers read `1.2.3`, `0x7f.1` or `2130706433` as IPv4. Source: RFC 1123 2.1, WHATWG URL "ends in a number".
 */
export function parseHostName(text: string): string | null {
  // Before lower-casing: the Kelvin sign, for one, has the lower case "k".
  if (!/^[A-Za-z0-9.-]+$/.test(text)) return null;
  const lower = text.toLowerCase();
  const name = lower.endsWith(".") ? lower.slice(0, -1) : lower;
  if (name.length === 0 || name.length > 253 || parseAddress(name) !== null) return null;
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return null;
  return NUMERIC_LABEL.test(labels.at(-1) ?? "") ? null : name;
}
