import type { GatewayCaller } from "../deps/gateway.ts";
import type { HostCaller } from "./host-api.ts";

/** The host's word on whose call it is; parameters of the call never count. */
export function callerOf({ sessionKey, agentId }: HostCaller): GatewayCaller {
  return { sessionKey: sessionKey ?? null, agent: agentId ?? null };
}
