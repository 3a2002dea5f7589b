// What every capture reader delivers and every capture writer takes, whatever the file format.

/** What a file, or one section of a pcapng file, says of itself. */
export interface CaptureSection {
  readonly format: "pcap" | "pcapng";
  readonly littleEndian: boolean;
  readonly comments: readonly string[];
  readonly hardware?: string;
  readonly operatingSystem?: string;
  /** The program that wrote the file. */
  readonly application?: string;
}

/** Where packets were captured. A classic pcap file has one, a pcapng section any number. */
export interface CaptureInterface {
  readonly section: CaptureSection;
  /** Its place in its section, from 0. */
  readonly index: number;
  /** LINKTYPE_ number: see link-type.ts. */
  readonly linkType: number;
  /** Largest number of octets captured of a packet; 0 when there was no limit. */
  readonly snapLength: number;
  /** Octets of frame check sequence at each packet's end; undefined when the file does not say. */
  readonly fcsLength?: number;
  readonly name?: string;
  readonly description?: string;
  readonly comments: readonly string[];
}

export interface CapturedPacket {
  /** Its place in the file, from 1, as every other tool counts. */
  readonly number: number;
  /** Nanoseconds since 1970-01-01T00:00Z; 0n for a pcapng simple packet, which has no time. */
  readonly timestamp: bigint;
  /** LINKTYPE_ number: see link-type.ts. */
  readonly linkType: number;
  /** What was captured. It may share memory with its neighbours in the file: copy what must live long. */
  readonly bytes: Uint8Array;
  /** Octets on the wire, as the file says: more than `bytes.length` when the capture cut the packet off. */
  readonly originalLength: number;
  readonly interface: CaptureInterface;
  /** As seen from the capturing host, where the file says it. */
  readonly direction?: "in" | "out";
  readonly comments?: readonly string[];
}

/** Octets. A record is held in memory whole, so that a file may not name any length; libpcap and Wireshark stop here too. */
export const MAX_RECORD_LENGTH = 262144;
