import type { ApprovalRoute } from "../deps/gateway.ts";
import type { PluginConfigState } from "../schema/plugin-config.ts";
import type { HostServiceContext } from "./host-api.ts";

/** Stand-in until the gateway's approvals are here: nobody can be asked. */
export async function openRoute(_context: HostServiceContext, _config: PluginConfigState): Promise<ApprovalRoute> {
  const no = async (): Promise<never> => await Promise.reject(new Error("nobody can be asked"));
  return {
    asker: { hasRoute: async () => false, ask: no },
    approver: { name: "gateway", hasRoute: async () => false, ask: no },
    pending: async () => [],
    close: async () => undefined,
  };
}
