// Connect, accept, close both ways, with promises.
import type { Contender } from "../contender.ts";
import { CONNECTIONS_AT_ONCE } from "./payload.ts";
import { openSocketPair, SERVER } from "./socket-pair.ts";

export function openSocketConnections(mtu: number): Contender {
  const pair = openSocketPair(mtu);
  const listener = pair.b.listen();
  const serve = async (): Promise<void> => {
    // The server's socket ends its stream by itself when it has read the end of the client's.
    for await (const socket of listener) void socket.read();
  };
  const serving = serve();
  const address = { hostname: SERVER, port: listener.address.port };
  return {
    run: async (amount) => {
      let unopened = amount;
      const lane = async (): Promise<void> => {
        while (unopened > 0) {
          unopened -= 1;
          const socket = pair.a.connect(address);
          await socket.opened;
          await socket.closeWrite();
          await socket.read();
          await socket.closed;
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, lane));
    },
    close: async () => {
      await pair.close();
      await serving;
    },
  };
}
