// Our stack by its POSIX-like calls: everything is done on descriptors.
import { constants, type Posix, type Stack } from "@netstrata/socket";
import { untilClosed } from "./serving.ts";
import type { Address, DatagramSocket, Sockets, Stream } from "./sockets.ts";

const { AF_INET, SOCK_STREAM, SOCK_DGRAM, SOL_SOCKET, SO_LINGER, SO_REUSEADDR, SHUT_WR } = constants;
const ANY = "0.0.0.0";
/** More than any datagram has. */
const READ_SIZE = 65536;

export class PosixSockets implements Sockets {
  private readonly calls: Posix;

  constructor(stack: Stack) {
    this.calls = stack.posix;
  }

  async connect(to: Address, localPort?: number): Promise<Stream> {
    const fd = this.calls.socket(AF_INET, SOCK_STREAM);
    try {
      if (localPort !== undefined) this.calls.bind(fd, { address: ANY, port: localPort });
      await this.calls.connect(fd, to);
    } catch (error) {
      await this.calls.close(fd);
      throw error;
    }
    return this.streamOf(fd);
  }

  async listen(port: number, accept: (stream: Stream) => void): Promise<void> {
    const fd = this.calls.socket(AF_INET, SOCK_STREAM);
    this.calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    this.calls.bind(fd, { address: ANY, port });
    this.calls.listen(fd);
    void untilClosed(async () => accept(this.streamOf((await this.calls.accept(fd)).fd)));
  }

  async connectDatagrams(to: Address): Promise<DatagramSocket> {
    const fd = this.calls.socket(AF_INET, SOCK_DGRAM);
    await this.calls.connect(fd, to);
    return this.socketOf(fd);
  }

  async bindDatagrams(port: number): Promise<DatagramSocket> {
    const fd = this.calls.socket(AF_INET, SOCK_DGRAM);
    this.calls.bind(fd, { address: ANY, port });
    return this.socketOf(fd);
  }

  private streamOf(fd: number): Stream {
    const { calls } = this;
    return {
      async read() {
        const buffer = new Uint8Array(READ_SIZE);
        const length = await calls.read(fd, buffer);
        return length === 0 ? null : buffer.subarray(0, length);
      },
      async write(bytes) {
        await calls.write(fd, bytes);
      },
      async closeWrite() {
        calls.shutdown(fd, SHUT_WR);
      },
      close: () => calls.close(fd),
      reset() {
        calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
        return calls.close(fd);
      },
    };
  }

  private socketOf(fd: number): DatagramSocket {
    const { calls } = this;
    const buffer = new Uint8Array(READ_SIZE);
    return {
      async send(bytes, to) {
        await calls.sendto(fd, bytes, 0, to);
      },
      async receive() {
        const { length, from } = await calls.recvfrom(fd, buffer);
        return { data: buffer.slice(0, length), address: from?.address ?? ANY, port: from?.port ?? 0 };
      },
      close: () => calls.close(fd),
    };
  }
}
