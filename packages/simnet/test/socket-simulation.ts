// One seed, one world: programs on two hosts that talk through two routers and Ethernets as bad as the seed makes them, by every
// way in which sockets can be read and written. Everything about the run follows from the seed.
import { randomBelow, randomFraction, SeededRandom } from "@netstrata/core";
import type { FaultRates } from "@netstrata/link";
import { constants as c, type Server, type Socket, type SocketOptions, type Stack } from "@netstrata/socket";
import { type SimulatedWorld, simulate, twoHostsTwoRouters, type WorldWireOptions } from "../src/index.ts";

const PORT = 80;
const POSIX_PORT = 81;
const SERVER = "10.0.3.2";
/** Small buffers and readers that look away take minutes. What takes longer is stuck. */
const PATIENCE = 4 * 60 * 60 * 1000;
const ABORTED = new Error("aborted");
/** An end that has nothing to say notices a peer that has gone, though the RST was lost. */
const OPTIONS: SocketOptions = { allowHalfOpen: true, keepAlive: true, keepAliveIdle: 20_000, keepAliveInterval: 5_000 };

/** One end of a conversation, as it is meant to go. */
interface Part {
  readonly world: SimulatedWorld;
  readonly chance: SeededRandom;
  readonly send: Uint8Array;
  readonly received: Received;
  /** Ends its stream only after it has read the peer's. */
  readonly closesLast: boolean;
  /** Now and then it looks away. */
  readonly pause: number;
}

/** What was received, compared as it comes. */
class Received {
  length = 0;
  private readonly expected: Uint8Array;

  constructor(expected: Uint8Array) {
    this.expected = expected;
  }

  add(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index += 1, this.length += 1) {
      if (bytes[index] !== this.expected[this.length]) throw new Error(`octet ${this.length} differs`);
    }
  }

  finish(): void {
    if (this.length !== this.expected.length) throw new Error(`${this.length} octets of ${this.expected.length}`);
  }
}

type Parts = readonly [Part, Part];
type Hosts = readonly [client: Stack, server: Stack];

const below = (part: Part, limit: number): number => randomBelow(part.chance, limit);
const rest = (part: Part): Promise<void> => part.world.sleep(below(part, 3) === 0 ? part.pause * randomFraction(part.chance) : 0);
const pieceOf = (part: Part, at: number): Uint8Array => part.send.subarray(at, at + 1 + below(part, 4000));

const READERS: readonly ((socket: Socket, part: Part) => Promise<void>)[] = [
  async (socket, part) => {
    for await (const piece of socket) {
      part.received.add(piece);
      await rest(part);
    }
  },
  async (socket, part) => {
    const target = new Uint8Array(1 + below(part, 5000));
    for (let count = await socket.readInto(target); count > 0; count = await socket.readInto(target)) {
      part.received.add(target.subarray(0, count));
      await rest(part);
    }
  },
  // Several reads wait at once, and are answered in their order.
  async (socket, part) => {
    for (;;) {
      const pieces = await Promise.all([1, 2, 3].map(() => socket.read(1 + below(part, 3000))));
      for (const piece of pieces) if (piece !== null) part.received.add(piece);
      if (pieces[2] === null) return;
    }
  },
  (socket, part) =>
    socket.readable.pipeTo(
      new WritableStream({
        write: async (chunk) => {
          part.received.add(chunk);
          await rest(part);
        },
      }),
    ),
  async (socket, part) => {
    const reader = socket.readable.getReader({ mode: "byob" });
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(1 + below(part, 5000)));
      if (done) return;
      part.received.add(value);
    }
  },
];

const WRITERS: readonly ((socket: Socket, part: Part) => Promise<() => Promise<void>>)[] = [
  async (socket, part) => {
    for (let at = 0, piece = pieceOf(part, 0); piece.length > 0; at += piece.length, piece = pieceOf(part, at)) {
      // What was written is the stack's: the array may be used again.
      const copy = piece.slice();
      await socket.write(copy);
      copy.fill(0);
      await rest(part);
    }
    return () => socket.closeWrite();
  },
  async (socket, part) => {
    const writes: Promise<void>[] = [];
    for (let at = 0, piece = pieceOf(part, 0); piece.length > 0; at += piece.length, piece = pieceOf(part, at))
      writes.push(socket.write(piece));
    await Promise.all(writes);
    return () => socket.closeWrite();
  },
  async (socket, part) => {
    await socket.write(part.send.slice(), { given: true });
    return () => socket.closeWrite();
  },
  async (socket, part) => {
    const writer = socket.writable.getWriter();
    for (let at = 0, piece = pieceOf(part, 0); piece.length > 0; at += piece.length, piece = pieceOf(part, at)) {
      await writer.ready;
      await Promise.all([writer.write(piece), rest(part)]);
    }
    return () => writer.close();
  },
];

async function bySocket(socket: Socket, part: Part): Promise<void> {
  const reading = READERS[below(part, READERS.length)](socket, part);
  reading.catch(() => {});
  const finish = await WRITERS[below(part, WRITERS.length)](socket, part);
  if (part.closesLast) await reading;
  await finish();
  await reading;
  await socket.closed;
}

async function byDescriptor({ posix }: Stack, fd: number, part: Part): Promise<void> {
  posix.setsockopt(fd, c.SOL_SOCKET, c.SO_KEEPALIVE, 1);
  posix.setsockopt(fd, c.IPPROTO_TCP, c.TCP_KEEPIDLE, 20);
  const reading = (async () => {
    const buffer = new Uint8Array(1 + below(part, 5000));
    for (let count = await posix.read(fd, buffer); count > 0; count = await posix.read(fd, buffer)) {
      part.received.add(buffer.subarray(0, count));
      await rest(part);
    }
  })();
  reading.catch(() => {});
  try {
    for (let at = 0, piece = pieceOf(part, 0); piece.length > 0; at += piece.length, piece = pieceOf(part, at))
      await posix.write(fd, piece);
    if (part.closesLast) await reading;
    posix.shutdown(fd, c.SHUT_WR);
    await reading;
  } finally {
    await posix.close(fd);
  }
}

type Conversation = readonly [Promise<void>, Promise<void>];

/** A connection between promises; the client's end is aborted when `signal` says so. */
async function joinSockets([client]: Hosts, parts: Parts, signal: AbortSignal | undefined, listener: Server): Promise<Conversation> {
  const connecting = untilReached(parts[0].world, async () => {
    const socket = client.connect(`server:${PORT}`, { ...OPTIONS, signal });
    await socket.opened;
    return socket;
  });
  const [ours, theirs] = await Promise.all([connecting, listener.accept()]);
  return [bySocket(ours, parts[0]), bySocket(theirs, parts[1])];
}

/** A connection between descriptors. */
async function joinDescriptors([client, server]: Hosts, parts: Parts, listening: number): Promise<Conversation> {
  const fd = client.posix.socket(c.AF_INET, c.SOCK_STREAM);
  const connecting = untilReached(parts[0].world, () => client.posix.connect(fd, { address: SERVER, port: POSIX_PORT }));
  const [peer] = await Promise.all([server.posix.accept(listening), connecting]);
  return [byDescriptor(client, fd, parts[0]), byDescriptor(server, peer.fd, parts[1])];
}

/** A router that cannot find its neighbour says so, and a handshake is not tried for ever: a program begins again. */
async function untilReached<T>(world: SimulatedWorld, attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!["EHOSTUNREACH", "ETIMEDOUT"].includes((error as { code: string }).code) || attempts === 20) throw error;
      await world.sleep(1000);
    }
  }
}

function randomFaults(chance: SeededRandom): FaultRates {
  const rate = (most: number): number => (randomBelow(chance, 3) === 0 ? 0 : most * randomFraction(chance) ** 2);
  return { drop: rate(0.1), duplicate: rate(0.2), reorder: rate(0.3), corrupt: rate(0.05), delay: rate(0.2) };
}

function randomWire(chance: SeededRandom, faults: FaultRates): WorldWireOptions {
  const pick = <T>(...values: T[]): T => values[randomBelow(chance, values.length)];
  return { latency: randomBelow(chance, 60), rate: pick(1e6, 1e7, Number.POSITIVE_INFINITY), mtu: pick(576, 1280, 1500), faults };
}

function randomOctets(chance: SeededRandom, limit: number): Uint8Array {
  return Uint8Array.from({ length: randomBelow(chance, limit) }, () => chance.uint32());
}

/** Runs one world. Returns what went wrong, or undefined. */
export async function runSeed(seed: number): Promise<string | undefined> {
  const chance = new SeededRandom(seed).fork("soak");
  const world = simulate({ seed });
  const buffer = (): number => (randomBelow(chance, 3) === 0 ? 500 + randomBelow(chance, 3000) : 262_144);
  const { client, server } = twoHostsTwoRouters(world, {
    // Not corrupted here too: two wrong bits may cancel each other out in the checksum.
    wire: randomWire(chance, randomBelow(chance, 4) === 0 ? { ...randomFaults(chance), corrupt: 0 } : {}),
    core: randomWire(chance, randomFaults(chance)),
    host: { tcp: { receiveBuffer: buffer(), sendBuffer: buffer(), userTimeout: PATIENCE } },
  });
  try {
    await world.run(() => talk(world, [client, server], chance), { limit: PATIENCE });
    if (!(await world.settle())) return "it does not settle";
    const left = world.leaks();
    return left.length === 0 ? undefined : `left: ${left.join(", ")}`;
  } catch (error) {
    return String(error instanceof Error ? (error.stack ?? error) : error);
  } finally {
    await world.close();
  }
}

/** One to three conversations that overlap, and one attempt that comes to nothing. */
async function talk(world: SimulatedWorld, hosts: Hosts, chance: SeededRandom): Promise<void> {
  const [client, server] = hosts;
  const listener = server.listen({ port: PORT, ...OPTIONS, signal: undefined });
  const listening = server.posix.socket(c.AF_INET, c.SOCK_STREAM);
  server.posix.bind(listening, { address: "0.0.0.0", port: POSIX_PORT });
  server.posix.listen(listening);
  const conversations: Promise<void>[] = [];
  for (let number = 1 + randomBelow(chance, 3); number > 0; number -= 1) {
    const parts = randomParts(world, chance.fork(`conversation ${number}`));
    if (randomBelow(chance, 4) === 0) {
      conversations.push(untilTheEnd(await joinDescriptors(hosts, parts, listening), parts));
    } else if (randomBelow(chance, 4) > 0) {
      conversations.push(untilTheEnd(await joinSockets(hosts, parts, undefined, listener), parts));
    } else {
      const controller = new AbortController();
      const pair = await joinSockets(hosts, parts, controller.signal, listener);
      void world.sleep(randomBelow(chance, 2000)).then(() => controller.abort(ABORTED));
      conversations.push(untilAborted(pair));
    }
    await world.sleep(randomBelow(chance, 200));
  }
  await Promise.all(conversations);
  await breakOff(world, client, chance);
  await Promise.all([listener.close(), server.posix.close(listening)]);
}

function randomParts(world: SimulatedWorld, chance: SeededRandom): Parts {
  const [up, down] = [randomOctets(chance, 30_000), randomOctets(chance, 30_000)];
  const last = randomBelow(chance, 3);
  const part = (send: Uint8Array, expected: Uint8Array, closesLast: boolean): Part => ({
    world,
    chance: chance.fork(closesLast ? "last" : `${send === up}`),
    send,
    received: new Received(expected),
    closesLast,
    pause: randomBelow(chance, 300),
  });
  return [part(up, down, last === 1), part(down, up, last === 2)];
}

async function untilTheEnd(conversation: Conversation, parts: Parts): Promise<void> {
  await Promise.all(conversation);
  for (const { received } of parts) received.finish();
}

/** Both ends hear of it, unless they had ended before; what was received until then was right. */
async function untilAborted(conversation: Conversation): Promise<void> {
  for (const outcome of await Promise.allSettled(conversation)) {
    if (outcome.status === "fulfilled" || outcome.reason === ABORTED) continue;
    // The last is a writer's who closes a stream that is broken already.
    if (!["ECONNRESET", "ETIMEDOUT", "ERR_INVALID_STATE"].includes(outcome.reason?.code)) throw outcome.reason;
  }
}

/** A connection that is given up before or soon after it is established; nobody will accept it. */
async function breakOff(world: SimulatedWorld, client: Stack, chance: SeededRandom): Promise<void> {
  const port = randomBelow(chance, 2) === 0 ? PORT : 9;
  const socket = client.connect({ hostname: SERVER, port }, OPTIONS);
  const waiting = Promise.allSettled([socket.opened, socket.read(), socket.write(new Uint8Array(400)), socket.closed]);
  await world.sleep(randomBelow(chance, 400));
  if (randomBelow(chance, 2) === 0) socket.abort();
  else void socket.close("changed my mind");
  await waiting;
}
