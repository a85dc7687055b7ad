import type { ListenerGroup, SeenSocket } from "./seen-socket.ts";

/** What tells who accepted a connection. */
export interface AcceptedView {
  /** Pids that hold the socket; empty when none was found. */
  holdersOf(socket: SeenSocket): readonly number[];
  /** Null when the process is gone. */
  parentOf(pid: number): number | null;
  /** True when the socket's holder should have been visible. */
  isHidden(socket: SeenSocket): boolean;
}

/**
 * Tells whether one of the listeners on a connection's own port can have accepted it: only who holds
 * the listener, or descends from such a process, can. Without this, any program could connect out
 * from the port of a service, or from one that a service will listen on later, and look like a
 * visitor's connection. A program that listens on that port itself still can.
 */
export function createAcceptance(
  view: AcceptedView,
): (connection: SeenSocket, listeners: readonly ListenerGroup[]) => boolean {
  const summaries = new Map<ListenerGroup, { readonly holders: ReadonlySet<number>; readonly isOfRoot: boolean }>();
  const parents = new Map<number, number | null>();

  const summaryOf = (group: ListenerGroup) => {
    const known = summaries.get(group);
    if (known !== undefined) return known;
    const summary = {
      holders: new Set(group.flatMap((listener) => view.holdersOf(listener))),
      isOfRoot: group.some((listener) => listener.uid === 0),
    };
    summaries.set(group, summary);
    return summary;
  };

  const parentOf = (pid: number): number | null => {
    const known = parents.get(pid);
    if (known !== undefined) return known;
    const parent = view.parentOf(pid);
    parents.set(pid, parent);
    return parent;
  };

  /** Process 1 is everybody's ancestor and stands for nobody. */
  const descends = (pid: number, ancestors: ReadonlySet<number>): boolean => {
    if (ancestors.has(pid)) return true;
    const seen = new Set<number>();
    for (let at: number | null = pid; at !== null && at > 1 && !seen.has(at); at = parentOf(at)) {
      if (ancestors.has(at)) return true;
      seen.add(at);
    }
    return false;
  };

  return (connection, listeners) => {
    // The kernel keeps no owner of a closed one, nor of one that waits to be accepted.
    if (connection.inode === 0 || connection.state === "TIME_WAIT") return true;
    const holders = view.holdersOf(connection);
    if (holders.length === 0) return !view.isHidden(connection);
    return listeners.some((group) => {
      const { holders: listening, isOfRoot } = summaryOf(group);
      // Root's own programs pass accepted connections on in many ways (sshd after an upgrade, inetd).
      return (connection.uid === 0 && isOfRoot) || holders.some((pid) => descends(pid, listening));
    });
  };
}
