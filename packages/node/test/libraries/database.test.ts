// pg, against PostgreSQL itself (PGlite: compiled to WebAssembly) behind a socket of the other host.
import net from "node:net";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { afterAll, expect } from "vitest";
import { servePostgres } from "./postgres-gateway.ts";
import { betweenTwoHosts, listening } from "./two-hosts.ts";

const database = await PGlite.create();
afterAll(() => database.close());

betweenTwoHosts("pg: a table, ten thousand rows in a transaction, and a stream of them back", async ({ onServer }) => {
  const { server, port } = await onServer(async () => {
    const listener = net.createServer((socket) => void servePostgres(socket, (message) => database.execProtocolRaw(message)));
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
