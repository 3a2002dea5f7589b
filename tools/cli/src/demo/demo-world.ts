// Two hosts joined by two routers, and an HTTP request from one end to the other.
import { type SimulatedWorld, simulate, twoHostsTwoRouters } from "@netstrata/simnet";
import type { Socket, Stack } from "@netstrata/socket";
import { ByteReader } from "../http/byte-reader.ts";
import { type HttpHandler, serveHttp, text } from "../http/http-server.ts";
import { someBytes } from "../http/site.ts";
import { Ladder } from "./ladder.ts";

export interface DemoOptions {
  readonly seed: number;
  /** The probability that a packet is lost on a wire. */
  readonly loss: number;
  /** Octets of the page. */
  readonly size: number;
}

export interface Demo {
  readonly world: SimulatedWorld;
  /** From the client to the server. */
  readonly hosts: readonly Stack[];
  readonly ladder: Ladder;
  /** Runs the conversation to the end of TIME-WAIT; the answer is whether the page arrived as it was sent. */
  readonly run: () => Promise<boolean>;
}

/** Of each wire, one way. */
const LATENCY = 5;
const RATE = 100e6;
/** The hosts have announced their addresses before anybody looks. */
const QUIET_TIME = 1000;

export function createDemo({ seed, loss, size }: DemoOptions): Demo {
  const world = simulate({ seed });
  const faults = loss > 0 ? { drop: loss } : undefined;
  const { client, routers, server } = twoHostsTwoRouters(world, { wire: { latency: LATENCY, rate: RATE, faults } });
  const hosts = [client, ...routers, server];
  const ladder = new Ladder(hosts, QUIET_TIME);
  const page = Buffer.concat([...someBytes(size).pieces()]);
  const run = async (): Promise<boolean> => {
    await world.advance(QUIET_TIME);
    const stopWatching = world.observe((event) => ladder.take(event));
    const body = await world.run(async () => {
      serve(server, page);
      return fetchPage(client.connect("server:80"));
    });
    await world.settle();
    stopWatching();
    await world.close();
    return body !== undefined && Buffer.compare(body, page) === 0;
  };
  return { world, hosts, ladder, run };
}

function serve(server: Stack, page: Uint8Array): void {
  const handler: HttpHandler = () => ({ status: 200, type: "application/octet-stream", body: page });
  const listener = server.listen({ port: 80, allowHalfOpen: true });
  listener.accept().then((socket) => {
    listener.close();
    return serveHttp(socket, handler);
  });
}

/** GET, and then the client closes first: the four-way close begins at its end. */
async function fetchPage(socket: Socket): Promise<Uint8Array | undefined> {
  await socket.opened;
  await socket.write(text("GET / HTTP/1.1\r\nHost: server\r\n\r\n"));
  const reader = new ByteReader(socket);
  let length = 0;
  for (let line = await reader.line(1000); line !== ""; line = await reader.line(1000)) {
    length = Number(/^content-length: (\d+)/i.exec(line ?? "")?.[1] ?? length);
    if (line === undefined) return undefined;
  }
  const pieces: Uint8Array[] = [];
  for (let left = length; left > 0; left -= pieces[pieces.length - 1].length) {
    const bytes = await reader.some(left);
    if (bytes === null) return undefined;
    pieces.push(bytes);
  }
  await socket.close();
  return Buffer.concat(pieces);
}
