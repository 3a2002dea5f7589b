// The table of connections against a map by the text of both ends.
import { type IpAddress, ip } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
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
      const table = new ConnectionTable();
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
  const table = new ConnectionTable();
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
