// The table of connections against a map by the text of both ends.
import { type IpAddress, ip, SeededRandom } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { connectionHash, type HashKey, randomHashKey } from "../../src/tcp/connection-hash.ts";
import { ConnectionTable } from "../../src/tcp/connection-table.ts";
import type { TransmissionControlBlock } from "../../src/tcp/transmission-control-block.ts";

interface Ends {
  readonly local: { readonly address: IpAddress; readonly port: number };
  readonly remote: { readonly address: IpAddress; readonly port: number };
}

// Few values, so that ends share ports, and ports share all their bits but the highest.
const address = fc.constantFrom(...["10.0.0.1", "10.0.0.2", "2001:db8::1"].map((text) => ip(text)));
const port = fc.constantFrom(1, 80, 32768, 65535);
const anyEnds: fc.Arbitrary<Ends> = fc.record({ local: fc.record({ address, port }), remote: fc.record({ address, port }) });

test("finds what was added and not removed, among ends that differ in one part only", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ ends: anyEnds, add: fc.boolean() }), { maxLength: 100 }), (steps) => {
      const table = new ConnectionTable([1, 2]);
      const model = new Map<string, TransmissionControlBlock>();
      const find = ({ local, remote }: Ends): TransmissionControlBlock | undefined =>
        table.find(local.address, local.port, remote.address, remote.port);
      for (const { ends, add } of steps) {
        const key = JSON.stringify(ends, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
        const known = model.get(key);
        expect(find(ends)).toBe(known);
        if (add && known === undefined) {
          const block = { ...ends, sibling: undefined } as TransmissionControlBlock;
          table.add(block);
          model.set(key, block);
        } else if (!add && known !== undefined) {
          table.remove(known);
          // Removing what is not there is harmless.
          table.remove(known);
          model.delete(key);
        }
        expect(table.size).toBe(model.size);
      }
      expect(new Set(table)).toEqual(new Set(model.values()));
    }),
  );
});

test("whoever goes through the table may remove what it finds", () => {
  const table = new ConnectionTable([1, 2]);
  const remote = { address: ip("10.0.0.9"), port: 80 };
  for (const last of [1, 2, 3]) {
    for (const port of [1000, 1001]) {
      table.add({ local: { address: ip(`10.0.0.${last}`), port }, remote, sibling: undefined } as TransmissionControlBlock);
    }
  }
  let seen = 0;
  for (const block of table) {
    seen += 1;
    table.remove(block);
  }
  expect([seen, table.size]).toEqual([6, 0]);
});

test("grows and shrinks with its connections, and finds them all the while", () => {
  const table = new ConnectionTable([1, 2]);
  const blocks = Array.from({ length: 5000 }, (_, index) => {
    // Half of them over IPv6, a thousand peers with five ports each.
    const address = ip(index % 2 === 0 ? `10.1.${(index >> 8) & 3}.${index & 255}` : `2001:db8::${(index % 1000).toString(16)}`);
    const local = { address: ip(index % 2 === 0 ? "10.0.0.1" : "2001:db8::ffff"), port: 80 };
    return { local, remote: { address, port: 1024 + Math.floor(index / 1000) }, sibling: undefined } as TransmissionControlBlock;
  });
  const find = ({ local, remote }: TransmissionControlBlock): TransmissionControlBlock | undefined =>
    table.find(local.address, local.port, remote.address, remote.port);
  for (const block of blocks) table.add(block);
  expect(table.size).toBe(5000);
  for (const block of blocks) expect(find(block)).toBe(block);
  const { buckets } = table as unknown as { buckets: unknown[] };
  expect(buckets.length).toBe(8192);
  // Spread evenly, two chains in five are empty; every connection in one chain would leave 8191.
  expect(buckets.filter((chain) => chain === undefined).length).toBeLessThan(6000);
  for (const [index, block] of blocks.entries()) {
    table.remove(block);
    expect(find(block)).toBeUndefined();
    const last = blocks[blocks.length - 1];
    if (index < blocks.length - 1) expect(find(last)).toBe(last);
  }
  expect(table.size).toBe(0);
  expect((table as unknown as { buckets: unknown[] }).buckets.length).toBe(64);
});

test("RFC 6056, RFC 9293 §7: who does not know the key cannot fill one chain; nearly all chains stay short", () => {
  const longest = (key: HashKey): number => {
    const chains = new Map<number, number>();
    for (let index = 0; index < 4096; index += 1) {
      // What an attacker would choose: ends that differ in the high bits only.
      const bucket = connectionHash(key, 80, ((index << 20) >>> 0) as IpAddress, (index >> 12) + 1) & 4095;
      chains.set(bucket, (chains.get(bucket) ?? 0) + 1);
    }
    return Math.max(...chains.values());
  };
  for (let seed = 1; seed <= 20; seed += 1) expect(longest(randomHashKey(new SeededRandom(seed)))).toBeLessThan(12);
});

test("keys give hashes that have nothing to do with each other", () => {
  const [a, b] = [1, 2].map((seed) => randomHashKey(new SeededRandom(seed)));
  let same = 0;
  for (let port = 1; port <= 1000; port += 1) {
    if (((connectionHash(a, 80, ip("10.0.0.1"), port) ^ connectionHash(b, 80, ip("10.0.0.1"), port)) & 1023) === 0) same += 1;
  }
  expect(same).toBeLessThan(10);
});
