// pg, against PostgreSQL itself (PGlite: compiled to WebAssembly) behind a socket of the other host.
import net, { type Socket } from "node:net";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, expect } from "vitest";
import { betweenTwoHosts, listening } from "./two-hosts.ts";

const database = await PGlite.create();
afterAll(() => database.close());

/** AuthenticationOk, and ReadyForQuery outside of a transaction. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const [QUERY, SYNC, TERMINATE] = Buffer.from("QSX");

/** PostgreSQL's protocol between a socket and PGlite, which takes whole exchanges: up to a query, or to the Sync behind an extended one. */
async function serve(socket: Socket): Promise<void> {
  let waiting = Buffer.alloc(0);
  let exchange: Buffer[] = [];
  let isStarted = false;
  for await (const piece of socket) {
    waiting = Buffer.concat([waiting, piece as Buffer]);
    for (;;) {
      // The first message has no type.
      const start = isStarted ? 1 : 0;
      if (waiting.length < start + 4) break;
      const end = start + waiting.readUInt32BE(start);
      if (waiting.length < end) break;
      const message = waiting.subarray(0, end);
      waiting = waiting.subarray(end);
      if (!isStarted) {
        isStarted = true;
        socket.write(WELCOME);
        continue;
      }
      if (message[0] === TERMINATE) {
        socket.end();
        return;
      }
      exchange.push(message);
      if (message[0] !== QUERY && message[0] !== SYNC) continue;
      const all = Buffer.concat(exchange);
      exchange = [];
      socket.write(await database.execProtocolRaw(all));
    }
  }
}

betweenTwoHosts("pg: a table, ten thousand rows in a transaction, and a stream of them back", async ({ onServer }) => {
  const { server, port } = await onServer(async () => {
    const listener = net.createServer((socket) => void serve(socket));
    const number = listening(listener);
    listener.listen(0);
    return { server: listener, port: await number };
  });
  const client = new pg.Client({ host: "server", port, user: "postgres", database: "postgres" });
  await client.connect();
  await client.query("drop table if exists numbers");
  await client.query("begin");
  await client.query("create table numbers (n integer, square bigint)");
  await client.query("insert into numbers select n, n::bigint * n from generate_series(1, 10000) n");
  await client.query("commit");
  const { rows } = await client.query("select n, square from numbers where n > $1 order by n", [0]);
  expect(rows.length).toBe(10_000);
  expect(rows[9_999]).toEqual({ n: 10_000, square: "100000000" });
  await expect(client.query("select * from nothing")).rejects.toMatchObject({ code: "42P01" });
  await client.end();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
