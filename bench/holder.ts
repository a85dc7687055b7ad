/**
 * One process of the bench's load: `node holder.ts <listeners> <pairs>` listens on loopback, connects
 * to itself `pairs` times, says "ready" and stays until its stdin ends.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

const [listenerCount = 0, pairCount = 0] = process.argv.slice(2).map(Number);

async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.on("error", () => {}));
  return await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => resolve(server));
  });
}

const servers: Server[] = [];
for (let index = 0; index < Math.max(listenerCount, pairCount > 0 ? 1 : 0); index += 1) servers.push(await listen());
const clients: Socket[] = [];
const address = servers[0]?.address();
for (let index = 0; index < pairCount; index += 1) {
  if (address === null || address === undefined || typeof address === "string") break;
  await new Promise<void>((resolve, reject) => {
    const client = connect({ host: "127.0.0.1", port: address.port }, resolve);
    client.on("error", reject);
    clients.push(client);
  });
}
process.stdout.write("ready\n");
process.stdin
  .on("end", () => {
    // A reset leaves no TIME_WAIT rows, which would slow the next measurement for a minute.
    for (const client of clients) client.resetAndDestroy();
    process.exit(0);
  })
  .resume();
