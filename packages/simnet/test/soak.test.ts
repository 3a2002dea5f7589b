// Streams through a bad network, seed after seed: byte-exact, ended, and nothing left.
import { expect, test } from "vitest";
import { simulate, twoHostsTwoRouters } from "../src/index.ts";

const SEEDS = 24;

function pattern(length: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (index * 31 + (index >> 8) * 7 + salt) & 255;
  return bytes;
}

test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))("seed %d: both streams arrive as they were sent", async (seed) => {
  const world = simulate({ seed });
  const rate = 0.01 * (seed % 6);
  const faults = { drop: rate, duplicate: rate, reorder: rate, corrupt: rate, delay: rate };
  const { client, server } = twoHostsTwoRouters(world, {
    wire: { latency: seed % 7 },
    core: { faults, rate: 5e6, mtu: seed % 2 ? 1500 : 700 },
  });
  const [up, down] = [pattern(40_000, seed), pattern(25_000, seed + 1)];
  const received = await world.run(async () => {
    const options = { allowHalfOpen: true };
    await using listener = server.listen({ port: 80, ...options });
    const converse = async (socket: ReturnType<typeof client.connect>, send: Uint8Array): Promise<Uint8Array> => {
      const writing = (async () => {
        for (let at = 0; at < send.length; at += 1777) await socket.write(send.subarray(at, at + 1777));
        await socket.closeWrite();
      })();
      const pieces: number[] = [];
      for await (const piece of socket) pieces.push(...piece);
      await writing;
      await socket.closed;
      return new Uint8Array(pieces);
    };
    const serving = listener.accept().then((socket) => converse(socket, down));
    const receivedDown = await converse(client.connect("server:80", options), up);
    return [await serving, receivedDown];
  });
  expect(received[0]).toEqual(up);
  expect(received[1]).toEqual(down);
  expect(await world.settle()).toBe(true);
  expect(world.leaks()).toEqual([]);
  await world.close();
});
