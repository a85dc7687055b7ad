import { join } from "node:path";
import { answerShimRequest } from "../app/shim-request.ts";
import { type Broker, startBroker } from "../broker/server.ts";
import type { SessionTokens } from "../broker/session-token.ts";
import { findCommand } from "../exec/find-command.ts";
import { claimSocket, holdsSocket, releaseSocket, type SocketPlace } from "../state/socket-place.ts";
import type { Effects } from "./effects.ts";
import type { Elevation } from "./elevate.ts";

/** Where the shim finds the gateway. */
export function brokerSocketPath(effects: Effects): string {
  return join(effects.securityDir(), "broker.sock");
}

/**
 * Opens the gateway's socket for the sudo shim.
 * @throws {SecurityError} those of claimSocket; the gateway goes on without a shim then
 */
export async function openBroker(effects: Effects, elevation: Elevation, tokens: SessionTokens): Promise<Broker> {
  const path = brokerSocketPath(effects);
  let held: SocketPlace | null = null;
  return await startBroker({
    place: {
      claim: async (listen) => {
        held = await claimSocket(path, listen);
      },
      isHeld: async () => held !== null && (await holdsSocket(path, held)),
      release: async () => {
        if (held !== null) await releaseSocket(path, held);
      },
    },
    findSession: (token) => tokens.find(token),
    run: async (request, session, watch) =>
      await answerShimRequest(
        {
          runPrivileged: async (raw, who, watching) => await elevation.runPrivileged(raw, who, watching),
          record: async (event) => await elevation.record(event),
          findCommand: async (name) => await findCommand(name),
        },
        request,
        session,
        watch,
      ),
  });
}
