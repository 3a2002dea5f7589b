// The part of the package raw-socket that is used here, and what its source (1.8.1) asks of whoever uses it.
import { createRequire } from "node:module";
import { RawError } from "./raw-error.ts";

const require: NodeJS.Require = createRequire(import.meta.url);

/**
 * - `send` queues without a limit, and sends one packet each time the event loop finds the socket writable and nothing to read:
 *   count what is pending.
 * - `send` and a receive after `close` would quietly open the socket anew: never call them.
 * - What a "message" listener throws comes back as an "error" event: do not let it throw.
 * - The buffer of a "message" is used again for the next one, and cuts what is longer.
 * - A failed poll closes the socket: "close" can come uncalled for. It also comes from each call of `close`.
 */
export interface RawSocket {
  on(event: "message", listener: (buffer: Uint8Array, source: string) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "close", listener: () => void): this;
  send(bytes: Uint8Array, offset: number, length: number, address: string, done: (error: Error | null) => void): this;
  setOption(level: number, option: number, value: number | Uint8Array, length?: number): void;
  close(): this;
}

export interface RawSocketModule {
  createSocket(options: { readonly protocol: number; readonly bufferSize: number }): RawSocket;
}

/** Loaded at the first opening only: whoever never opens a raw device needs neither the package nor a compiler. */
export function loadRawSocket(): RawSocketModule {
  if (process.platform !== "linux") {
    throw new RawError(
      "ERR_RAW_PLATFORM",
      `raw sockets with whole datagrams as Linux has them are needed, and this is ${process.platform}`,
    );
  }
  try {
    return require("raw-socket") as RawSocketModule;
  } catch (cause) {
    throw new RawError(
      "ERR_RAW_MODULE",
      "the package raw-socket is not installed, or not compiled for this Node (npm install raw-socket, npm rebuild raw-socket; both need a C++ compiler, make and python3)",
      undefined,
      cause,
    );
  }
}
