// The WHATWG streams of a TCP socket (https://streams.spec.whatwg.org/), made when somebody asks for them.
import type { TcpChannel } from "./tcp-channel.ts";

/** Octets of a buffer that a stream reads into when its consumer brings none. */
const READ_SIZE = 65536;

/** A byte stream. It reads ahead nothing: what is not asked for stays in TCP's buffer, so that the peer's window closes. */
export function createReadable(channel: TcpChannel): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: "bytes",
      async pull(controller) {
        const request = controller.byobRequest;
        // Byte streams take buffers away from whoever gives them, so only a buffer of our own will do.
        const view = request?.view ?? new Uint8Array(READ_SIZE);
        const target = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
        const count = await channel.readInto(target);
        if (count === 0) controller.close();
        // An answer of 0 octets, after close, gives a waiting consumer its buffer back.
        if (request !== null) request.respond(count);
        else if (count > 0) controller.enqueue(target.subarray(0, count));
      },
      cancel() {
        channel.closeRead();
      },
    },
    { highWaterMark: 0 },
  );
}

/** A stream of chunks of octets; a write is done when TCP has taken it. */
export function createWritable(channel: TcpChannel): WritableStream<Uint8Array> {
  return new WritableStream({
    start(controller) {
      // So that a writer learns of a reset even while it writes nothing.
      channel.closedEvent.promise.catch((reason: unknown) => controller.error(reason));
    },
    write: (chunk: unknown) => channel.write(toBytes(chunk), false),
    close: () => channel.closeWrite(),
    abort: (reason: unknown) => channel.abort(reason),
  });
}

/** The octets of any buffer or view. Text is refused: its encoding is the user's to choose. */
export function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(`a socket carries octets: give it a Uint8Array, another view or an ArrayBuffer, not ${describe(chunk)}`);
}

function describe(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? `a ${value.constructor?.name ?? "bare object"}` : `a ${typeof value}`;
}
