// One way through two stacks, with promises.
import type { Contender } from "../contender.ts";
import { BULK_WRITE, payload } from "./payload.ts";
import { connectSocketPair, openSocketPair } from "./socket-pair.ts";

export async function openSocketBulk(mtu: number): Promise<Contender> {
  const pair = openSocketPair(mtu);
  const { client, server } = await connectSocketPair(pair);
  const block = payload(BULK_WRITE);
  const write = async (amount: number): Promise<void> => {
    for (let left = amount; left > 0; left -= block.length) await client.write(block, { given: true });
  };
  const read = async (amount: number): Promise<void> => {
    let missing = amount;
    while (missing > 0) {
      const bytes = await server.read();
      if (bytes === null) throw new Error("the stream has ended");
      missing -= bytes.length;
    }
  };
  return {
    run: async (amount) => void (await Promise.all([write(amount), read(amount)])),
    close: () => pair.close(),
  };
}
