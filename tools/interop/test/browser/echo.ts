// The README's echo over a wire that loses and reorders packets, a larger one behind it, and the packets of both.
import { type SimulatedWorld, simulate } from "@netstrata/simnet";

export interface Echo {
  readonly answer: string;
  /** When the answer was there, and when the larger one was. */
  readonly times: readonly number[];
  readonly packets: readonly EchoPacket[];
}

/** A frame as the client's interface saw it. */
export interface EchoPacket {
  /** Nanoseconds since the world began. */
  readonly timestamp: bigint;
  readonly bytes: Uint8Array;
}

/** Not much, but enough packets that some of them are lost. */
const LARGER = 50_000;

export async function echo(): Promise<Echo> {
  const world = simulate({ seed: 7 });
  const client = world.host("client");
  const server = world.host("server");
  world.wire(client, server, { latency: 10, faults: { drop: 0.05, reorder: 0.1 } });
  const packets = record(world, "client");

  return await world.run(async () => {
    const listener = server.listen({ port: 7 });
    void listener.accept().then(async (peer) => {
      for await (const bytes of peer) await peer.write(bytes);
    });

    const socket = client.connect("server:7");
    await socket.write(new TextEncoder().encode("hello"));
    const answer = new TextDecoder().decode((await socket.read()) ?? undefined);
    const times = [world.now];
    const sent = socket.write(new Uint8Array(LARGER));
    for (let left = LARGER; left > 0; ) left -= (await socket.read())?.length ?? left;
    await sent;
    times.push(world.now);
    await socket.close();
    return { answer, times, packets };
  });
}

function record(world: SimulatedWorld, name: string): EchoPacket[] {
  const packets: EchoPacket[] = [];
  const sink = {
    packet: (bytes: Uint8Array, time: number) => void packets.push({ timestamp: BigInt(Math.round(time * 1e6)), bytes: bytes.slice() }),
  };
  world.capture(({ host }) => (host === name ? sink : undefined));
  return packets;
}
