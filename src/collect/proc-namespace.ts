import type { ScanProblem } from "../core/network.ts";
import { plural } from "../core/text.ts";
import type { ProcFiles } from "./proc-file.ts";
import { listPids } from "./proc-pids.ts";
import type { Slice } from "./proc-slice.ts";

/** Namespaces change with containers, not with connections. */
const LOOK_AGAIN_MS = 120_000;

/** Notices processes that live in other network namespaces, whose sockets a scan of this one cannot show. */
export interface NamespaceWatch {
  look(slice: Slice): Promise<readonly ScanProblem[]>;
}

export function createNamespaceWatch(files: ProcFiles, monotonicMs: () => number): NamespaceWatch {
  let last: { readonly at: number; readonly problems: readonly ScanProblem[] } | null = null;
  return {
    look: async (slice) => {
      const at = monotonicMs();
      if (last !== null && at - last.at < LOOK_AGAIN_MS) return last.problems;
      const own = files.link("self/ns/net");
      const others = new Map<string, number>();
      if (typeof own === "string") {
        for (const pid of await listPids(files, slice)) {
          if (slice.isOver()) await slice.rest();
          const namespace = files.link(`${pid}/ns/net`);
          if (typeof namespace === "string" && namespace !== own) {
            others.set(namespace, (others.get(namespace) ?? 0) + 1);
          }
        }
      }
      last = { at, problems: others.size === 0 ? [] : [problemOf(others)] };
      return last.problems;
    },
  };
}

function problemOf(others: ReadonlyMap<string, number>): ScanProblem {
  const processes = [...others.values()].reduce((sum, count) => sum + count, 0);
  return {
    code: "other-network-namespaces",
    message: `${plural(processes, "process", "processes")} in ${plural(others.size, "other network namespace")} (containers) not looked at`,
  };
}
