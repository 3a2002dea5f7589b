// The pages that `netstrata up --http` serves: something to read, something to measure with, something to look inside with.
import { createHash } from "node:crypto";
import { SeededRandom } from "@netstrata/core";
import type { Stack } from "@netstrata/socket";
import { type GeneratedBody, type HttpAnswer, type HttpHandler, text } from "./http-server.ts";

const TEXT = "text/plain; charset=utf-8";
const BLOCK = 65536;
/** Octets that one request for `/bytes` may ask for: 1 TiB. */
const MOST_BYTES = 2 ** 40;

const WELCOME = `This page was carried by netstrata, a TCP/IP stack in TypeScript.

GET  /              this page
GET  /bytes/N       N octets, always the same ones (sha256sum knows)
PUT  /sha256        the SHA-256 of the body, in hexadecimal
GET  /info          what the stack knows of this connection, as JSON
`;

export function createSite(stack: Stack): HttpHandler {
  return async ({ method, path }, body, socket) => {
    if (path === "/sha256") return isUpload(method) ? plain(200, `${await sha256(body)}\n`) : notAllowed(method, "PUT, POST");
    if (method !== "GET" && method !== "HEAD") return notAllowed(method, "GET, HEAD");
    if (path === "/") return plain(200, WELCOME);
    if (path === "/info") {
      const connection = { ...socket.info(), local: socket.local, remote: socket.remote };
      return json({ connection, tcp: stack.layers.tcp.counters, ip: stack.layers.internet.ipv4.counters });
    }
    const count = /^\/bytes\/(\d{1,13})$/.exec(path)?.[1];
    if (count !== undefined && Number(count) <= MOST_BYTES) return octets(200, someBytes(Number(count)));
    return plain(404, `404 Not Found: nothing is at ${JSON.stringify(path)}; / lists what there is\n`);
  };
}

/** `length` octets that look random, the same every time; each block has its number in it, so that none can stand for another. */
export function someBytes(length: number): GeneratedBody {
  return {
    length,
    pieces: function* () {
      for (let at = 0; at < length; at += BLOCK) yield block(at / BLOCK).subarray(0, length - at);
    },
  };
}

let template: Uint8Array | undefined;

function block(number: number): Uint8Array {
  if (template === undefined) {
    const random = new SeededRandom(1);
    template = new Uint8Array(BLOCK);
    const view = new DataView(template.buffer);
    for (let at = 0; at < BLOCK; at += 4) view.setUint32(at, random.uint32());
  }
  const bytes = template.slice();
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

async function sha256(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of body) hash.update(piece);
  return hash.digest("hex");
}

function isUpload(method: string): boolean {
  return method === "PUT" || method === "POST";
}

function plain(status: number, content: string): HttpAnswer {
  return { status, type: TEXT, body: text(content) };
}

function json(value: unknown): HttpAnswer {
  return { status: 200, type: "application/json", body: text(`${JSON.stringify(value, undefined, 2)}\n`) };
}

function octets(status: number, body: GeneratedBody): HttpAnswer {
  return { status, type: "application/octet-stream", body };
}

function notAllowed(method: string, allow: string): HttpAnswer {
  return { ...plain(405, `405 Method Not Allowed: ${method}\n`), allow };
}
