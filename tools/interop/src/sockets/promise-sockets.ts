// Our stack by its promises.
import type { Socket, Stack, UdpSocket } from "@netstrata/socket";
import type { Address, DatagramSocket, Sockets, Stream } from "./sockets.ts";

export class PromiseSockets implements Sockets {
  private readonly stack: Stack;

  constructor(stack: Stack) {
    this.stack = stack;
  }

  async connect(to: Address): Promise<Stream> {
    const socket = this.stack.connect(to, { allowHalfOpen: true });
    await socket.opened;
    return streamOf(socket);
  }

  async listen(port: number, accept: (stream: Stream) => void): Promise<void> {
    const server = this.stack.listen({ port, allowHalfOpen: true });
    void acceptAll(server, accept);
  }

  async connectDatagrams(to: Address): Promise<DatagramSocket> {
    const socket = this.stack.udp();
    socket.connect(to);
    return socketOf(socket);
  }

  async bindDatagrams(port: number): Promise<DatagramSocket> {
    return socketOf(this.stack.udp({ port }));
  }
}

async function acceptAll(server: AsyncIterable<Socket>, accept: (stream: Stream) => void): Promise<void> {
  for await (const socket of server) accept(streamOf(socket));
}

function streamOf(socket: Socket): Stream {
  return {
    read: () => socket.read(),
    write: (bytes) => socket.write(bytes, { given: true }),
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
    reset: async () => socket.abort(),
  };
}

function socketOf(socket: UdpSocket): DatagramSocket {
  return {
    send: (bytes, to) => socket.send(bytes, to),
    receive: () => socket.receive(),
    close: () => socket.close(),
  };
}
