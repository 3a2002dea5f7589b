import { createHash } from "node:crypto";
import { simulate, twoHosts } from "@netstrata/simnet";
import type { Socket } from "@netstrata/socket";
import { describe, expect, test } from "vitest";
import { serveSite } from "../src/network/services.ts";

/** What a client gets for what it writes, on one connection, up to the server's end or for a second. */
async function converse(said: readonly (string | Uint8Array)[]): Promise<string> {
  const world = simulate();
  const { client, server } = twoHosts(world, { wire: { latency: 1 } });
  const answer = await world.run(async () => {
    const listener = serveSite(server, 80, () => {});
    const socket = client.connect("server:80", { allowHalfOpen: true });
    const heard = listen(socket);
    for (const piece of said) {
      // The server may have had enough.
      await socket.write(typeof piece === "string" ? Buffer.from(piece.replaceAll("\n", "\r\n"), "latin1") : piece).catch(() => {});
      await world.sleep(5);
    }
    await socket.closeWrite().catch(() => {});
    await world.sleep(1000);
    socket.abort();
    await listener.close();
    return heard.text();
  });
  await world.settle();
  expect(world.leaks()).toEqual([]);
  await world.close();
  return answer;
}

function listen(socket: Socket): { text: () => string } {
  const pieces: Uint8Array[] = [];
  socket.closed.catch(() => {});
  const reading = async (): Promise<void> => {
    for await (const bytes of socket) pieces.push(bytes);
  };
  reading().catch(() => {});
  return { text: () => Buffer.concat(pieces).toString("latin1") };
}

function statuses(answer: string): string[] {
  return answer.match(/(?<=HTTP\/1\.1 )\d{3} .*(?=\r)/g) ?? [];
}

describe("the pages of netstrata up", () => {
  test("a page, in one segment or octet by octet", async () => {
    const whole = await converse(["GET / HTTP/1.1\nHost: a\nConnection: close\n\n"]);
    expect(whole).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)*Content-Length: (\d+)\r\n(.+\r\n)*\r\nThis page was carried by netstrata/);
    const [, , length] = /\r\nContent-Length: ((\d+))\r\n/.exec(whole) ?? [];
    expect(whole.split("\r\n\r\n")[1]).toHaveLength(Number(length));
    expect(
      await converse(
        [..."GET / HTTP/1.1\nHost: a\nConnection: close\n\n"]
          .map((letter) => letter.replace("\n", "\r\n"))
          .map((letter) => Buffer.from(letter)),
      ),
    ).toBe(whole);
  });

  test("several requests on one connection, also when they come at once", async () => {
    const answer = await converse([
      "GET /bytes/3 HTTP/1.1\nHost: a\n\nHEAD /bytes/5 HTTP/1.1\nHost: a\n\nGET /nothing HTTP/1.1\nHost: a\n\n",
    ]);
    expect(statuses(answer)).toEqual(["200 OK", "200 OK", "404 Not Found"]);
    expect(answer).toContain("Content-Length: 5\r\nConnection: keep-alive\r\n\r\nHTTP/1.1 404");
  });

  test("the octets of /bytes are the same each time, and no block is another's", async () => {
    const body = async (size: number): Promise<string> =>
      (await converse([`GET /bytes/${size} HTTP/1.0\nHost: a\n\n`])).split("\r\n\r\n").slice(1).join("\r\n\r\n");
    const large = await body(200_000);
    expect(large).toHaveLength(200_000);
    expect((await body(70_000)).slice(0, 70_000)).toBe(large.slice(0, 70_000));
    expect(large.slice(0, 65_536)).not.toBe(large.slice(65_536, 131_072));
  });

  test("uploads are hashed, counted and in chunks", async () => {
    const body = Buffer.alloc(5000, "netstrata");
    const digest = createHash("sha256").update(body).digest("hex");
    const counted = await converse([`PUT /sha256 HTTP/1.1\nHost: a\nContent-Length: ${body.length}\nExpect: 100-continue\n\n`, body]);
    expect(statuses(counted)).toEqual(["100 Continue", "200 OK"]);
    expect(counted).toContain(`\r\n\r\n${digest}\n`);
    const chunks = [body.subarray(0, 1), body.subarray(1, 3000), body.subarray(3000)].flatMap((chunk) => [
      `${chunk.length.toString(16)};x=y\n`,
      chunk,
      "\n",
    ]);
    const chunked = await converse([
      "POST /sha256 HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n",
      ...chunks,
      "0\nTrailer: x\n\n",
      "GET /bytes/0 HTTP/1.1\nHost: a\n\n",
    ]);
    expect(statuses(chunked)).toEqual(["200 OK", "200 OK"]);
    expect(chunked).toContain(digest);
  });

  test("/info is what the stack knows of the connection", async () => {
    const answer = await converse(["GET /info HTTP/1.1\nHost: a\nConnection: close\n\n"]);
    expect(JSON.parse(answer.split("\r\n\r\n")[1])).toMatchObject({
      connection: { state: "ESTABLISHED", bytesReceived: 50 },
      tcp: { PassiveOpens: 1 },
    });
  });

  test.for([
    { what: "no request line", request: "HELLO\n\n", status: "400 Bad Request" },
    { what: "an HTTP/2 preface", request: "PRI * HTTP/2.0\n\n", status: "400 Bad Request" },
    { what: "no Host", request: "GET / HTTP/1.1\n\n", status: "400 Bad Request" },
    { what: "a path that is none", request: "GET %zz HTTP/1.1\nHost: a\n\n", status: "400 Bad Request" },
    { what: "a path that cannot be decoded", request: "GET /%ff HTTP/1.1\nHost: a\n\n", status: "400 Bad Request" },
    { what: "a header that is none", request: "GET / HTTP/1.1\nHost : a\n\n", status: "400 Bad Request" },
    { what: "a length that is none", request: "PUT /sha256 HTTP/1.1\nHost: a\nContent-Length: -1\n\n", status: "400 Bad Request" },
    {
      what: "two lengths",
      request: "PUT /sha256 HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
      status: "400 Bad Request",
    },
    { what: "an unknown coding", request: "PUT /sha256 HTTP/1.1\nHost: a\nTransfer-Encoding: gzip\n\n", status: "501 Not Implemented" },
    { what: "a method that a page has not", request: "DELETE / HTTP/1.1\nHost: a\n\n", status: "405 Method Not Allowed" },
    { what: "a line without end", request: `GET /${"x".repeat(9000)}`, status: "414 URI Too Long" },
    { what: "headers without end", request: `GET / HTTP/1.1\n${"X: y\n".repeat(200)}`, status: "431 Request Header Fields Too Large" },
    { what: "more octets than there may be", request: "GET /bytes/9999999999999 HTTP/1.1\nHost: a\n\n", status: "404 Not Found" },
  ])("$what is answered by $status", async ({ request, status }) => {
    expect(statuses(await converse([request]))).toEqual([status]);
  });

  test("a client that breaks off in the middle leaves nothing behind", async () => {
    for (const said of ["GE", "GET / HTTP/1.1\nHost"]) expect(statuses(await converse([said]))).toEqual([]);
    const upload = "PUT /sha256 HTTP/1.1\nHost: a\n";
    for (const body of [
      "Content-Length: 10\n\nabc",
      "Transfer-Encoding: chunked\n\nzz\n",
      "Transfer-Encoding: chunked\n\n3\nab",
      "Transfer-Encoding: chunked\n\n0\n",
    ]) {
      expect(statuses(await converse([upload + body]))).toEqual(["400 Bad Request"]);
    }
  });

  test("a refused client that goes on and on is reset", async () => {
    expect(statuses(await converse(["NO\n\n", ...new Array(20).fill(Buffer.alloc(20_000))]))).toEqual(["400 Bad Request"]);
  });
});
