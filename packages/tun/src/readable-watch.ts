// Waiting until a descriptor has something to read, in the event loop's own epoll set. Why so: docs/decisions/0007-tun-through-koffi.md.
import { constants } from "node:fs";
import { type ConnectOpts, Socket, type SocketConstructorOpts } from "node:net";
import { systemCalls } from "./system-calls.ts";
import { systemError } from "./tun-error.ts";

/** `O_CLOEXEC`, which `fs.constants` lacks: a program we start must not inherit the device. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Calls `onReadable` whenever `descriptor` (non-blocking) has something to read; the first packet is then in `buffer` already.
 *
 * Node waits in its event loop for sockets and pipes only, and refuses to be handed anything else. So it is given a pipe, and
 * then dup3(2) puts a second reference to the descriptor in the pipe's place: from there on epoll watches the device. No thread
 * hop on a wake-up, and no thread of libuv's pool of four is held while nothing arrives.
 *
 * @param onReadable is told how many octets of `buffer` are filled
 * @param onFailure is told once when the descriptor can no longer be read
 */
export class ReadableWatch {
  private readonly socket: Socket;

  constructor(descriptor: number, buffer: Uint8Array, onReadable: (length: number) => void, onFailure: (error: Error) => void) {
    const calls = systemCalls();
    const ends = new Int32Array(2);
    if (calls.pipe2(ends, CLOSE_ON_EXEC | constants.O_NONBLOCK) < 0) throw systemError("TUN", calls.errno(), "pipe2");
    const [readEnd, writeEnd] = ends;
    const options: SocketConstructorOpts & ConnectOpts = {
      fd: readEnd,
      readable: true,
      writable: false,
      onread: {
        buffer,
        callback: (length) => {
          onReadable(length);
          return true; // and keep reading
        },
      },
    };
    try {
      this.socket = new Socket(options);
    } catch (error) {
      calls.close(readEnd);
      calls.close(writeEnd);
      throw error;
    }
    const replaced = calls.dup3(descriptor, readEnd, CLOSE_ON_EXEC);
    calls.close(writeEnd);
    if (replaced < 0) {
      this.socket.destroy();
      throw systemError("TUN", calls.errno(), "dup3");
    }
    this.socket.on("error", onFailure);
    this.socket.resume();
  }

  ref(): void {
    this.socket.ref();
  }

  unref(): void {
    this.socket.unref();
  }

  close(): void {
    this.socket.destroy();
  }
}
