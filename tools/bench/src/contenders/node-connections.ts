// Connect, accept, close both ways, with node:net.
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Contender } from "../contender.ts";
import { LOOPBACK } from "./node-pair.ts";
import { CONNECTIONS_AT_ONCE } from "./payload.ts";

export async function openNodeConnections(): Promise<Contender> {
  // The server's socket ends its stream by itself when it has read the end of the client's.
  const listener = createServer((socket) => void socket.resume()).listen({ port: 0, host: LOOPBACK, backlog: 128 });
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  let unopened = 0;
  let unclosed = 0;
  let settle = { done: (): void => {}, fail: (_error: Error): void => {} };
  const open = (): void => {
    if (unopened === 0) return;
    unopened -= 1;
    const socket = connect(port, LOOPBACK, () => socket.end());
    socket.resume();
    socket.on("error", (error) => settle.fail(error));
    socket.on("close", () => {
      unclosed -= 1;
      if (unclosed === 0) settle.done();
      else open();
    });
  };
  return {
    run: (amount) =>
      new Promise((resolve, reject) => {
        settle = { done: resolve, fail: reject };
        unopened = amount;
        unclosed = amount;
        for (let lane = 0; lane < CONNECTIONS_AT_ONCE; lane += 1) open();
      }),
    close: () => void listener.close(),
  };
}
