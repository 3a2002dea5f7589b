// A program of http, ws and pg between two simulated hosts: no port, no root and no wait, a hundred of them at once.
import { once } from "node:events";
import http from "node:http";
import { PGlite } from "@electric-sql/pglite";
import { simulate } from "@netstrata/simnet";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { createHttpServer, createNet, HttpAgent } from "../../src/index.ts";
import { servePostgres } from "./postgres-gateway.ts";

const database = await PGlite.create();
afterAll(() => database.close());

/** A page that counts its visitors in a database and tells those who watch: three libraries, four connections. */
async function visit(seed: number): Promise<{ page: string; heard: string; left: string[] }> {
  const world = simulate({ seed });
  const browser = world.host("browser");
  const web = world.host("web");
  world.wire(browser, web, { latency: 20, faults: { drop: 0.05, reorder: 0.05 } });
  const webNet = createNet(web);
  const browserNet = createNet(browser);

  const result = await world.run(async () => {
    // The database answers in the time of the outer world, which the simulated one waits for.
    const databaseServer = webNet.createServer((socket: never) => {
      void servePostgres(socket, (message) => world.outside(database.execProtocolRaw(message)));
    });
    databaseServer.listen(5432);
    const client = new pg.Client({ host: "localhost", user: "postgres", database: "postgres", stream: () => new webNet.Socket() as never });
    await client.connect();

    const sockets = new WebSocketServer({ noServer: true });
    const server = createHttpServer(web, {}, (_request, response) => {
      void client.query("select $1::int * 2 as doubled", [seed]).then(({ rows }) => {
        for (const each of sockets.clients) each.send(`visitor ${seed}`);
        response.end(`${seed} doubled is ${rows[0].doubled}`);
      });
    });
    server.on("upgrade", (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {}));
    server.listen(80);

    const watcher = new WebSocket("ws://web/", { createConnection: (() => browserNet.connect(80, "web")) as never });
    await once(watcher, "open");
    const message = once(watcher, "message");
    const agent = new HttpAgent(browser);
    const page = await new Promise<string>((resolve, reject) => {
      http
        .get("http://web/", { agent }, (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (piece: string) => {
            text += piece;
          });
          response.on("end", () => resolve(text));
        })
        .on("error", reject);
    });
    const [heard] = await message;

    watcher.close();
    await once(watcher, "close");
    await client.end();
    agent.destroy();
    await Promise.all([new Promise((resolve) => server.close(resolve)), new Promise((resolve) => databaseServer.close(resolve))]);
    return { page, heard: String(heard) };
  });
  await world.settle();
  return { ...result, left: world.leaks() };
}

test("a hundred worlds in parallel, each with its own losses: the same answers, and nothing is left", async () => {
  const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
  const results = await Promise.all(seeds.map(visit));
  for (const [index, { page, heard, left }] of results.entries()) {
    expect(page).toBe(`${seeds[index]} doubled is ${2 * seeds[index]}`);
    expect(heard).toBe(`visitor ${seeds[index]}`);
    expect(left).toEqual([]);
  }
});
