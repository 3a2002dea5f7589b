// The body of an HTTP/1.1 request: counted or in chunks (RFC 9112 §6, §7.1).
import type { ByteReader } from "./byte-reader.ts";
import { type HttpRefusal, type HttpRequest, LONGEST_LINE, MOST_HEADERS } from "./http-request.ts";

export type BodySize = number | "chunked";

/** How the body's length is told; 0 when there is none. */
export function bodySize(request: HttpRequest): BodySize | HttpRefusal {
  const coding = request.headers.get("transfer-encoding");
  const length = request.headers.get("content-length");
  if (coding !== undefined) {
    // RFC 9112 §6.1: both together is how requests are smuggled.
    if (length !== undefined) return { status: 400, reason: "both Content-Length and Transfer-Encoding" };
    return coding.toLowerCase() === "chunked" ? "chunked" : { status: 501, reason: `transfer coding ${coding}` };
  }
  if (length === undefined) return 0;
  return /^\d{1,15}$/.test(length) ? Number(length) : { status: 400, reason: `not a length: ${JSON.stringify(length)}` };
}

/** The body piece by piece. @throws BodyError when it ends early or is no body */
export async function* readBody(reader: ByteReader, size: BodySize): AsyncGenerator<Uint8Array, void, void> {
  if (size !== "chunked") return yield* counted(reader, size);
  for (;;) {
    const line = await reader.line(LONGEST_LINE);
    const match = /^([0-9a-f]{1,12})\s*(;.*)?$/i.exec(line ?? "");
    if (match === null) throw new BodyError("not the size of a chunk");
    const length = Number.parseInt(match[1], 16);
    if (length === 0) break;
    yield* counted(reader, length);
    if ((await reader.line(2)) !== "") throw new BodyError("a chunk is longer than its size");
  }
  // Trailers, up to an empty line.
  for (let count = 0; count <= MOST_HEADERS; count += 1) {
    const line = await reader.line(LONGEST_LINE);
    if (line === "") return;
    if (line === undefined || line === "too-long") break;
  }
  throw new BodyError("the trailer does not end");
}

export class BodyError extends Error {
  override readonly name = "BodyError";
}

async function* counted(reader: ByteReader, length: number): AsyncGenerator<Uint8Array, void, void> {
  for (let left = length; left > 0; ) {
    const bytes = await reader.some(left);
    if (bytes === null) throw new BodyError(`the body ends ${left} octets early`);
    left -= bytes.length;
    yield bytes;
  }
}
