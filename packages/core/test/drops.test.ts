import { createCounters, Drops, type Observer, PacketBuffer, type StackEvent } from "@netstrata/core";
import { expect, test } from "vitest";

test("a drop is counted under its reason, and told with its clause and packet to whoever listens", () => {
  const host: { observer?: Observer } = {};
  const drops = new Drops(host, "ipv4", { truncated: "RFC 791 §3.1", "no-route": undefined });
  drops.count("truncated");
  expect(drops.counters).toEqual({ truncated: 1, "no-route": 0 });
  const events: StackEvent[] = [];
  host.observer = { observe: (event) => void events.push(event) };
  const packet = PacketBuffer.allocate(0, 1);
  drops.count("truncated", packet);
  drops.count("no-route");
  expect(drops.counters).toEqual({ truncated: 2, "no-route": 1 });
  expect(events).toEqual([
    { layer: "ipv4", kind: "drop", reason: "truncated", clause: "RFC 791 §3.1", packet },
    { layer: "ipv4", kind: "drop", reason: "no-route", clause: undefined, packet: undefined },
  ]);
});

test("counters begin at zero", () => {
  expect(createCounters(["a", "b"])).toEqual({ a: 0, b: 0 });
});
