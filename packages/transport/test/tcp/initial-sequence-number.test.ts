// Initial sequence numbers (RFC 6528, RFC 9293 §3.4.1).
import { type Host, ip, SeededRandom, VirtualClock } from "@netstrata/core";
import { expect, test } from "vitest";
import { createInitialSequenceNumbers, type Endpoint } from "../../src/index.ts";
import { Peer } from "./peer.ts";

function world(seed = 1): { clock: VirtualClock; host: Host } {
  const clock = new VirtualClock();
  return { clock, host: { name: "host", clock, random: new SeededRandom(seed) } };
}

const local: Endpoint = { address: ip("192.0.2.1"), port: 1025 };
const remote: Endpoint = { address: ip("198.51.100.1"), port: 80 };

test("MUST-8: it is driven by a clock that ticks every 4 microseconds", () => {
  const { clock, host } = world();
  const next = createInitialSequenceNumbers(host);
  const first = next(local, remote);
  clock.advance(1);
  expect((next(local, remote) - first) >>> 0).toBe(250);
  clock.advance(1000);
  expect((next(local, remote) - first) >>> 0).toBe(250_250);
  // One lap of the sequence space: 2^32 times 4 microseconds.
  clock.advance((2 ** 32 * 4) / 1000 - 1001);
  expect(next(local, remote)).toBe(first);
});

test("SHLD-1: each pair of ends has a sequence number space of its own", () => {
  const next = createInitialSequenceNumbers(world().host);
  const numbers = [
    next(local, remote),
    next(remote, local),
    next({ ...local, port: 1026 }, remote),
    next(local, { ...remote, port: 81 }),
    next({ ...local, address: ip("192.0.2.2") }, remote),
    next(local, { ...remote, address: ip("198.51.100.2") }),
    next({ address: ip("2001:db8::1"), port: 1025 }, { address: ip("2001:db8::2"), port: 80 }),
  ];
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(next(local, remote)).toBe(numbers[0]);
});

test("MUST-9: who does not know the host's secret cannot compute it", () => {
  // The same ends at the same time on hosts that differ in nothing but their chance.
  const numbers = Array.from({ length: 100 }, (_, seed) => createInitialSequenceNumbers(world(seed).host)(local, remote));
  expect(new Set(numbers).size).toBe(100);
  const highBits = new Set(numbers.map((number) => number >>> 28));
  expect(highBits.size).toBe(16);
});

test("SHLD-1: the stack uses it unless told otherwise", () => {
  const peer = new Peer({ name: "", stack: 0, peer: 0 }, { initialSequenceNumber: undefined });
  peer.open();
  const [first] = peer.takeAll();
  peer.open();
  const [second] = peer.takeAll();
  expect(first.seq).not.toBe(0);
  expect(second.seq).not.toBe(first.seq);
});
