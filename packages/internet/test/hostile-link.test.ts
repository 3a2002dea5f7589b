// A whole host, from Ethernet to TCP, among neighbours that obey no rule: nothing throws, nothing grows without bound, no frame
// causes more than a few others, all that it sends is right, and it goes on serving whoever behaves.
import { describe, expect, test } from "vitest";
import { AttackedHost } from "./attacked-host.ts";
import { HonestNeighbour } from "./honest-neighbour.ts";
import { HostileWorld } from "./hostile-world.ts";

const WORLDS = Number(process.env.NETSTRATA_WORLDS ?? 100);
const FIRST = Number(process.env.NETSTRATA_SEED ?? 1);
const EVENTS = 500;
/** What one event may cause in all, with everything that is repeated later: requests, SYN,ACKs. */
const MOST_OUTPUTS = 6;

describe("a link of which nothing can be trusted", () => {
  test(`${WORLDS} worlds of ${EVENTS} events each`, { timeout: 600_000 }, () => {
    const failures: string[] = [];
    for (let seed = FIRST; seed < FIRST + WORLDS; seed += 1) {
      const world = new HostileWorld(seed);
      try {
        for (let event = 0; event < EVENTS; event += 1) world.step();
        if (world.outputs > MOST_OUTPUTS * world.events) failures.push(`seed ${seed}: ${world.outputs} frames for ${world.events}`);
        const complaint = world.complaint();
        if (complaint !== undefined) failures.push(`seed ${seed}: ${complaint}`);
        const timers = world.host.close();
        if (timers > 0) failures.push(`seed ${seed}: ${timers} timers left`);
      } catch (error) {
        failures.push(`seed ${seed}: ${(error as Error).stack}`);
      }
    }
    expect(failures).toEqual([]);
  });

  test("each frame of somebody who behaves, cut off at every octet, and with each bit of its headers flipped", () => {
    // A router, whose devices lose nothing.
    const host = new AttackedHost(11);
    for (const [index, { far }] of host.links.entries()) {
      const frames: Uint8Array[] = [];
      const deliver = far.deliver.bind(far);
      far.deliver = (frame) => {
        frames.push(frame);
        deliver(frame);
      };
      expect(new HonestNeighbour(host, index).complaint()).toBeUndefined();
      far.deliver = deliver;
      expect(frames.length).toBeGreaterThanOrEqual(3);
      for (const frame of frames) {
        for (let length = 0; length < frame.length; length += 1) far.deliver(frame.subarray(0, length));
        for (let bit = 0; bit < 8 * frame.length; bit += 1) {
          const flipped = frame.slice();
          flipped[bit >>> 3] ^= 0x80 >>> (bit & 7);
          far.deliver(flipped);
          host.clock.advance(1);
        }
        host.checkLimits();
      }
    }
    for (const index of host.links.keys()) expect(new HonestNeighbour(host, index).complaint()).toBeUndefined();
    expect(host.close()).toBe(0);
  });
});
