// A TCP socket: the shape of the WinterTC Sockets API (https://sockets-api.proposal.wintertc.org/), and what it leaves out.
import { formatEndpoint, type TcpConnection, type TcpConnectionOptions, type TcpInfo } from "@netstrata/transport";
import { requireRanges } from "./option-ranges.ts";
import { type NumericAddress, toNumericAddress } from "./socket-address.ts";
import { createReadable, createWritable, toBytes } from "./socket-streams.ts";
import { SystemError } from "./system-error.ts";
import type { TcpChannel } from "./tcp-channel.ts";

/** What both ends know when a connection is established. */
export interface SocketInfo {
  /** `192.0.2.1:80` or `[2001:db8::1]:80` */
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** TLS's protocol negotiation; there is no TLS in this layer. */
  readonly alpn: string | undefined;
}

export interface SocketOptions extends TcpConnectionOptions {
  /** Keep our stream open when the end of the peer's has been read, until `closeWrite` or `close`. @default false */
  readonly allowHalfOpen?: boolean;
  /** Aborts the connection, with the signal's reason, whether it is established or not. */
  readonly signal?: AbortSignal;
}

export interface ConnectOptions extends SocketOptions {
  /** There is no TLS in this layer: everything but "off" throws EPROTONOSUPPORT. @default "off" */
  readonly secureTransport?: "off" | "on" | "starttls";
  /** The address to connect from. @default what the route says */
  readonly localAddress?: string;
  /** The port to connect from. @default a random free one */
  readonly localPort?: number;
}

export interface WriteOptions {
  /** The array is given away: it is kept by reference until acknowledged, and must not be changed any more. @default false */
  readonly given?: boolean;
}

export class Socket implements AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Resolves when the connection is established; rejects when it will not be. */
  readonly opened: Promise<SocketInfo>;
  /**
   * Resolves when both streams have ended and what was written has been acknowledged, or when our own `close` threw away what
   * had arrived and nobody had read, which resets the connection (RFC 9293 SHLD-3). Rejects when the connection broke.
   */
  readonly closed: Promise<void>;
  readonly upgraded: boolean = false;
  readonly secureTransport: "off" = "off";
  private readonly channel: TcpChannel;
  private readonly connection: TcpConnection | undefined;
  private readableStream: ReadableStream<Uint8Array> | undefined;
  private writableStream: WritableStream<Uint8Array> | undefined;

  /** Made by `Stack.connect` and `Server.accept`. */
  constructor(channel: TcpChannel, connection: TcpConnection | undefined) {
    this.channel = channel;
    this.connection = connection;
    this.closed = channel.closedEvent.promise;
    this.opened = channel.openedEvent.promise.then(() => describe(connection as TcpConnection));
    // Whoever only reads and writes learns of the failure there.
    this.opened.catch(() => {});
  }

  /** The local end; undefined when there never was a connection. */
  get local(): NumericAddress | undefined {
    return this.connection && toNumericAddress(this.connection.local);
  }

  get remote(): NumericAddress | undefined {
    return this.connection && toNumericAddress(this.connection.remote);
  }

  /** A byte stream; it and `read` take turns at the same octets. */
  get readable(): ReadableStream<Uint8Array> {
    this.readableStream ??= createReadable(this.channel);
    return this.readableStream;
  }

  get writable(): WritableStream<Uint8Array> {
    this.writableStream ??= createWritable(this.channel);
    return this.writableStream;
  }

  /** The next octets of the stream, at most `limit` and at least one; null at its end. */
  read(limit: number = Number.POSITIVE_INFINITY): Promise<Uint8Array | null> {
    if (!(limit >= 1)) throw new SystemError("EINVAL", "read", { detail: `a limit of ${limit} octets` });
    return this.channel.read(limit);
  }

  /** Reads into the caller's memory, at least one octet. @returns how many; 0 at the end of the stream */
  readInto(target: Uint8Array): Promise<number> {
    if (target.length === 0) throw new SystemError("EINVAL", "read", { detail: "no room for an octet" });
    return this.channel.readInto(target);
  }

  /** Resolves when TCP has taken all of it; from then on the array may be changed. */
  write(bytes: Uint8Array | ArrayBuffer | ArrayBufferView, options: WriteOptions = {}): Promise<void> {
    return this.channel.write(toBytes(bytes), options.given === true);
  }

  /** Ends our stream behind what was written (half close); reading goes on. Resolves when TCP has it all. */
  closeWrite(): Promise<void> {
    return this.channel.closeWrite();
  }

  /**
   * Ends both: what was written still goes out, nothing more is read. With a reason, reads and writes that wait, and `opened`,
   * are rejected with it; without one reads see the end, and writes are finished first. @returns `closed`
   */
  close(reason?: unknown): Promise<void> {
    this.channel.close(reason);
    return this.closed;
  }

  /** Resets the connection at once. What waits, and `closed`, is rejected with `reason`. */
  abort(reason?: unknown): void {
    this.channel.abort(reason);
  }

  /** Never: this layer speaks no TLS. */
  startTls(): never {
    throw new SystemError("EPROTONOSUPPORT", "startTls", { detail: "this layer speaks no TLS" });
  }

  /** A snapshot of the connection; undefined when there never was one. */
  info(): TcpInfo | undefined {
    return this.connection?.info();
  }

  /** Changes options of the connection. */
  set(options: TcpConnectionOptions): void {
    requireRanges(options, "set");
    this.connection?.set(options);
    // A larger buffer may have room for what waits.
    this.channel.writable();
  }

  /** The pieces of the stream as they come. Leaving the loop early leaves the socket open. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) yield bytes;
  }

  /** `close`, without complaint when the connection broke. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {});
  }
}

function describe(connection: TcpConnection): SocketInfo {
  return { remoteAddress: formatEndpoint(connection.remote), localAddress: formatEndpoint(connection.local), alpn: undefined };
}
