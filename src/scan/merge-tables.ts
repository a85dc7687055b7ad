import type { SocketTable, TableConnection, TableListener, TableOwner, TableOwnerFacts } from "./socket-table.ts";

/**
 * Union of what several tools (or rows) show. Listeners are the same by protocol, address with
 * family, port and zone; connections by both ends. A table that shows less hides nothing; owner
 * facts come from the first table that knows them, and every holder any table names is kept.
 */
export function mergeTables(tables: readonly SocketTable[]): SocketTable {
  return {
    listeners: mergeRows(
      tables.map((table) => table.listeners),
      listenerKey,
      (row) => ({ ...row, zone: null }),
    ),
    connections: mergeRows(
      tables.map((table) => table.connections),
      connectionKey,
      (row) => ({ ...row, zone: null, remote_zone: null }),
    ),
    problems: tables.flatMap((table) => table.problems),
  };
}

function mergeRows<T extends MergeableRow>(
  tables: readonly (readonly T[])[],
  keyOf: (row: T) => string,
  withoutZone: (row: T) => T,
): T[] {
  const rows = new Map<string, T>();
  for (const table of tables) {
    // Not every tool shows zones. The inode proves that a row without one is a zoned row of an earlier table.
    const zoned = new Map<string, string>();
    for (const [key, row] of rows) {
      if (row.inode !== null && row.zone !== null) zoned.set(`${keyOf(withoutZone(row))} ${row.inode}`, key);
    }
    for (const row of table) {
      const key = keyOf(row);
      join(rows, zoned.get(`${key} ${row.inode}`) ?? key, row);
    }
  }
  return [...rows.values()];
}

/** Tools write the same wildcard as "*", "0.0.0.0" or "::"; where "*" tells its family they are one. */
function listenerKey(row: TableListener): string {
  let { address, family } = row;
  if (address === "*" && family !== null) address = family === 4 ? "0.0.0.0" : "::";
  if (family === 46) family = 6;
  return [row.protocol, family, address, row.port, row.zone ?? ""].join(" ");
}

function connectionKey(row: TableConnection): string {
  return [
    row.protocol,
    row.local_address,
    row.local_port,
    row.zone ?? "",
    row.remote_address,
    row.remote_port,
    row.remote_zone ?? "",
  ].join(" ");
}

type MergeableRow = TableOwnerFacts & Pick<TableListener, "family" | "zone" | "state">;

function join<T extends MergeableRow>(rows: Map<string, T>, key: string, row: T): void {
  const known = rows.get(key);
  if (known === undefined) {
    rows.set(key, row);
    return;
  }
  const owners = joinOwners(known.owners, row.owners);
  const pid = known.pid ?? row.pid;
  const isOther = known.pid !== null && row.pid !== null && known.pid !== row.pid;
  // A socket's uid (ss) and its process's (lsof) may differ: a user name goes only with its own uid.
  const isSameAccount =
    known.uid === null && known.user === null
      ? !isOther
      : (known.uid !== null && known.uid === row.uid) || (known.user !== null && known.user === row.user);
  rows.set(key, {
    ...known,
    // One socket for both families says more than the family it was opened with.
    family: row.family === 46 && known.family === 6 ? 46 : (known.family ?? row.family),
    state: known.state === "UNKNOWN" ? row.state : known.state,
    pid,
    // The name of another process must not end up beside this pid.
    name: known.name ?? (isOther ? null : row.name),
    uid: known.uid ?? (isSameAccount ? row.uid : null),
    user: known.user ?? (isSameAccount ? row.user : null),
    owners,
    inode: known.inode ?? row.inode,
  });
}

function joinOwners(known: readonly TableOwner[], more: readonly TableOwner[]): readonly TableOwner[] {
  if (more.length === 0) return known;
  if (known.length === 0) return more;
  const byPid = new Map(known.map((owner) => [owner.pid, owner]));
  for (const owner of more) {
    const same = byPid.get(owner.pid);
    byPid.set(owner.pid, same === undefined ? owner : { pid: owner.pid, name: same.name ?? owner.name });
  }
  return [...byPid.values()];
}
