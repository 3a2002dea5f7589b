// The application at our end of a connection under replay: it sends what was recorded, when told to, and reads at once.
import type { ErrorCode } from "@netstrata/core";
import type { TcpConnection, TcpUser } from "@netstrata/transport";

export class StreamUser implements TcpUser {
  connection: TcpConnection | undefined;
  /** The connection is over for us. */
  isOver = false;
  error: ErrorCode | undefined;
  /** Octets read so far. */
  received = 0;
  /** The first octet that was read and is another one than recorded, counted from 0. */
  firstWrong: number | undefined;
  private readonly outgoing: Uint8Array;
  private readonly incoming: Uint8Array;
  /** How much of `outgoing` has been asked for, and how much the connection has taken. */
  private given = 0;
  private taken = 0;
  private closing: "no" | "write" | "both" = "no";

  constructor(outgoing: Uint8Array, incoming: Uint8Array) {
    this.outgoing = outgoing;
    this.incoming = incoming;
  }

  start(connection: TcpConnection): void {
    this.connection = connection;
    connection.user = this;
    this.write();
    this.readable(connection);
  }

  /** Sends what of the stream's first `length` octets has not been sent. */
  give(length: number): void {
    this.given = Math.max(this.given, Math.min(length, this.outgoing.length));
    this.write();
  }

  /** Closes our stream behind all that has been given, and with `both` reads no more. */
  close(both: boolean): void {
    this.closing = both ? "both" : "write";
    this.write();
  }

  readable(connection: TcpConnection): void {
    for (let bytes = connection.receive(); bytes !== undefined; bytes = connection.receive()) {
      this.firstWrong ??= this.firstDifference(bytes);
      this.received += bytes.length;
    }
  }

  writable(): void {
    this.write();
  }

  closed(_connection: TcpConnection, error: ErrorCode | undefined): void {
    this.isOver = true;
    this.error = error;
  }

  private write(): void {
    const { connection } = this;
    if (connection === undefined) return;
    while (this.taken < this.given) {
      const count = connection.send(this.outgoing.subarray(this.taken, this.given));
      // An error is the connection's end, of which TCP tells by itself.
      if (typeof count === "string" || count === 0) return;
      this.taken += count;
    }
    if (this.closing !== "no") connection.close();
    if (this.closing === "both") connection.closeRead();
  }

  private firstDifference(bytes: Uint8Array): number | undefined {
    const start = this.received;
    const index = bytes.findIndex((octet, at) => octet !== this.incoming[start + at]);
    return index < 0 ? undefined : start + index;
  }
}
