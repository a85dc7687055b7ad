import type { GatewayProcess, OtherGateway } from "./evidence.ts";

/** Why there is no gateway whose account could be judged. */
export function noGatewayText({ others }: GatewayProcess): string {
  if (others.length === 0) return "no running gateway was found";
  return `none of the processes that look like a gateway is known to be the one in question (${named(others)})`;
}

/** "; also looks like a gateway: pid 3 of uid 77"; empty when nothing else does. */
export function othersText({ others }: GatewayProcess): string {
  return others.length === 0 ? "" : `; not looked at, though it looks like a gateway too: ${named(others)}`;
}

const MAX_NAMED = 3;

function named(others: readonly OtherGateway[]): string {
  const shown = others.slice(0, MAX_NAMED).map(({ pid, uid, other_config: config }) => {
    const who = `pid ${pid}${uid < 0 ? "" : ` of uid ${uid}`}`;
    return config === null ? who : `${who} with ${config}`;
  });
  const more = others.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
