// PostgreSQL's protocol between a socket and PGlite: PostgreSQL itself, compiled to WebAssembly.
import type { Duplex } from "node:stream";

/** AuthenticationOk, and ReadyForQuery outside of a transaction. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const [QUERY, SYNC, TERMINATE] = Buffer.from("QSX");

/** PGlite takes whole exchanges: up to a query, or to the Sync behind an extended one. */
export async function servePostgres(socket: Duplex, execute: (message: Uint8Array) => Promise<Uint8Array>): Promise<void> {
  let waiting = Buffer.alloc(0);
  let exchange: Buffer[] = [];
  let isStarted = false;
  for await (const piece of socket) {
    waiting = Buffer.concat([waiting, piece as Buffer]);
    for (;;) {
      // The first message has no type.
      const start = isStarted ? 1 : 0;
      if (waiting.length < start + 4) break;
      const end = start + waiting.readUInt32BE(start);
      if (waiting.length < end) break;
      const message = waiting.subarray(0, end);
      waiting = waiting.subarray(end);
      if (!isStarted) {
        isStarted = true;
        socket.write(WELCOME);
        continue;
      }
      if (message[0] === TERMINATE) {
        socket.end();
        return;
      }
      exchange.push(message);
      if (message[0] !== QUERY && message[0] !== SYNC) continue;
      const all = Buffer.concat(exchange);
      exchange = [];
      socket.write(await execute(all));
    }
  }
}
