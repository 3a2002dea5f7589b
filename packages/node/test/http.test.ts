// Node's own http, https, http2 and tls over a stack, by the hooks they document; and by patching the modules.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import type http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import tls from "node:tls";
import { createStack, type Stack } from "@netstrata/socket";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectHttp2, createHttp2Server, createHttpServer, createHttpsServer, HttpAgent, HttpsAgent, patchNet } from "../src/index.ts";

let key = "";
let cert = "";
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "netstrata-"));
  const [keyFile, certFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1",
      "-days",
      "2",
      "-keyout",
      keyFile,
      "-out",
      certFile,
    ],
    { stdio: "ignore" },
  );
  key = readFileSync(keyFile, "utf8");
  cert = readFileSync(certFile, "utf8");
});
afterAll(() => rmSync(directory, { recursive: true }));

async function text(stream: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

function listen(server: net.Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, () => resolve((server.address() as net.AddressInfo).port)));
}

function close(server: net.Server): Promise<void> {
  return new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
}

async function withStack(run: (stack: Stack) => Promise<void>): Promise<void> {
  const stack = createStack();
  await run(stack);
  await stack[Symbol.asyncDispose]();
}

function get(module: typeof http | typeof https, url: string, options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    module.get(url, options as http.RequestOptions, (response) => void text(response).then(resolve, reject)).on("error", reject);
  });
}

test("http: a server and an agent, ten requests over kept connections", () =>
  withStack(async (stack) => {
    const server = createHttpServer(stack, {}, (request, response) => void response.end(`you asked for ${request.url}`));
    const port = await listen(server);
    const agent = new HttpAgent(stack, { keepAlive: true, maxSockets: 2 });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => get(http, `http://localhost:${port}/${index}`, { agent })));
    expect(answers[9]).toBe("you asked for /9");
    agent.destroy();
    await close(server);
  }));

test("https: TLS on both ends, the certificate checked", () =>
  withStack(async (stack) => {
    const server = createHttpsServer(stack, { key, cert }, (_request, response) => void response.end("in secret"));
    const port = await listen(server);
    const agent = new HttpsAgent(stack, { ca: cert });
    expect(await get(https, `https://localhost:${port}/`, { agent })).toBe("in secret");
    await expect(get(https, `https://localhost:${port}/`, { agent: new HttpsAgent(stack) })).rejects.toMatchObject({
      code: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    agent.destroy();
    await close(server);
  }));

test("http2: a session with several streams", () =>
  withStack(async (stack) => {
    const server = createHttp2Server(stack);
    server.on("stream", (stream, headers) => {
      stream.respond({ ":status": 200 });
      stream.end(`stream ${headers[":path"]}`);
    });
    const port = await listen(server as unknown as net.Server);
    const session = connectHttp2(stack, `http://localhost:${port}`);
    const answers = await Promise.all(["/a", "/b", "/c"].map((path) => text(session.request({ ":path": path }))));
    expect(answers).toEqual(["stream /a", "stream /b", "stream /c"]);
    await new Promise<void>((resolve) => session.close(() => resolve()));
    await close(server as unknown as net.Server);
  }));

test("a patch: http, https and fetch that know nothing of it run on the stack; undone, everything is as before", () =>
  withStack(async (stack) => {
    const before = { Socket: net.Socket, connect: tls.connect, listen: net.Server.prototype.listen };
    const patch = patchNet(stack);
    const server = http.createServer((_request, response) => void response.end("patched"));
    const port = await listen(server);
    expect(stack.layers.tcp.counters.PassiveOpens).toBe(0);
    expect(await get(http, `http://localhost:${port}/`, { agent: new http.Agent() })).toBe("patched");
    expect(stack.layers.tcp.counters.PassiveOpens).toBe(1);
    const secure = https.createServer({ key, cert }, (_request, response) => void response.end("patched and secret"));
    const securePort = await listen(secure);
    expect(await get(https, `https://localhost:${securePort}/`, { ca: cert, agent: new https.Agent({ ca: cert }) })).toBe(
      "patched and secret",
    );
    expect(stack.layers.tcp.counters.PassiveOpens).toBe(2);
    await close(server);
    await close(secure);
    patch.undo();
    expect({ Socket: net.Socket, connect: tls.connect, listen: net.Server.prototype.listen }).toEqual(before);
  }));

test("http2 sessions of Node's own connect over a stack by createConnection", () =>
  withStack(async (stack) => {
    const server = createHttp2Server(stack);
    server.on("stream", (stream) => stream.respond({ ":status": 204 }, { endStream: true }));
    const port = await listen(server as unknown as net.Server);
    const session: http2.ClientHttp2Session = connectHttp2(stack, `http://127.0.0.1:${port}`);
    const stream = session.request({ ":path": "/" });
    const [headers] = (await new Promise<unknown[]>((resolve) => stream.once("response", (...all) => resolve(all)))) as [
      http2.IncomingHttpHeaders,
    ];
    expect(headers[":status"]).toBe(204);
    stream.resume();
    await new Promise<void>((resolve) => session.close(() => resolve()));
    await close(server as unknown as net.Server);
  }));
