// As much of HTTP/1.1 (RFC 9112) as it takes to talk with curl and with servers of others.
import type { Stream } from "../sockets/sockets.ts";
import { type Digest, DigestOf, pattern } from "./digest.ts";
import { StreamReader } from "./stream-reader.ts";

export const PAGE = "<!doctype html><title>netstrata</title><p>Served through a TCP of our own.\n";

interface Head {
  readonly firstLine: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Undefined when the peer closes instead. */
async function readHead(reader: StreamReader): Promise<Head | undefined> {
  const firstLine = await reader.line();
  if (firstLine === null) return undefined;
  const fields = new Map<string, string>();
  for (let line = await reader.line(); line !== null && line !== ""; line = await reader.line()) {
    const colon = line.indexOf(":");
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { firstLine, fields };
}

/**
 * The page under `/`, so many octets under `/octets/N`; what is sent with PUT or POST is answered with its size and hash.
 * @returns how many requests came over this connection
 */
export async function answerHttp(stream: Stream): Promise<number> {
  const reader = new StreamReader(stream);
  let requests = 0;
  for (let head = await readHead(reader); head !== undefined; head = await readHead(reader)) {
    requests += 1;
    const [method, path] = head.firstLine.split(" ");
    if (head.fields.get("expect") === "100-continue") await stream.write(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"));
    const received = new DigestOf();
    await reader.pass(Number(head.fields.get("content-length") ?? 0), received.update);
    const { octets, sha256 } = received.finish();
    const body = method === "PUT" || method === "POST" ? Buffer.from(`${octets} ${sha256}\n`) : content(path);
    const status = body === undefined ? "404 Not Found" : "200 OK";
    await stream.write(Buffer.from(`HTTP/1.1 ${status}\r\nContent-Type: text/html\r\nContent-Length: ${body?.length ?? 0}\r\n\r\n`));
    if (body !== undefined && method !== "HEAD") await stream.write(body);
    if (head.fields.get("connection") === "close") break;
  }
  await stream.close();
  return requests;
}

function content(path: string): Uint8Array | undefined {
  const octets = /^\/octets\/(\d+)$/.exec(path);
  if (octets !== null) return pattern(Number(octets[1]));
  return path === "/" ? Buffer.from(PAGE) : undefined;
}

export interface HttpAnswer extends Digest {
  readonly status: number;
}

export async function requestHttp(stream: Stream, path: string): Promise<HttpAnswer> {
  await stream.write(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: kernel\r\nConnection: close\r\n\r\n`));
  const reader = new StreamReader(stream);
  const head = await readHead(reader);
  if (head === undefined) throw new Error("the server closed before it answered");
  const body = new DigestOf();
  const length = head.fields.get("content-length");
  if (!(await reader.pass(length === undefined ? Number.POSITIVE_INFINITY : Number(length), body.update))) {
    throw new Error("the server closed in the middle of its answer");
  }
  await stream.close();
  return { status: Number(head.firstLine.split(" ")[1]), ...body.finish() };
}
