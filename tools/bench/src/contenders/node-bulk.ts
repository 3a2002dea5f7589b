// One way through the kernel's loopback, with node:net.
import type { Contender } from "../contender.ts";
import { connectNodePair } from "./node-pair.ts";
import { BULK_WRITE, payload } from "./payload.ts";

/** By "data" events, each with memory of its own, or by `onread` into memory of the reader's. */
export type NodeReading = "data" | "onread";

export async function openNodeBulk(reading: NodeReading): Promise<Contender> {
  let left = 0;
  let missing = 0;
  let done = (): void => {};
  const received = (count: number): boolean => {
    missing -= count;
    if (missing === 0) done();
    return true;
  };
  const onread = { buffer: new Uint8Array(BULK_WRITE), callback: received };
  // Only a socket that connects can be given `onread`, so the data flows from the server to the client.
  const { client, server, close } = await connectNodePair(reading === "onread" ? onread : undefined);
  if (reading === "data") client.on("data", (bytes) => received(bytes.length));
  const block = payload(BULK_WRITE);
  const write = (): void => {
    while (left > 0) {
      left -= block.length;
      if (!server.write(block)) return;
    }
  };
  server.on("drain", write);
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
