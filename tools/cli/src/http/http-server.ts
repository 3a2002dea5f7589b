// Answers HTTP/1.1 requests on one connection, one after the other (RFC 9112 §9).
import type { Socket } from "@netstrata/socket";
import { ByteReader } from "./byte-reader.ts";
import { type HttpRefusal, type HttpRequest, isRefusal, readRequest } from "./http-request.ts";
import { BodyError, bodySize, readBody } from "./request-body.ts";

/** What a page answers. */
export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  /** With 405: the methods that are (RFC 9110 §15.5.6). */
  readonly allow?: string;
  readonly body: Uint8Array | GeneratedBody;
}

/** A body that is made while it is sent. */
export interface GeneratedBody {
  readonly length: number;
  /** Pieces that are `length` octets together. */
  readonly pieces: () => Iterable<Uint8Array>;
}

export type HttpHandler = (request: HttpRequest, body: AsyncIterable<Uint8Array>, socket: Socket) => HttpAnswer | Promise<HttpAnswer>;

/** Octets read from a client behind its last answer. */
const MOST_DRAINED = 262144;

const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  414: "URI Too Long",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
};

/** Serves until the client has no more requests, or one of them ends the connection. Rejects when the connection breaks. */
export async function serveHttp(socket: Socket, handler: HttpHandler): Promise<void> {
  const reader = new ByteReader(socket);
  let goesOn = true;
  while (goesOn) {
    const request = await readRequest(reader);
    if (request === undefined) break;
    goesOn = isRefusal(request) ? await refuse(socket, request) : await answer(socket, reader, request, handler);
  }
  await socket.closeWrite();
  await drain(reader);
  await socket.close();
}

/**
 * RFC 9112 §9.6: closing while the client still sends would reset the connection, and with it what the client has not read yet.
 * Whoever goes on sending for too long is reset all the same.
 */
async function drain(reader: ByteReader): Promise<void> {
  for (let left = MOST_DRAINED; left > 0; ) {
    const bytes = await reader.some(left);
    if (bytes === null) return;
    left -= bytes.length;
  }
}

async function answer(socket: Socket, reader: ByteReader, request: HttpRequest, handler: HttpHandler): Promise<boolean> {
  const size = bodySize(request);
  if (typeof size === "object") return refuse(socket, size);
  // RFC 9110 §10.1.1
  const waits = request.version === "HTTP/1.1" && request.headers.get("expect")?.toLowerCase() === "100-continue";
  if (waits && size !== 0) await socket.write(text("HTTP/1.1 100 Continue\r\n\r\n"));
  let page: HttpAnswer;
  try {
    const body = readBody(reader, size);
    page = await handler(request, body, socket);
    // What the page did not read stands in front of the next request.
    for await (const _ of body);
  } catch (error) {
    if (error instanceof BodyError) return refuse(socket, { status: 400, reason: error.message });
    throw error;
  }
  const { status, type, allow, body: content } = page;
  const start = text(head(status, type, content.length, request.keepAlive, allow));
  if (request.method === "HEAD") await socket.write(start);
  // In one piece, so that the head does not travel in a segment of its own.
  else if (content instanceof Uint8Array) await socket.write(Buffer.concat([start, content]));
  else {
    await socket.write(start);
    for (const piece of content.pieces()) await socket.write(piece);
  }
  return request.keepAlive;
}

/** What cannot be understood ends the connection: where the next request begins is not known. */
async function refuse(socket: Socket, { status, reason }: HttpRefusal): Promise<false> {
  const body = text(`${status} ${STATUS_TEXT[status]}: ${reason}\n`);
  await socket.write(Buffer.concat([text(head(status, "text/plain; charset=utf-8", body.length, false)), body]));
  return false;
}

function head(status: number, type: string, length: number, keepAlive: boolean, allow?: string): string {
  return [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? "Unknown"}`,
    "Server: netstrata",
    `Content-Type: ${type}`,
    `Content-Length: ${length}`,
    ...(allow === undefined ? [] : [`Allow: ${allow}`]),
    `Connection: ${keepAlive ? "keep-alive" : "close"}`,
    "\r\n",
  ].join("\r\n");
}

export function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
