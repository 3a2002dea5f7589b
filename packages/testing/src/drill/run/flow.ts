// A connection between the stack and the script, and how the script's numbers become those on the wire (RFC 9293 §3.4).
import { type SequenceNumber, sequenceAdd, sequenceDistance } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import type { TcpOptionDescription } from "../language/packet.ts";

/** Where a sequence space begins: the number of the SYN, in the script and in truth. */
interface Origin {
  readonly script: SequenceNumber;
  readonly live: SequenceNumber;
}

const SAME: Origin = { script: 0, live: 0 };

/** What a number in the script stands in: segments with a SYN have numbers of their own, all others count from the SYN's. */
type Numbering = "syn" | "other";

export class Flow {
  readonly protocol: "tcp" | "udp";
  local: Endpoint;
  remote: Endpoint;
  /** The live descriptor; undefined before the connection was accepted. */
  descriptor: number | undefined;
  /** A `connect` whose SYN no line of the script has described yet. */
  isConnecting = false;
  /** The script has closed it. */
  isClosed = false;
  /** Our numbers: known when our SYN was seen. */
  private own: Origin | undefined;
  /** The peer's. */
  private peerIsn: SequenceNumber | undefined;
  /** Of a SYN that came in since: our answer to it may begin anew. */
  private nextPeerIsn: SequenceNumber | undefined;
  /** The script's timestamps of ours, and those that stood there in truth. */
  private readonly timestamps: Map<number, number> = new Map();
  /** The first of them: what `--tcp_ts_tick_usecs` counts from. */
  firstTimestamp: Origin | undefined;

  constructor(protocol: "tcp" | "udp", local: Endpoint, remote: Endpoint) {
    this.protocol = protocol;
    this.local = local;
    this.remote = remote;
  }

  /** A SYN of the peer: its number is the script's own. */
  peerOpens(isn: SequenceNumber): void {
    this.peerIsn ??= isn;
    this.nextPeerIsn = isn;
  }

  /** Our SYN, as the script has it and as it came out. @param ack undefined in a SYN without */
  ownOpens(script: SequenceNumber, live: SequenceNumber, ack: SequenceNumber | undefined): void {
    // One without an ACK that is not the same again is of another connection between the same ends.
    const beginsAnew =
      ack === undefined ? live !== this.own?.live : this.nextPeerIsn !== undefined && ack === sequenceAdd(this.nextPeerIsn, 1);
    if (beginsAnew) this.peerIsn = this.nextPeerIsn;
    else if (this.own !== undefined) return;
    this.own = { script, live };
    this.nextPeerIsn = undefined;
  }

  /** A number of ours. */
  toLive(number: SequenceNumber, numbering: Numbering): SequenceNumber {
    const { script, live } = this.own ?? SAME;
    return sequenceAdd(live, numbering === "syn" ? sequenceDistance(script, number) : number);
  }

  toScript(number: SequenceNumber, numbering: Numbering): SequenceNumber {
    const { script, live } = this.own ?? SAME;
    return sequenceAdd(numbering === "syn" ? script : 0, sequenceDistance(live, number));
  }

  /** A number of the peer's. */
  peerToLive(number: SequenceNumber, numbering: Numbering): SequenceNumber {
    return numbering === "syn" ? number : sequenceAdd(number, this.peerIsn ?? 0);
  }

  peerToScript(number: SequenceNumber, numbering: Numbering): SequenceNumber {
    return numbering === "syn" ? number : sequenceAdd(number, -(this.peerIsn ?? 0));
  }

  /** Options of a packet that the script sends: SACK blocks and echoes speak of our numbers. */
  optionsToLive(options: readonly TcpOptionDescription[]): TcpOptionDescription[] {
    return options.map((option) => {
      if (option.kind === "TS") return { ...option, echo: this.timestamps.get(option.echo) ?? option.echo };
      if (option.kind !== "sack") return option;
      const own = (number: SequenceNumber): SequenceNumber => this.toLive(number, "other");
      return { ...option, blocks: option.blocks.map(({ left, right }) => ({ left: own(left), right: own(right) })) };
    });
  }

  /** Options of a packet that came out: SACK blocks speak of the peer's numbers. */
  optionsToScript(options: readonly TcpOptionDescription[]): readonly TcpOptionDescription[] {
    if ((this.peerIsn ?? 0) === 0 || !options.some(({ kind }) => kind === "sack")) return options;
    const peer = (number: SequenceNumber): SequenceNumber => this.peerToScript(number, "other");
    return options.map((option) =>
      option.kind === "sack"
        ? { ...option, blocks: option.blocks.map(({ left, right }) => ({ left: peer(left), right: peer(right) })) }
        : option,
    );
  }

  /** Our timestamp stands where the script has one of its own: from now on the two are the same. */
  learnTimestamp(script: number, live: number): void {
    this.timestamps.set(script, live);
    this.firstTimestamp ??= { script, live };
  }
}
