// Writes a capture into a file in Node.
import { closeSync, openSync, writeSync } from "node:fs";
import type { ChunkSink } from "../pcap-writer.ts";

/** Octets gathered before they are written: one system call for a few hundred packets. */
const BUFFER_LENGTH = 65536;

/** A file to hand to a writer as its sink. It writes synchronously, so that nothing piles up in memory, and a crash loses little. */
export class CaptureFile {
  /** Give this to `PcapWriter` or `PcapngWriter`. */
  readonly sink: ChunkSink = (chunk) => this.write(chunk);
  private readonly descriptor: number;
  private readonly buffer = new Uint8Array(BUFFER_LENGTH);
  private filled = 0;
  private closed = false;

  /** Creates the file, or empties it. Node's own error when that fails. */
  constructor(path: string) {
    this.descriptor = openSync(path, "w");
  }

  /** Hands everything to the operating system. */
  flush(): void {
    this.writeAll(this.buffer.subarray(0, this.filled));
    this.filled = 0;
  }

  /** Flushes and closes; closing twice is harmless. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    try {
      this.flush();
    } finally {
      closeSync(this.descriptor);
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private write(chunk: Uint8Array): void {
    if (this.closed) throw new Error("the capture file is closed");
    if (chunk.length > BUFFER_LENGTH - this.filled) this.flush();
    if (chunk.length > BUFFER_LENGTH) {
      this.writeAll(chunk);
    } else {
      this.buffer.set(chunk, this.filled);
      this.filled += chunk.length;
    }
  }

  private writeAll(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
  }
}
