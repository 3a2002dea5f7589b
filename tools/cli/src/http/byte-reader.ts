// Lines and counted octets from a stream that comes in pieces of any size.

/** What a stream is read from: `Socket`, for one. Null at its end. */
export interface ByteSource {
  read(): Promise<Uint8Array | null>;
}

const LF = 10;
const CR = 13;

export class ByteReader {
  private readonly source: ByteSource;
  /** What has been read from the source and not been taken yet. */
  private rest: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.source = source;
  }

  /**
   * The next line without its end, as Latin-1 (RFC 9112 §2.2: octets, not characters).
   * @returns undefined at the end of the stream, "too-long" when no end comes within `limit` octets
   */
  async line(limit: number): Promise<string | undefined | "too-long"> {
    for (;;) {
      const end = this.rest.indexOf(LF);
      if (end >= 0 && end <= limit) {
        const line = this.rest.subarray(0, end > 0 && this.rest[end - 1] === CR ? end - 1 : end);
        this.rest = this.rest.subarray(end + 1);
        return Buffer.from(line).toString("latin1");
      }
      if (this.rest.length > limit) return "too-long";
      const more = await this.source.read();
      if (more === null) return undefined;
      this.rest = this.rest.length === 0 ? more : Buffer.concat([this.rest, more]);
    }
  }

  /** The next octets, at most `limit`; null at the end of the stream. */
  async some(limit: number): Promise<Uint8Array | null> {
    const bytes = this.rest.length > 0 ? this.rest : await this.source.read();
    if (bytes === null) return null;
    this.rest = bytes.subarray(limit);
    return bytes.subarray(0, limit);
  }
}
