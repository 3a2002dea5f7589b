import {
  type IpAddress,
  ip,
  type MacAddress,
  PacketBuffer,
  SeededRandom,
  type StackEvent,
  type Timer,
  VirtualClock,
} from "@netstrata/core";
import { NeighbourCache, type NeighbourEvent, type NeighbourLimits, type NeighbourState } from "@netstrata/link";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const X = ip("10.0.0.2");
const MAC = 0x020000000002 as MacAddress;
const OTHER_MAC = 0x020000000003 as MacAddress;

interface Solicitation {
  readonly time: number;
  readonly target: IpAddress;
  readonly linkAddress: MacAddress | undefined;
}

function bench(limits: Partial<NeighbourLimits> = {}, clock = new VirtualClock()) {
  const events: NeighbourEvent[] = [];
  const observer = { observe: (event: StackEvent) => void (event.kind === "neighbour" && events.push(event as NeighbourEvent)) };
  const sent: { mark: number; linkAddress: MacAddress }[] = [];
  const unresolved: { time: number; mark: number }[] = [];
  const solicitations: Solicitation[] = [];
  const cache = new NeighbourCache(
    { name: "host", clock, random: new SeededRandom(1), observer },
    {
      transmitDatagram: (datagram, linkAddress) => void sent.push({ mark: datagram.u8(0), linkAddress }),
      unresolved: (datagram) => void unresolved.push({ time: clock.now(), mark: datagram.u8(0) }),
    },
    { solicit: (target, linkAddress) => void solicitations.push({ time: clock.now(), target, linkAddress }) },
    // The random factor lies between 0.5 and 1.5.
    limits,
  );
  const send = (mark = 0, nextHop: IpAddress = X): void => {
    const datagram = PacketBuffer.allocate(0, 1);
    datagram.setU8(0, mark);
    cache.send(datagram, nextHop);
  };
  const state = (address: IpAddress = X): NeighbourState | undefined => cache.get(address)?.state;
  return { clock, cache, events, sent, unresolved, solicitations, send, state };
}

/** The neighbour with the given number. */
function neighbour(index: number): IpAddress {
  return ip(`10.0.${index >>> 8}.${index & 255}`);
}

describe("address resolution (RFC 4861 §7.2)", () => {
  test("1122-2.3.2.2-1: datagrams wait for the link address, and go when it comes, in order", () => {
    const { cache, send, sent, state, solicitations } = bench();
    send(1);
    send(2);
    expect([sent, state()]).toEqual([[], "INCOMPLETE"]);
    expect(solicitations).toEqual([{ time: 0, target: X, linkAddress: undefined }]);
    cache.answered(X, MAC);
    expect(state()).toBe("REACHABLE");
    expect(sent).toEqual([
      { mark: 1, linkAddress: MAC },
      { mark: 2, linkAddress: MAC },
    ]);
    send(3);
    expect(sent).toHaveLength(3);
    expect(cache.counters).toMatchObject({ solicited: 1, resolved: 2, unresolved: 0 });
  });

  test("1122-2.3.2.1-2: a target is solicited once a second, however many datagrams wait for it", () => {
    const { clock, send, solicitations } = bench();
    for (let time = 0; time < 2950; time += 50) {
      send();
      clock.advance(50);
    }
    expect(solicitations.map(({ time }) => time)).toEqual([0, 1000, 2000]);
  });

  test("1122-2.4-3: only when three solicitations went unanswered do the datagrams come back", () => {
    const { clock, send, state, unresolved } = bench();
    send(1);
    send(2);
    clock.advance(2999);
    expect(unresolved).toEqual([]);
    clock.advance(1);
    expect(unresolved).toEqual([
      { time: 3000, mark: 1 },
      { time: 3000, mark: 2 },
    ]);
    expect(state()).toBe("FAILED");
    expect(clock.armedTimers).toBe(0);
  });

  test("a failure is remembered: the next datagrams come back at once, though not before send returns", () => {
    const { clock, send, unresolved, solicitations } = bench({ failureTime: 5000 });
    send(1);
    clock.advance(3000);
    clock.advance(4999);
    send(2);
    expect(unresolved).toHaveLength(1);
    clock.advance(0);
    expect(unresolved.at(-1)).toEqual({ time: 7999, mark: 2 });
    expect(solicitations).toHaveLength(3);
  });

  test("a failure is forgotten after its time, and the neighbour is asked for again", () => {
    const { clock, cache, send, sent, solicitations } = bench({ failureTime: 5000 });
    send(1);
    clock.advance(8000);
    send(2);
    expect(solicitations.map(({ time }) => time)).toEqual([0, 1000, 2000, 8000]);
    cache.answered(X, MAC);
    expect(sent).toEqual([{ mark: 2, linkAddress: MAC }]);
  });

  test("whoever is heard before solicitation ends is not asked for any more, but not reachable either", () => {
    const { clock, cache, send, sent, state, solicitations } = bench();
    send(1);
    cache.heard(X, MAC, false);
    expect(sent).toEqual([{ mark: 1, linkAddress: MAC }]);
    expect(state()).toBe("DELAY");
    clock.advance(4999);
    expect(solicitations).toHaveLength(1);
  });

  test("a neighbour that failed and is heard again is back at once", () => {
    const { clock, cache, send, sent, state } = bench();
    send(1);
    clock.advance(3000);
    cache.heard(X, MAC, false);
    expect(state()).toBe("STALE");
    send(2);
    expect(sent).toEqual([{ mark: 2, linkAddress: MAC }]);
  });
});

describe("unreachability detection (RFC 4861 §7.3)", () => {
  function reachable(limits: Partial<NeighbourLimits> = {}) {
    const all = bench({ reachableTime: 1000, staleLifetime: 60_000, ...limits });
    all.send();
    all.cache.answered(X, MAC);
    all.sent.length = 0;
    all.solicitations.length = 0;
    return all;
  }

  test("a neighbour is reachable for the reachable time times 0.5 to 1.5, then stale", () => {
    const { clock, state } = reachable();
    clock.advance(500);
    expect(state()).toBe("REACHABLE");
    clock.advance(1001);
    expect(state()).toBe("STALE");
  });

  test("the first datagram to a stale neighbour goes out, and starts the delay before a probe", () => {
    const { clock, send, sent, state, solicitations } = reachable();
    clock.advance(2000);
    send(7);
    expect(sent).toEqual([{ mark: 7, linkAddress: MAC }]);
    expect(state()).toBe("DELAY");
    clock.advance(4999);
    expect(solicitations).toEqual([]);
    clock.advance(1);
    expect(state()).toBe("PROBE");
    expect(solicitations).toEqual([{ time: 7000, target: X, linkAddress: MAC }]);
  });

  test("an answered probe makes it reachable again, and ends the probing", () => {
    const { clock, cache, send, state, solicitations } = reachable();
    clock.advance(2000);
    send();
    clock.advance(5500);
    expect(cache.isSoliciting(X)).toBe(true);
    cache.answered(X, MAC);
    expect(state()).toBe("REACHABLE");
    expect(clock.armedTimers).toBe(0);
    expect(solicitations).toHaveLength(1);
  });

  test("1122-2.3.2.1-1: a neighbour that answers none of three probes is forgotten; while it is probed datagrams still go out", () => {
    const { clock, send, sent, state, solicitations } = reachable();
    clock.advance(2000);
    send(1);
    clock.advance(6500);
    send(2);
    clock.advance(1499);
    expect(solicitations.map(({ time, linkAddress }) => [time, linkAddress])).toEqual([
      [7000, MAC],
      [8000, MAC],
      [9000, MAC],
    ]);
    expect(state()).toBe("PROBE");
    clock.advance(1);
    expect(state()).toBeUndefined();
    expect(sent).toHaveLength(2);
    expect(clock.armedTimers).toBe(0);
  });

  test("upper layers that make progress keep a neighbour reachable without a single probe", () => {
    const { clock, cache, send, state, solicitations } = reachable();
    for (let count = 0; count < 100; count += 1) {
      clock.advance(2000);
      send();
      cache.confirm(X);
      expect(state()).toBe("REACHABLE");
    }
    expect(solicitations).toEqual([]);
    expect(clock.armedTimers).toBe(0);
  });

  test("upper layers cannot confirm a neighbour whose link address is not known", () => {
    const { cache, send, state, sent } = bench();
    cache.confirm(X);
    expect(state()).toBeUndefined();
    send();
    cache.confirm(X);
    expect([state(), sent]).toEqual(["INCOMPLETE", []]);
  });

  test("another link address makes it stale, the same one changes nothing", () => {
    const { cache, send, sent, state } = reachable();
    cache.heard(X, MAC, false);
    expect(state()).toBe("REACHABLE");
    cache.heard(X, OTHER_MAC, false);
    expect(state()).toBe("STALE");
    send(1);
    expect(sent).toEqual([{ mark: 1, linkAddress: OTHER_MAC }]);
  });

  test("1122-2.3.2.1-3: neither used nor heard of for its lifetime, a stale neighbour is forgotten; the time can be set", () => {
    const { clock, cache, send, state, solicitations } = reachable({ staleLifetime: 10_000 });
    clock.advance(10_000);
    expect(state()).toBe("STALE");
    cache.heard(X, MAC, false);
    clock.advance(10_000);
    expect(state()).toBe("STALE");
    clock.advance(1);
    expect(state()).toBeUndefined();
    expect(cache.size).toBe(0);
    send();
    expect(state()).toBe("INCOMPLETE");
    expect(solicitations.map(({ linkAddress }) => linkAddress)).toEqual([undefined]);
  });
});

describe("who gets into the cache", () => {
  test("a message that nobody asked for creates no entry, unless the protocol says that it may", () => {
    const { cache, send, sent, state } = bench();
    cache.answered(X, MAC);
    expect(cache.heard(X, MAC, false)).toBe(false);
    expect(cache.size).toBe(0);
    expect(cache.heard(X, MAC, true)).toBe(true);
    expect(state()).toBe("STALE");
    send(1);
    expect(sent).toEqual([{ mark: 1, linkAddress: MAC }]);
  });

  test("an answer counts as being heard of: the lifetime of a stale neighbour begins anew", () => {
    const { clock, cache, send, state } = bench({ reachableTime: 10, staleLifetime: 5000 });
    send();
    clock.advance(2500);
    cache.answered(X, MAC);
    clock.advance(5000);
    expect(state()).toBe("STALE");
    clock.advance(1);
    expect(state()).toBeUndefined();
  });

  test("forgotten by hand, a neighbour loses what waits for it", () => {
    const { clock, cache, send } = bench();
    send();
    cache.forget(X);
    expect([cache.size, cache.waiting, clock.armedTimers]).toEqual([0, 0, 0]);
    expect(cache.drops.counters["neighbour-forgotten"]).toBe(1);
  });

  test("an observer is told of each state", () => {
    const { clock, cache, send, events } = bench({ reachableTime: 1000 });
    send();
    cache.answered(X, MAC);
    clock.advance(2000);
    send();
    clock.advance(9000);
    expect(events.map(({ state }) => state)).toEqual(["REACHABLE", "STALE", "DELAY", "PROBE", "FORGOTTEN"]);
  });
});

describe("limits", () => {
  test("one that is given as undefined is the default; one that would limit nothing throws", () => {
    const { cache, send } = bench({ queueLimit: undefined, totalQueueLimit: undefined });
    for (let count = 0; count < 100; count += 1) send();
    expect(cache.waiting).toBe(64);
    expect(() => bench({ maxEntries: Number.NaN })).toThrow(RangeError);
    expect(() => bench({ queueLimit: -1 })).toThrow(RangeError);
  });

  test("1122-2.3.2.2-1: a full queue keeps the newest datagrams", () => {
    const { cache, send, sent } = bench({ queueLimit: 2 });
    for (const mark of [1, 2, 3]) send(mark);
    expect(cache.waiting).toBe(2);
    expect(cache.drops.counters["neighbour-queue-full"]).toBe(1);
    cache.answered(X, MAC);
    expect(sent.map(({ mark }) => mark)).toEqual([2, 3]);
    expect(cache.waiting).toBe(0);
  });

  test("1122-2.3.2.2-1: all queues together are limited; the longest makes room, so that each keeps its latest datagram", () => {
    const { cache, send, sent } = bench({ totalQueueLimit: 3 });
    send(1, neighbour(1));
    send(2, neighbour(1));
    send(3, neighbour(1));
    send(4, neighbour(2));
    send(5, neighbour(3));
    send(6, neighbour(3));
    expect(cache.waiting).toBe(3);
    expect(cache.drops.counters["neighbour-queue-full"]).toBe(3);
    for (const index of [1, 2, 3]) cache.answered(neighbour(index), MAC);
    expect(sent.map(({ mark }) => mark)).toEqual([3, 4, 6]);
  });

  test("whoever makes us ask for one neighbour after the other that is not there costs us none that we have", () => {
    const { clock, cache, send, state } = bench({ maxEntries: 8, reachableTime: 10_000 });
    const known = [1, 2, 3].map(neighbour);
    for (const address of known) {
      send(0, address);
      cache.answered(address, MAC);
    }
    let index = 100;
    for (let time = 0; time < 40_000; time += 20) {
      clock.advance(20);
      send(0, neighbour((index += 1)));
      // Every now and then something is sent to those that we know, who have become stale by then.
      if (time % 9000 === 0) for (const address of known) send(0, address);
      if (time % 9000 === 7000) for (const address of known) cache.answered(address, MAC);
    }
    expect(known.map((address) => state(address))).not.toContain(undefined);
    expect(known.map((address) => state(address))).not.toContain("INCOMPLETE");
    expect(cache.size).toBe(8);
  });

  test("the table is limited: what is least useful makes room", () => {
    const { clock, cache, send, state } = bench({ maxEntries: 3 });
    cache.heard(neighbour(1), MAC, true); // never used
    send(0, neighbour(2));
    cache.answered(neighbour(2), MAC);
    clock.advance(1500);
    send(0, neighbour(3));
    cache.answered(neighbour(3), MAC);
    clock.advance(1500);
    send(0, neighbour(4));
    expect(state(neighbour(1))).toBeUndefined();
    cache.answered(neighbour(4), MAC);
    clock.advance(1500);
    send(0, neighbour(2));
    send(0, neighbour(5));
    // Number 3 is the reachable one that was used longest ago.
    expect([2, 3, 4, 5].map((index) => state(neighbour(index)))).toEqual(["REACHABLE", undefined, "REACHABLE", "INCOMPLETE"]);
    expect(cache.size).toBe(3);
    expect(cache.counters.evicted).toBe(2);
  });

  test("a table full of neighbours that are out of date has room for new ones", () => {
    const { clock, cache, send, state } = bench({ maxEntries: 2 });
    for (const index of [1, 2]) cache.heard(neighbour(index), MAC, true);
    clock.advance(60_001);
    send(0, neighbour(3));
    expect(state(neighbour(3))).toBe("INCOMPLETE");
    expect([cache.size, cache.counters.evicted]).toEqual([1, 0]);
  });

  test("1122-2.3.2.1-2: nobody is forgotten who was solicited within the last second, or it would be solicited again too soon", () => {
    const { clock, cache, send, solicitations } = bench({ maxEntries: 4 });
    for (let time = 0; time < 3000; time += 10) {
      for (let index = 0; index < 40; index += 1) send(0, neighbour(index));
      clock.advance(10);
    }
    expect(cache.size).toBe(4);
    expect(cache.drops.counters["neighbour-table-full"]).toBeGreaterThan(0);
    for (let index = 0; index < 40; index += 1) {
      const times = solicitations.filter(({ target }) => target === neighbour(index)).map(({ time }) => time);
      for (let count = 1; count < times.length; count += 1) expect(times[count] - times[count - 1]).toBeGreaterThanOrEqual(1000);
    }
  });

  test("strangers that speak to us push out each other, but nobody we use", () => {
    const { clock, cache, send, state } = bench({ maxEntries: 4 });
    for (const index of [1, 2]) {
      send(0, neighbour(index));
      cache.answered(neighbour(index), MAC);
    }
    clock.advance(2000);
    for (let index = 10; index < 1000; index += 1) expect(cache.heard(neighbour(index), OTHER_MAC, true)).toBe(true);
    expect(cache.size).toBe(4);
    expect([1, 2, 999].map((index) => state(neighbour(index)))).toEqual(["REACHABLE", "REACHABLE", "STALE"]);
    for (const index of [3, 4]) {
      send(0, neighbour(index));
      cache.answered(neighbour(index), MAC);
    }
    clock.advance(2000);
    expect(cache.heard(neighbour(10), OTHER_MAC, true)).toBe(false);
    expect(cache.size).toBe(4);
  });

  test("a large table makes room by looking at a part of it each time, in turn: in the end the same go, and the same stay", () => {
    const { clock, cache, send, state } = bench({ maxEntries: 200 });
    const known = Array.from({ length: 100 }, (_, index) => neighbour(1000 + index));
    for (const address of known) {
      send(0, address);
      cache.answered(address, MAC);
    }
    clock.advance(2000);
    // The strangers find a part of the table that is full of those we know; but not for long.
    for (let index = 0; index < 1000; index += 1) cache.heard(neighbour(5000 + index), OTHER_MAC, true);
    expect(known.every((address) => state(address) === "REACHABLE")).toBe(true);
    expect(cache.counters.evicted).toBeGreaterThan(500);
    // Whoever we want to send to finds room, too.
    for (let index = 0; index < 20; index += 1) send(0, neighbour(9000 + index));
    expect(cache.waiting).toBeGreaterThan(10);
    expect(cache.size).toBe(200);
  });

  test("to make room in a full table costs no more than a look at 32 entries, however many there are", () => {
    let looks = 0;
    /** Of an entry that has failed, a look begins with its timer. */
    class CountingClock extends VirtualClock {
      override timer(onExpiry: () => void): Timer {
        const timer = super.timer(onExpiry);
        const { arm, disarm } = { arm: timer.arm.bind(timer), disarm: timer.disarm.bind(timer) };
        return {
          arm,
          disarm,
          get armed() {
            looks += 1;
            return timer.armed;
          },
          get deadline() {
            return timer.deadline;
          },
        };
      }
    }
    const { clock, cache, send } = bench({ maxEntries: 1000 }, new CountingClock());
    for (let index = 0; index < 1000; index += 1) send(0, neighbour(index));
    clock.advance(3500);
    expect([cache.size, cache.waiting]).toEqual([1000, 0]);
    looks = 0;
    for (let index = 0; index < 100; index += 1) cache.heard(neighbour(5000 + index), OTHER_MAC, true);
    expect(looks / 100).toBeGreaterThan(16);
    expect(looks / 100).toBeLessThanOrEqual(33);
    expect(cache.counters.evicted).toBe(100);
  });

  test("closed, it holds nothing, takes nothing and leaves no timer armed", () => {
    const { clock, cache, send } = bench();
    send(0, neighbour(1));
    send(0, neighbour(2));
    cache.close();
    send(0, neighbour(3));
    cache.heard(neighbour(4), MAC, true);
    expect([cache.size, cache.waiting, clock.armedTimers]).toEqual([0, 0, 0]);
    expect(cache.drops.counters["neighbour-cache-closed"]).toBe(3);
  });

  const action = fc.oneof(
    fc.record({ do: fc.constant("send" as const), index: fc.nat(11) }),
    fc.record({ do: fc.constant("answered" as const), index: fc.nat(11) }),
    fc.record({ do: fc.constant("heard" as const), index: fc.nat(11), create: fc.boolean() }),
    fc.record({ do: fc.constant("confirm" as const), index: fc.nat(11) }),
    fc.record({ do: fc.constant("forget" as const), index: fc.nat(11) }),
    fc.record({ do: fc.constant("wait" as const), time: fc.nat(9000) }),
  );

  test("whatever happens, each datagram is sent, given back or counted as dropped, exactly once, and the limits hold", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120, size: "max" }), (actions) => {
        const { clock, cache, send, sent, unresolved } = bench({ maxEntries: 5, queueLimit: 3, totalQueueLimit: 8 });
        let total = 0;
        for (const step of actions) {
          if (step.do === "wait") clock.advance(step.time);
          else if (step.do === "send") send((total += 1) & 0xff, neighbour(step.index));
          else if (step.do === "heard") cache.heard(neighbour(step.index), step.index % 2 ? MAC : OTHER_MAC, step.create);
          else if (step.do === "answered") cache.answered(neighbour(step.index), MAC);
          else cache[step.do](neighbour(step.index));
          expect(cache.size).toBeLessThanOrEqual(5);
          expect(cache.waiting).toBeLessThanOrEqual(8);
        }
        expect(clock.runUntilIdle(10_000)).toBe(true);
        expect(cache.waiting).toBe(0);
        const dropped = Object.values(cache.drops.counters).reduce((sum, count) => sum + count, 0);
        expect(sent.length + unresolved.length + dropped).toBe(total);
      }),
    );
  });
});
