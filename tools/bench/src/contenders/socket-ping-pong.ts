// One octet there, one octet back, with promises.
import type { Contender } from "../contender.ts";
import { payload } from "./payload.ts";
import { connectSocketPair, openSocketPair } from "./socket-pair.ts";

export async function openSocketPingPong(mtu: number): Promise<Contender> {
  const pair = openSocketPair(mtu);
  const { client, server } = await connectSocketPair(pair);
  const ball = payload(1);
  const echo = async (amount: number): Promise<void> => {
    for (let left = amount; left > 0; left -= 1) {
      const bytes = await server.read();
      if (bytes !== null) await server.write(bytes, { given: true });
    }
  };
  const play = async (amount: number): Promise<void> => {
    for (let left = amount; left > 0; left -= 1) {
      await client.write(ball, { given: true });
      await client.read();
    }
  };
  return {
    run: async (amount) => void (await Promise.all([echo(amount), play(amount)])),
    close: () => pair.close(),
  };
}
