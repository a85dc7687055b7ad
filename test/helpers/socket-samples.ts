import { readFileSync } from "node:fs";
import type { SocketTable, TableConnection, TableListener } from "../../src/scan/socket-table.ts";

export function socketSample(name: string): string {
  return readFileSync(new URL(`../fixtures/socket-tables/${name}`, import.meta.url), "utf8");
}

/** "tcp/6 fe80::1%lo:8085 LISTEN 17178/demo server", one line per listener, sorted. */
export function listenerLines(table: SocketTable): string[] {
  return table.listeners
    .map((row) => `${row.protocol}/${row.family} ${at(row.address, row.zone, row.port)} ${row.state} ${who(row)}`)
    .toSorted();
}

/** "tcp/4 10.0.0.1:5000 > 10.0.0.2:443 ESTABLISHED 12/curl", one line per connection, sorted. */
export function connectionLines(table: SocketTable): string[] {
  return table.connections
    .map(
      (row) =>
        `${row.protocol}/${row.family} ${at(row.local_address, row.zone, row.local_port)} > ` +
        `${at(row.remote_address, row.remote_zone, row.remote_port)} ${row.state} ${who(row)}`,
    )
    .toSorted();
}

function at(address: string, zone: string | null, port: number): string {
  return `${address}${zone === null ? "" : `%${zone}`}:${port}`;
}

function who(row: TableListener | TableConnection): string {
  return row.pid === null ? "-" : `${row.pid}${row.name === null ? "" : `/${row.name}`}`;
}
