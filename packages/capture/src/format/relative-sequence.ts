// TCP sequence numbers counted from each direction's first one, as people read them.
import type { IpAddress, SequenceNumber } from "@netstrata/core";
import { ACK, SYN } from "@netstrata/transport";
import type { TcpLayer } from "../dissect/layer.ts";

/** Directions that are remembered; the one that was begun first is forgotten first. */
export const MAX_RELATIVE_DIRECTIONS = 65536;

export interface RelativeNumbers {
  readonly seq: SequenceNumber;
  /** Meaningful only with the ACK bit. */
  readonly ack: SequenceNumber;
  /** What to subtract from the other direction's numbers, such as SACK blocks. */
  readonly ackOrigin: SequenceNumber;
}

/** Remembers where every direction's numbers begin. A new SYN begins them anew. */
export class RelativeSequence {
  private readonly origins = new Map<string, SequenceNumber>();

  /** The segment's numbers; those of a SYN are as they stand in it. */
  numbers(source: IpAddress, destination: IpAddress, tcp: TcpLayer): RelativeNumbers {
    const forward = `${source} ${tcp.sourcePort} ${destination} ${tcp.destinationPort}`;
    if ((tcp.flags & SYN) !== 0) {
      this.begin(forward, tcp.seq);
      return { seq: tcp.seq, ack: tcp.ack, ackOrigin: 0 };
    }
    // Where the beginning was not captured, the first octet that was is number 1, as if a SYN had come right before it.
    const origin = this.origins.get(forward) ?? this.begin(forward, tcp.seq - 1);
    const seq = (tcp.seq - origin) >>> 0;
    if ((tcp.flags & ACK) === 0) return { seq, ack: 0, ackOrigin: 0 };
    const backward = `${destination} ${tcp.destinationPort} ${source} ${tcp.sourcePort}`;
    const ackOrigin = this.origins.get(backward) ?? this.begin(backward, tcp.ack - 1);
    return { seq, ack: (tcp.ack - ackOrigin) >>> 0, ackOrigin };
  }

  private begin(direction: string, origin: SequenceNumber): SequenceNumber {
    this.origins.delete(direction);
    this.origins.set(direction, origin);
    if (this.origins.size > MAX_RELATIVE_DIRECTIONS) {
      for (const oldest of this.origins.keys()) {
        this.origins.delete(oldest);
        break;
      }
    }
    return origin;
  }
}
