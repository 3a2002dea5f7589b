// HTTP clients and WebSockets, as they come from the registry: ws, undici, got, axios.
import { once } from "node:events";
import http from "node:http";
import axios from "axios";
import got from "got";
import { Agent, request, fetch as undiciFetch } from "undici";
import { expect } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { undiciConnector } from "../../src/index.ts";
import { betweenTwoHosts, listening } from "./two-hosts.ts";

const body = Buffer.alloc(300_000, "netstrata ");

/** Answers with what it was sent, or with a large body. */
function startServer(): Promise<{ server: http.Server; url: string }> {
  const server = http.createServer((incoming, response) => {
    if (incoming.method === "POST") incoming.pipe(response);
    else response.end(body);
  });
  const port = listening(server);
  server.listen(0);
  return port.then((number) => ({ server, url: `http://server:${number}/` }));
}

function stop(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

betweenTwoHosts("undici: request and fetch, both directions", async ({ client, onServer }) => {
  const { server, url } = await onServer(startServer);
  const dispatcher = new Agent({ connect: undiciConnector(client) as never });
  const response = await request(url, { dispatcher });
  expect(Buffer.from(await response.body.arrayBuffer()).equals(body)).toBe(true);
  const echoed = await undiciFetch(url, { method: "POST", body, dispatcher });
  expect(Buffer.from(await echoed.arrayBuffer()).equals(body)).toBe(true);
  await dispatcher.close();
  await stop(server);
});

betweenTwoHosts("got", async ({ onServer }) => {
  const { server, url } = await onServer(startServer);
  const agent = { http: new http.Agent() };
  expect((await got(url, { agent }).buffer()).equals(body)).toBe(true);
  expect((await got.post(url, { agent, body }).buffer()).equals(body)).toBe(true);
  await stop(server);
});

betweenTwoHosts("axios", async ({ onServer }) => {
  const { server, url } = await onServer(startServer);
  const httpAgent = new http.Agent();
  const { data } = await axios.post(url, body, { httpAgent, responseType: "arraybuffer" });
  expect(Buffer.from(data).equals(body)).toBe(true);
  await stop(server);
});

betweenTwoHosts("ws: a server that broadcasts to ten clients", async ({ onServer }) => {
  const { server, wss, port } = await onServer(async () => {
    const httpServer = http.createServer();
    const sockets = new WebSocketServer({ server: httpServer });
    sockets.on("connection", (socket) => {
      socket.on("message", (message, isBinary) => {
        for (const each of sockets.clients) each.send(message, { binary: isBinary });
      });
    });
    const number = listening(httpServer);
    httpServer.listen(0);
    return { server: httpServer, wss: sockets, port: await number };
  });
  const clients = Array.from({ length: 10 }, () => new WebSocket(`ws://server:${port}/`));
  await Promise.all(clients.map((each) => once(each, "open")));
  const heard = clients.map((each) => once(each, "message"));
  clients[0].send(body);
  for (const [message] of await Promise.all(heard)) expect((message as Buffer).equals(body)).toBe(true);
  const closed = clients.map((each) => once(each, "close"));
  for (const each of clients) each.close(1000);
  await Promise.all(closed);
  wss.close();
  await stop(server);
});
