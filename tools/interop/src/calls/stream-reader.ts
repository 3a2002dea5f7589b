// Reads a stream by lines and by counts of octets, however it came in pieces.
import type { Stream } from "../sockets/sockets.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
const LINE_FEED = 10;

export class StreamReader {
  private readonly stream: Stream;
  private rest = EMPTY;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  /** The next line without its end; null at the end of the stream. */
  async line(): Promise<string | null> {
    let line = "";
    for (;;) {
      const end = this.rest.indexOf(LINE_FEED);
      if (end >= 0) return (line + Buffer.from(this.take(end + 1)).toString("latin1")).replace(/\r?\n$/, "");
      line += Buffer.from(this.take(this.rest.length)).toString("latin1");
      if (!(await this.fill())) return null;
    }
  }

  /** Hands on the next octets, as many as there are up to `octets`; false when the stream ended before. */
  async pass(octets: number, consume: (bytes: Uint8Array) => void): Promise<boolean> {
    let left = octets;
    while (left > 0) {
      if (this.rest.length === 0 && !(await this.fill())) return left === Number.POSITIVE_INFINITY;
      const taken = this.take(Math.min(left, this.rest.length));
      left -= taken.length;
      consume(taken);
    }
    return true;
  }

  private take(octets: number): Uint8Array {
    const taken = this.rest.subarray(0, octets);
    this.rest = this.rest.subarray(octets);
    return taken;
  }

  private async fill(): Promise<boolean> {
    const bytes = await this.stream.read();
    this.rest = bytes ?? EMPTY;
    return bytes !== null;
  }
}
