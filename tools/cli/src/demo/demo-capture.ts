// What passes one host of the demo, as a pcapng file that says of each packet what happened to it.

import { PcapngWriter } from "@netstrata/capture";
import { CaptureFile } from "@netstrata/capture/node";
import type { PacketEvent } from "@netstrata/core";
import { type FaultEvent, LINKTYPE_ETHERNET } from "@netstrata/link";
import type { WorldEvent } from "@netstrata/simnet";
import type { TcpRetransmissionEvent } from "@netstrata/transport";
import type { Demo } from "./demo-world.ts";

interface CapturedEvent {
  readonly time: number;
  readonly interface: string;
  readonly bytes: Uint8Array;
  readonly direction: "in" | "out";
  readonly comments: string[];
}

/** Keeps everything until the end, because a packet is lost after it has been seen. */
export class DemoCapture {
  private readonly events: CapturedEvent[] = [];
  private readonly host: string;
  private comment: string | undefined;

  constructor(host: string) {
    this.host = host;
  }

  take({ time, host, event }: WorldEvent): void {
    if (host !== this.host) return;
    if (event.kind === "retransmission") {
      const { reason, clause } = event as TcpRetransmissionEvent;
      this.comment = `sent again: ${reason} (${clause})`;
    } else if (event.kind === "fault") {
      this.events[this.events.length - 1]?.comments.push(`${(event as FaultEvent).fault} on the wire`);
    } else if (event.kind === "packet" && event.layer === "link") {
      const { packet, direction, interface: name } = event as PacketEvent;
      const comments = direction === "out" && this.comment !== undefined ? [this.comment] : [];
      if (direction === "out") this.comment = undefined;
      this.events.push({ time, interface: name, bytes: packet.slice(), direction, comments });
    }
  }

  write(path: string, { world }: Demo): void {
    const file = new CaptureFile(path);
    try {
      const writer = new PcapngWriter(file.sink, {
        comments: [`netstrata demo, seed ${world.seed}, seen by ${this.host}; time 0 is the world's beginning`],
      });
      const indices = new Map<string, number>();
      for (const name of new Set(this.events.map((event) => event.interface))) {
        indices.set(name, writer.addInterface({ linkType: LINKTYPE_ETHERNET, name: `${this.host} ${name}` }));
      }
      for (const { time, bytes, direction, comments, interface: name } of this.events) {
        const index = indices.get(name);
        if (index !== undefined) writer.packet(index, { timestamp: BigInt(Math.round(time * 1e6)), bytes, direction, comments });
      }
    } finally {
      file.close();
    }
  }
}
