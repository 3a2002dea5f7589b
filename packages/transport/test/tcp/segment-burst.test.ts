// Bursts: PSH where a device leaves it that cuts large segments up (segment-burst.ts).
import { describe, expect } from "vitest";
import { dialogue, octets, type Peer } from "./peer.ts";

/** Flags of what goes out of ten full segments and a little more. */
function flagsOfTen(peer: Peer, burstSegments: number, extra = 0): string[] {
  const connection = peer.connect({ burstSegments }, { windowScale: 7 });
  connection.send(octets(10 * 1460 + extra));
  return peer.takeAll().map(({ flags }) => flags);
}

describe("bursts of segments", () => {
  dialogue("without them PSH is where the queue ends (MUST-61)", (peer) => {
    expect(flagsOfTen(peer, 0, 5000)).not.toContain("PA");
  });

  dialogue("with them the last segment of each carries PSH, and none is longer than half the window", (peer) => {
    expect(flagsOfTen(peer, 5, 5000)).toEqual(["A", "A", "A", "A", "PA", "A", "A", "A", "A", "PA"]);
  });

  dialogue("a single segment is no burst", (peer) => {
    const connection = peer.connect({ burstSegments: 2 }, { window: 1460 });
    connection.send(octets(4000));
    peer.expect({ flags: "A", seq: 1, data: 1460 });
  });
});
