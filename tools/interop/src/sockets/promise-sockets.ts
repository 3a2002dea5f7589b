// Our stack by its promises.
import type { Socket, Stack, UdpSocket } from "@netstrata/socket";
import { untilClosed } from "./serving.ts";
import type { Address, DatagramSocket, Sockets, Stream } from "./sockets.ts";

export class PromiseSockets implements Sockets {
  private readonly stack: Stack;

  constructor(stack: Stack) {
    this.stack = stack;
  }

  async connect(to: Address, localPort?: number): Promise<Stream> {
    const socket = this.stack.connect(to, { localPort, allowHalfOpen: true });
    await socket.opened;
    return streamOf(socket);
  }

  async listen(port: number, accept: (stream: Stream) => void): Promise<void> {
    const server = this.stack.listen({ port, allowHalfOpen: true });
    void untilClosed(async () => accept(streamOf(await server.accept())));
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
