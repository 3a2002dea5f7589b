// The kernel's sockets, by Node's own modules.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, connect as openConnection, type Socket } from "node:net";
import type { Address, Datagram, DatagramSocket, Sockets, Stream } from "./sockets.ts";

export class KernelSockets implements Sockets {
  async connect(to: Address, localPort?: number): Promise<Stream> {
    const socket = openConnection({ host: to.address, port: to.port, localPort, allowHalfOpen: true });
    await once(socket, "connect");
    return streamOf(socket);
  }

  async listen(port: number, accept: (stream: Stream) => void): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => accept(streamOf(socket)));
    server.listen({ port, host: "::", backlog: 511 });
    await once(server, "listening");
  }

  async connectDatagrams(to: Address): Promise<DatagramSocket> {
    const socket = createSocket(to.address.includes(":") ? "udp6" : "udp4");
    socket.connect(to.port, to.address);
    await once(socket, "connect");
    return socketOf(socket);
  }

  async bindDatagrams(port: number): Promise<DatagramSocket> {
    // For both families.
    const socket = createSocket("udp6");
    socket.bind(port);
    await once(socket, "listening");
    return socketOf(socket);
  }
}

function streamOf(socket: Socket): Stream {
  // The end of the peer's stream is not the end of ours.
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array, unknown>;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // Whoever reads or writes learns of it there.
  socket.on("error", () => {});
  return {
    async read() {
      const { done, value } = await chunks.next();
      return done === true ? null : value;
    },
    write: (bytes) => new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve()))),
    closeWrite: () => new Promise((resolve) => socket.end(() => resolve())),
    close() {
      socket.destroySoon();
      return closed;
    },
    reset() {
      socket.resetAndDestroy();
      return closed;
    },
  };
}

function socketOf(socket: UdpSocket): DatagramSocket {
  const arrived: (Datagram | Error)[] = [];
  let wake: () => void = () => {};
  const arrive = (what: Datagram | Error): void => {
    arrived.push(what);
    wake();
  };
  socket.on("message", (data, { address, port }) => arrive({ data, address, port }));
  socket.on("error", arrive);
  return {
    send: (bytes, to) =>
      new Promise((resolve, reject) => {
        const sent = (error: Error | null): void => (error === null ? resolve() : reject(error));
        if (to === undefined) socket.send(bytes, sent);
        else socket.send(bytes, to.port, to.address, sent);
      }),
    async receive() {
      while (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const first = arrived.shift() as Datagram | Error;
      if (first instanceof Error) throw first;
      return first;
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
