// Two sockets of one process, connected through the kernel's loopback.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type OnReadOpts, type Socket } from "node:net";

export const LOOPBACK = "127.0.0.1";

export interface NodePair {
  readonly client: Socket;
  readonly server: Socket;
  close(): void;
}

/** @param onread makes the client read into one buffer again and again, instead of by "data" events */
export async function connectNodePair(onread?: OnReadOpts): Promise<NodePair> {
  const listener = createServer().listen(0, LOOPBACK);
  await once(listener, "listening");
  const client = connect({ port: (listener.address() as AddressInfo).port, host: LOOPBACK, onread });
  const [server] = (await once(listener, "connection")) as [Socket];
  client.setNoDelay(true);
  server.setNoDelay(true);
  return {
    client,
    server,
    close: () => {
      client.destroy();
      server.destroy();
      listener.close();
    },
  };
}
