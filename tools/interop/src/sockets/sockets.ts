// What our test programs ask of a socket API, so that the same programs run on the kernel's, on our promises and on our descriptors.

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** One end of a TCP connection. */
export interface Stream {
  /** The next octets; null at the end of the peer's stream. Rejects when the connection broke. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when there is room for more. The octets are given away. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our stream and leaves the peer's alone. */
  closeWrite(): Promise<void>;
  /** Ends both streams. */
  close(): Promise<void>;
  /** Ends the connection with a RST. */
  reset(): Promise<void>;
}

export interface Datagram extends Address {
  readonly data: Uint8Array;
}

export interface DatagramSocket {
  send(bytes: Uint8Array, to?: Address): Promise<void>;
  /** The next datagram. Rejects with what ICMP says about those that were sent to the peer of a connected socket. */
  receive(): Promise<Datagram>;
  close(): Promise<void>;
}

export interface Sockets {
  /** @param localPort the port to connect from. @default any free one */
  connect(to: Address, localPort?: number): Promise<Stream>;
  /** Resolves when it listens. */
  listen(port: number, accept: (stream: Stream) => void): Promise<void>;
  /** On any free port, connected to `to`. */
  connectDatagrams(to: Address): Promise<DatagramSocket>;
  /** On this port, to talk with everybody. */
  bindDatagrams(port: number): Promise<DatagramSocket>;
}
