// Recordings made in a simulated world: what one host's interface saw of a program.
import type { CapturedPacket, CaptureInterface } from "@netstrata/capture";
import { type FaultRates, LINKTYPE_ETHERNET, linkTypeOf, type Medium } from "@netstrata/link";
import { type SimulatedWorld, simulate, twoHosts } from "@netstrata/simnet";
import type { Stack } from "@netstrata/socket";

export const CLIENT = "10.0.1.1";
export const SERVER = "10.0.1.2";

const INTERFACE: CaptureInterface = {
  section: { format: "pcapng", littleEndian: true, comments: [] },
  index: 0,
  linkType: LINKTYPE_ETHERNET,
  snapLength: 0,
  comments: [],
};

export function capturedPacket(number: number, time: number, bytes: Uint8Array, linkType: number = LINKTYPE_ETHERNET): CapturedPacket {
  const timestamp = BigInt(Math.round(time * 1e6));
  // Node's readers hand out Buffers, whose `slice` is a view: so do we.
  return { number, timestamp, linkType, bytes: Buffer.from(bytes), originalLength: bytes.length, interface: INTERFACE };
}

export interface RecordOptions {
  readonly seed?: number;
  readonly faults?: FaultRates;
  /** @default "ethernet" */
  readonly medium?: Medium;
  /** Where the capture is made. @default "client" */
  readonly at?: "client" | "server";
}

type Program = (client: Stack, server: Stack, world: SimulatedWorld) => Promise<void>;

/** Runs a program between two hosts 5 ms apart and returns what passed one of them. */
export async function record(program: Program, options: RecordOptions = {}): Promise<CapturedPacket[]> {
  const { seed = 1, faults, medium, at = "client" } = options;
  const world = simulate({ seed });
  const { client, server } = twoHosts(world, { wire: { latency: 5, medium, faults } });
  const packets: CapturedPacket[] = [];
  const stop = world.capture(({ host, medium: seen }) =>
    host !== at
      ? undefined
      : { packet: (bytes, time) => void packets.push(capturedPacket(packets.length + 1, time, Uint8Array.from(bytes), linkTypeOf(seen))) },
  );
  await world.run(() => program(client, server, world));
  await world.settle();
  stop();
  await world.close();
  return packets;
}

export function sampleBytes(length: number, salt = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 7 + salt) & 255);
}

/** The client sends, the server answers when it has everything, and the client closes first. */
export function exchange(question: number, answer: number): Program {
  return async (client, server) => {
    const listener = server.listen({ port: 80, allowHalfOpen: true });
    const serving = listener.accept().then(async (socket) => {
      for await (const _ of socket);
      await socket.write(sampleBytes(answer, 1));
      await socket.close();
    });
    const socket = client.connect("server:80", { allowHalfOpen: true });
    await socket.write(sampleBytes(question));
    await socket.closeWrite();
    for await (const _ of socket);
    await socket.closed;
    await serving;
    await listener.close();
  };
}
