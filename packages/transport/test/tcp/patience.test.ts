// How long a connection tries (patience.ts): R2 by time and by count, SYN retries, probes of a closed window, user timeouts.
import { expect, test } from "vitest";
import { timeOfRetries } from "../../src/tcp/patience.ts";
import { dialogue, type Peer } from "./peer.ts";

/** The times at which the stack sent something during `duration`, in ms from now. */
function timesWithin(peer: Peer, duration: number): number[] {
  const start = peer.clock.now();
  peer.advance(duration);
  return peer.takeAll().map((segment) => segment.at - start);
}

test("fifteen retries between 200 ms and 120 s are the 924.6 s that Linux documents", () => {
  expect(timeOfRetries(15, 200, 120_000)).toBeCloseTo(924_600, 6);
  expect(timeOfRetries(8, 200, 120_000)).toBe(102_200);
  expect(timeOfRetries(0, 200, 120_000)).toBe(200);
});

dialogue(
  "linux: a SYN goes out again after one second five times, then after doubling ones, ten times in all",
  (peer) => {
    peer.open();
    expect(timesWithin(peer, 131_001)).toEqual([0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67].map((seconds) => seconds * 1000));
    expect(peer.told).toEqual(["soft error ETIMEDOUT", "readable", "closed ETIMEDOUT"]);
  },
  { personality: "linux" },
);

dialogue(
  "synRetries counts besides the linear ones (TCP_SYNCNT)",
  (peer) => {
    peer.open({ synRetries: 1 });
    expect(timesWithin(peer, 6999)).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
    expect(peer.told).not.toContain("closed ETIMEDOUT");
    peer.advance(1);
    expect(peer.told).toContain("closed ETIMEDOUT");
  },
  { personality: "linux" },
);

dialogue("MUST-23: without a count a SYN is tried for three minutes, at doubling intervals", (peer) => {
  peer.open();
  expect(timesWithin(peer, 179_999)).toEqual([0, 1, 3, 7, 15, 31, 63, 123].map((seconds) => seconds * 1000));
  expect(peer.told).not.toContain("closed ETIMEDOUT");
  peer.advance(1);
  expect(peer.told).toContain("closed ETIMEDOUT");
});

for (const [personality, times, end] of [
  ["linux", [0, 1, 3, 7, 15, 31], 63],
  ["freebsd", [0, 1, 3, 7], 15],
] as const) {
  dialogue(
    `${personality}: synAckRetries, and then the listener forgets (RFC 4987 §3.3)`,
    (peer) => {
      peer.listen();
      peer.send({ flags: "S", seq: 0 });
      expect(timesWithin(peer, end * 1000 - 1)).toEqual(times.map((seconds) => seconds * 1000));
      expect(peer.tcp.connectionCount).toBe(1);
      peer.advance(1);
      expect(peer.tcp.connectionCount).toBe(0);
      peer.takeAll();
    },
    { personality },
  );
}

dialogue("MUST-20: R2 as a count of retransmissions", (peer) => {
  const connection = peer.connect({ retries: 3, userTimeout: Number.POSITIVE_INFINITY });
  connection.send(new Uint8Array(10));
  peer.expect({ flags: "PA", data: 10 });
  // A round trip of nothing at all, so the timeout is the least, a second.
  expect(timesWithin(peer, 14_999)).toEqual([1000, 3000, 7000]);
  expect(peer.told).not.toContain("closed ETIMEDOUT");
  peer.advance(1);
  peer.expect({ flags: "R" });
  expect(peer.told.at(-1)).toBe("closed ETIMEDOUT");
});

dialogue(
  "linux: the user timeout begins with the first retransmission (TCP_USER_TIMEOUT)",
  (peer) => {
    const connection = peer.connect({ userTimeout: 3000, sack: false });
    connection.send(new Uint8Array(10));
    peer.expect({ flags: "PA", data: 10 });
    const begin = peer.clock.now();
    peer.advance(10_000);
    const [first] = peer.takeAll();
    expect(peer.told.at(-1)).toBe("closed ETIMEDOUT");
    const closed = peer.events.find((event) => event.kind === "state" && "to" in event && event.to === "CLOSED");
    expect(closed).toBeDefined();
    expect(first.at - begin).toBeGreaterThanOrEqual(200);
  },
  { personality: "linux" },
);

dialogue(
  "linux: a closed window is probed without text, by the octet before it, at doubling intervals (RFC 9293 §3.8.6.1)",
  (peer) => {
    const connection = peer.connect({}, { window: 0 });
    peer.window = 0;
    connection.send(new Uint8Array(10));
    const probes: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const since = peer.clock.now();
      while (peer.clock.now() - since < 60_000) {
        peer.advance(1);
        const [probe] = peer.takeAll();
        if (probe === undefined) continue;
        expect(probe).toMatchObject({ flags: "A", seq: 0 });
        expect(probe.text.length).toBe(0);
        probes.push(peer.clock.now() - since);
        peer.send({ flags: "A", ack: 1 });
        break;
      }
    }
    const [first] = probes;
    expect(probes).toEqual([first, 2 * first, 4 * first, 8 * first]);
    peer.window = 1000;
    peer.send({ flags: "A", ack: 1 });
    peer.expect({ flags: "PA", seq: 1, data: 10 });
  },
  { personality: "linux" },
);

dialogue(
  "linux: probes that are answered do not keep a connection from its user timeout (MUST-37 with TCP_USER_TIMEOUT)",
  (peer) => {
    const connection = peer.connect({ userTimeout: 3000 }, { window: 0 });
    peer.window = 0;
    connection.send(new Uint8Array(10));
    const begin = peer.clock.now();
    while (!connection.isClosed && peer.clock.now() - begin < 20_000) {
      peer.advance(1);
      for (const probe of peer.takeAll()) if (probe.flags === "A") peer.send({ flags: "A", ack: 1 });
    }
    expect(peer.told.at(-1)).toBe("closed ETIMEDOUT");
    expect(peer.clock.now() - begin).toBeLessThan(5000);
  },
  { personality: "linux" },
);

for (const zeroWindowProbe of ["octet", "empty"] as const) {
  dialogue(`RFC 6429 §3: a peer that keeps its window closed does not hold an orphan for ever (${zeroWindowProbe})`, (peer) => {
    const connection = peer.connect({ zeroWindowProbe, orphanRetries: 5 }, { window: 0 });
    peer.window = 0;
    connection.send(new Uint8Array(10));
    connection.close();
    connection.closeRead();
    const begin = peer.clock.now();
    let probes = 0;
    while (!connection.isClosed && peer.clock.now() - begin < 3_600_000) {
      peer.advance(100);
      for (const probe of peer.takeAll()) {
        if (probe.flags.includes("R")) continue;
        probes += 1;
        peer.send({ flags: "A", ack: 1 });
      }
    }
    expect(probes).toBe(5);
    expect(peer.told.at(-1)).toBe("closed ETIMEDOUT");
    expect(peer.tcp.counters.TCPAbortOnTimeout).toBe(1);
  });
}

dialogue("MUST-37: a user who still holds the connection waits as long as its probes are answered", (peer) => {
  const connection = peer.connect({ orphanRetries: 5 }, { window: 0 });
  peer.window = 0;
  connection.send(new Uint8Array(10));
  for (let seconds = 0; seconds < 1200; seconds += 1) {
    peer.advance(1000);
    for (const _probe of peer.takeAll()) peer.send({ flags: "A", ack: 1 });
  }
  expect(connection.isClosed).toBe(false);
});
