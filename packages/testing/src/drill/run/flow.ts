// A connection between the stack and the script, and how the script's numbers become those on the wire (RFC 9293 §3.4).
import { type SequenceNumber, sequenceAdd, sequenceDistance } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import type { TcpOptionDescription } from "../language/packet.ts";

/** Where a sequence space begins, there and here. */
interface Origin {
  readonly script: SequenceNumber;
  readonly live: SequenceNumber;
}

const SAME: Origin = { script: 0, live: 0 };

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
  /** A SYN came in since then: the next one of ours may begin anew. */
  private mayBeginAnew = false;
  private peerIsn: SequenceNumber | undefined;
  /** The script's timestamps of ours, and those that stood there in truth. */
  private readonly timestamps: Map<number, number> = new Map();
  /** The first of them: what `--tcp_ts_tick_usecs` counts from. */
  firstTimestamp: Origin | undefined;

  constructor(protocol: "tcp" | "udp", local: Endpoint, remote: Endpoint) {
    this.protocol = protocol;
    this.local = local;
    this.remote = remote;
  }

  /** A SYN of the peer: its numbers are the script's own. */
  peerOpens(isn: SequenceNumber): void {
    if (this.peerIsn !== undefined && this.peerIsn !== isn) this.mayBeginAnew = true;
    this.peerIsn = isn;
  }

  /** Our SYN, as the script has it and as it came out. */
  ownOpens(script: SequenceNumber, live: SequenceNumber): void {
    if (this.own !== undefined && !this.mayBeginAnew) return;
    this.own = { script, live };
    this.mayBeginAnew = false;
  }

  toLive(number: SequenceNumber): SequenceNumber {
    const { script, live } = this.own ?? SAME;
    return sequenceAdd(live, sequenceDistance(script, number));
  }

  toScript(number: SequenceNumber): SequenceNumber {
    const { script, live } = this.own ?? SAME;
    return sequenceAdd(script, sequenceDistance(live, number));
  }

  /** Options of a packet that the script sends: SACK blocks and echoes speak of our numbers. */
  optionsToLive(options: readonly TcpOptionDescription[]): TcpOptionDescription[] {
    return options.map((option) => {
      if (option.kind === "TS") return { ...option, echo: this.timestamps.get(option.echo) ?? option.echo };
      if (option.kind !== "sack") return option;
      return { ...option, blocks: option.blocks.map(({ left, right }) => ({ left: this.toLive(left), right: this.toLive(right) })) };
    });
  }

  /** Our timestamp stands where the script has one of its own: from now on the two are the same. */
  learnTimestamp(script: number, live: number): void {
    this.timestamps.set(script, live);
    this.firstTimestamp ??= { script, live };
  }
}
