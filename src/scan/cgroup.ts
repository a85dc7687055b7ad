/** The systemd unit and the container that a process belongs to, as far as its cgroup path tells. */
export interface CgroupFacts {
  /** E.g. "ssh.service", "session-3.scope", and "user@1000.service/gateway.service" for a unit of a user's own. */
  readonly unit: string | null;
  /** Container id (64 hex digits) or LXC name. */
  readonly container: string | null;
}

const CONTAINER_ID = /(?:^|[-_:/])([0-9a-f]{64})(?:\.scope)?$/;
const LXC = /^lxc(?:\.payload\.(.+)|\.payload)?$/;
const UNIT = /^.+\.(?:service|scope|socket|mount|swap)$/;
const USER_MANAGER = /^user@\d+\.service$/;

/**
 * Reads the content of /proc/<pid>/cgroup, v1 or v2.
 *
 * The outermost unit counts: systemd itself names that one, while deeper groups may be named by a
 * service that was given its own subtree. A user's manager is the exception; the unit it runs is the
 * one a person knows. Its name stands behind the manager's, because every user can name a unit of
 * their own like one of the system's. For the same reason names inside of a container count for nothing.
 */
export function parseCgroup(text: string): CgroupFacts {
  let unit: string | null = null;
  let container: string | null = null;
  for (const path of pathsByAuthority(text)) {
    const found = readPath(path);
    unit ??= found.unit;
    container ??= found.container;
  }
  return { unit, container };
}

/** The unified hierarchy first, then systemd's own v1 hierarchy, then the controllers. */
function pathsByAuthority(text: string): string[] {
  const unified: string[] = [];
  const systemd: string[] = [];
  const others: string[] = [];
  for (const line of text.split("\n")) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, id, controllers, path = ""] = match;
    if (id === "0" && controllers === "") unified.push(path);
    else if (controllers === "name=systemd") systemd.push(path);
    else others.push(path);
  }
  return [...unified, ...systemd, ...others];
}

function readPath(path: string): CgroupFacts {
  let unit: string | null = null;
  let container: string | null = null;
  const segments = path.replace(/ \(deleted\)$/, "").split("/");
  for (const [index, segment] of segments.entries()) {
    const id = CONTAINER_ID.exec(segment)?.[1];
    if (id !== undefined) {
      // The innermost container is the one the process lives in.
      container = id;
      continue;
    }
    const lxc = LXC.exec(segment);
    if (lxc !== null) {
      container = lxc[1] ?? segments[index + 1] ?? container;
    } else if (container === null && UNIT.test(segment)) {
      if (unit === null) unit = segment;
      else if (USER_MANAGER.test(unit) && segment !== "init.scope") unit = `${unit}/${segment}`;
    }
  }
  return { unit, container };
}
