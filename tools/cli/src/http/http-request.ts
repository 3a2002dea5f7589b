// HTTP/1.1 requests, as much of RFC 9112 as a server of fixed pages and uploads needs.
import type { ByteReader } from "./byte-reader.ts";

export interface HttpRequest {
  readonly method: string;
  /** Path without query, decoded. */
  readonly path: string;
  readonly version: "HTTP/1.0" | "HTTP/1.1";
  /** Names in lower case; values of one name are joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether the connection goes on behind this request (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
}

/** Why a request cannot be answered as it was meant. */
export interface HttpRefusal {
  readonly status: number;
  readonly reason: string;
}

/** Octets of one line, and lines of one header. */
export const LONGEST_LINE = 8192;
export const MOST_HEADERS = 100;
const MOST_EMPTY_LINES = 4;

/** Reads the head of the next request; undefined when the client has no more. */
export async function readRequest(reader: ByteReader): Promise<HttpRequest | HttpRefusal | undefined> {
  let first: string | undefined = "";
  // RFC 9112 §2.2: empty lines in front of a request are ignored.
  for (let empty = 0; first === "" && empty <= MOST_EMPTY_LINES; empty += 1) first = await reader.line(LONGEST_LINE);
  if (first === undefined) return undefined;
  if (first === "too-long") return { status: 414, reason: "the request line is too long" };
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP\/1\.[01])$/.exec(first);
  if (match === null) return { status: 400, reason: `not an HTTP/1.1 request line: ${JSON.stringify(first)}` };
  const headers = await readHeaders(reader);
  if (headers === undefined || !(headers instanceof Map)) return headers;
  const [, method, target, version] = match;
  // RFC 9112 §3.2: a request of version 1.1 without a Host is refused.
  if (version === "HTTP/1.1" && !headers.has("host")) return { status: 400, reason: "the Host header is missing" };
  const path = pathOf(target);
  if (path === undefined) return { status: 400, reason: `not a path: ${JSON.stringify(target)}` };
  const connection = (headers.get("connection") ?? "").toLowerCase().split(/\s*,\s*/);
  const keepAlive = version === "HTTP/1.1" ? !connection.includes("close") : connection.includes("keep-alive");
  return { method, path, version: version as HttpRequest["version"], headers, keepAlive };
}

export function isRefusal(answer: HttpRequest | HttpRefusal): answer is HttpRefusal {
  return "status" in answer;
}

async function readHeaders(reader: ByteReader): Promise<Map<string, string> | HttpRefusal | undefined> {
  const headers = new Map<string, string>();
  for (let count = 0; ; count += 1) {
    const line = await reader.line(LONGEST_LINE);
    if (line === undefined) return undefined;
    if (line === "") return headers;
    if (line === "too-long" || count === MOST_HEADERS) return { status: 431, reason: "the header is too large" };
    // RFC 9112 §5.1: nothing may stand between the name and the colon; §5.2: lines are not folded.
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match === null) return { status: 400, reason: `not a header line: ${JSON.stringify(line)}` };
    const name = match[1].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? match[2] : `${before}, ${match[2]}`);
  }
}

/** The path of `/path?query` or `http://host/path` (RFC 9112 §3.2.1, §3.2.2). */
function pathOf(target: string): string | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, "").replace(/[?#].*$/, "") || "/";
  if (!path.startsWith("/")) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
