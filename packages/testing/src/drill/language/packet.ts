// Packets as a script describes them. Numbers are the script's, not those on the wire.

export interface PacketAction {
  readonly kind: "packet";
  /** `<` comes in, `>` goes out of the stack under test. */
  readonly direction: "in" | "out";
  readonly ip: IpDescription;
  /** `5001 > 80`, in the packet's direction. */
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
  readonly body: TcpDescription | UdpDescription | IcmpDescription;
  /** Something the language has and this tool has not, in words. */
  readonly unsupported: string | undefined;
}

export interface IpDescription {
  readonly ecn?: "noecn" | "ect0" | "ect1" | "ect01" | "ce";
  /** The whole octet. */
  readonly trafficClass?: number;
  readonly timeToLive?: number;
  readonly flowLabel?: number;
  /** A packet that arrives damaged. */
  readonly damage?: PacketDamage;
}

export interface PacketDamage {
  /** Checksums that are wrong. */
  readonly ipChecksum?: boolean;
  readonly transportChecksum?: boolean;
  /** Only so many octets of the datagram arrive. */
  readonly truncatedTo?: number;
}

export interface SequenceRange {
  readonly start: number;
  readonly length: number;
}

export interface TcpDescription extends SequenceRange {
  readonly protocol: "tcp";
  /** As in the header. */
  readonly flags: number;
  readonly ack: number | undefined;
  readonly window: number | undefined;
  readonly urgent: number | undefined;
  /** "any" for `<...>`. */
  readonly options: readonly TcpOptionDescription[] | "any";
  /** What the octets are; otherwise zeros, and not compared. */
  readonly payload: Uint8Array | undefined;
}

export type TcpOptionDescription =
  | { readonly kind: "nop" }
  | { readonly kind: "eol" }
  | { readonly kind: "mss"; readonly value: number }
  | { readonly kind: "wscale"; readonly shift: number }
  | { readonly kind: "sackOK" }
  | { readonly kind: "sack"; readonly blocks: readonly { readonly left: number; readonly right: number }[] }
  | { readonly kind: "TS"; readonly value: number; readonly echo: number }
  | { readonly kind: "FO"; readonly experimental: boolean; readonly cookie: Uint8Array }
  /** Counters in the order written, which chooses the option's kind. */
  | { readonly kind: "AccECN"; readonly counters: readonly { readonly name: AccEcnCounter; readonly value: number }[] }
  | { readonly kind: "md5"; readonly digest: Uint8Array | undefined }
  | { readonly kind: "raw"; readonly number: number; readonly data: Uint8Array };

export type AccEcnCounter = "e0b" | "ceb" | "e1b";

export interface UdpDescription {
  readonly protocol: "udp";
  readonly length: number;
  readonly payload: Uint8Array | undefined;
}

export interface IcmpDescription {
  readonly protocol: "icmp";
  /** A name, or a number in decimal. */
  readonly type: string;
  readonly code: string | undefined;
  readonly mtu: number | undefined;
  readonly identifier: number | undefined;
  readonly sequence: number | undefined;
  /** The packet of the stack that an error quotes. */
  readonly quoted: (SequenceRange & { readonly protocol: "tcp" }) | { readonly protocol: "udp"; readonly length: number } | undefined;
}
