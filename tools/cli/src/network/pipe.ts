// A socket between standard input and standard output, as nc(1) does it.
import type { Socket } from "@netstrata/socket";
import type { Io } from "../terminal/io.ts";

/** What ends first ends its own direction only. Resolves when both have ended; rejects when the connection breaks. */
export async function pipe(socket: Socket, io: Io): Promise<void> {
  const stop = (): void => socket.abort();
  io.signal.addEventListener("abort", stop);
  try {
    const sending = send(socket, io);
    // Its failure is the connection's, which receiving tells as well.
    sending.catch(() => {});
    for await (const bytes of socket) await io.stdout.write(bytes);
    await sending;
    await socket.closed;
  } finally {
    io.signal.removeEventListener("abort", stop);
  }
}

async function send(socket: Socket, io: Io): Promise<void> {
  for await (const bytes of io.stdin) await socket.write(bytes);
  await socket.closeWrite();
}
