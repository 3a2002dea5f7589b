// One way through the kernel's loopback, with node:net.
import type { Contender } from "../contender.ts";
import { connectNodePair } from "./node-pair.ts";
import { BULK_WRITE, payload } from "./payload.ts";

export async function openNodeBulk(): Promise<Contender> {
  const { client, server, close } = await connectNodePair();
  const block = payload(BULK_WRITE);
  let left = 0;
  let missing = 0;
  let done = (): void => {};
  const write = (): void => {
    while (left > 0) {
      left -= block.length;
      if (!client.write(block)) return;
    }
  };
  client.on("drain", write);
  server.on("data", (bytes) => {
    missing -= bytes.length;
    if (missing === 0) done();
  });
  return {
    run: (amount) =>
      new Promise((resolve) => {
        done = resolve;
        left = amount;
        missing = amount;
        write();
      }),
    close,
  };
}
