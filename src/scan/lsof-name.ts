import { type Endpoint, readColonEndpoint } from "./endpoint.ts";

const SIMPLE_ESCAPE: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
  ["\\", "\\"],
]);

/** Undoes lsof's escapes: `\x20` (bytes of UTF-8), `\n`, `\t`, `\\`. A cut-off escape stays as it is. */
export function unescapeLsof(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/((?:\\x[0-9a-f]{2})+)|\\([ntrbf\\])/gi, (whole, bytes?: string, simple?: string) => {
    if (simple !== undefined) return SIMPLE_ESCAPE.get(simple) ?? whole;
    const values = (bytes ?? "").split(/\\x/i).slice(1);
    return new TextDecoder().decode(Uint8Array.from(values, (hex) => Number.parseInt(hex, 16)));
  });
}

/** The NAME of an internet socket: "*:80", "[::1]:80", "local->remote". Null when it is anything else. */
export function readLsofName(
  name: string,
  type: string,
): { readonly local: Endpoint; readonly remote: Endpoint | null } | null {
  const wildcardFamily = type === "IPv4" ? 4 : type === "IPv6" ? 6 : null;
  const arrow = name.indexOf("->");
  const local = readColonEndpoint(arrow === -1 ? name : name.slice(0, arrow), wildcardFamily);
  const remote = arrow === -1 ? null : readColonEndpoint(name.slice(arrow + 2), wildcardFamily);
  return local === null || (arrow !== -1 && remote === null) ? null : { local, remote };
}
