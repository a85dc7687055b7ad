import type { Listener } from "../../src/core/network.ts";

/** A fully resolved loopback listener, with the given differences. */
export function listenerWith(differences: Partial<Listener> = {}): Listener {
  return {
    protocol: "tcp",
    address: "127.0.0.1",
    port: 8080,
    scope: "loopback",
    device: null,
    dual_stack: null,
    owners: 1,
    pid: 4242,
    name: "python3",
    exe: "/usr/bin/python3.11",
    exe_deleted: false,
    user: "app",
    uid: 1000,
    unit: null,
    container: null,
    unknown_reason: null,
    ...differences,
  };
}

/** What is left of a listener whose owner cannot be seen. */
export const UNKNOWN_OWNER: Partial<Listener> = {
  pid: null,
  name: null,
  exe: null,
  exe_deleted: null,
  user: null,
  uid: 0,
  unit: null,
  container: null,
  owners: 0,
  unknown_reason: "owned by uid 0; run as root to resolve",
};
