// One octet there, one octet back, with node:net.
import type { Contender } from "../contender.ts";
import { connectNodePair } from "./node-pair.ts";
import { payload } from "./payload.ts";

export async function openNodePingPong(): Promise<Contender> {
  const { client, server, close } = await connectNodePair();
  const ball = payload(1);
  let left = 0;
  let done = (): void => {};
  client.on("data", () => {
    left -= 1;
    if (left > 0) client.write(ball);
    else done();
  });
  server.on("data", (bytes) => server.write(bytes));
  return {
    run: (amount) =>
      new Promise((resolve) => {
        done = resolve;
        left = amount;
        client.write(ball);
      }),
    close,
  };
}
