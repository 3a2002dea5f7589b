// IPv4 options: reading, copying, reversing (RFC 791 §3.1, RFC 1122 §3.2.1.8).
import fc from "fast-check";
import { expect, test } from "vitest";
import { copiedOptions, readIpv4Options, recordRoute, returnRoute } from "../src/index.ts";
import { address, Bench, datagram, octets } from "./bench-host.ts";

test("1812-4.2.2.6-1: END stops, NO OPERATION is skipped", () => {
  expect(readIpv4Options(Uint8Array.of(1, 1, 148, 4, 0, 0, 0, 99))).toEqual([{ type: 148, offset: 2, length: 4 }]);
  expect(readIpv4Options(Uint8Array.of(0, 7, 200, 0))).toEqual([]);
});

test("1122-3.2.1.8-3, 1122-3.2.1.8b-1: unknown options, stream identifiers and security labels are ignored in silence", () => {
  const bench = new Bench();
  for (const options of [Uint8Array.of(136, 4, 0, 1), Uint8Array.of(130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), Uint8Array.of(222, 3, 9, 0)]) {
    bench.link.deliver(datagram({ options }));
  }
  expect(bench.takeDrops()).toEqual([]);
  expect(bench.udp.received).toHaveLength(3);
});

test("1122-3.2.1.8-2: the transport finds all options in front of the message", () => {
  const bench = new Bench();
  const options = Uint8Array.of(148, 4, 0, 0, 222, 4, 1, 2);
  let seen: Uint8Array | undefined;
  bench.layer.register({
    protocol: 17,
    receive: (segment, header) => {
      segment.rewind(header.headerLength - 20);
      seen = segment.slice(0, header.headerLength - 20);
      return "delivered";
    },
    receiveError: () => {},
  });
  bench.link.deliver(datagram({ options }));
  expect(seen).toEqual(options);
});

test("1122-3.2.1.8c-4: two source routes in one header are wrong, the second is pointed to", () => {
  expect(readIpv4Options(Uint8Array.of(131, 7, 4, 1, 2, 3, 4, 1, 137, 7, 4, 1, 2, 3, 4, 0))).toBe(8);
});

test("what is wrong in an option is pointed to", () => {
  const cases: [number[], number][] = [
    [[7], 0], // no length
    [[7, 1, 4, 0], 1], // shorter than itself
    [[7, 0, 4, 0], 1], // would be read for ever
    [[222, 5, 0, 0], 1], // beyond the end
    [[7, 2, 0, 0], 1], // no room for a pointer
    [[7, 6, 4, 0, 0, 0, 0, 0], 1], // half an address
    [[7, 7, 3, 0, 0, 0, 0, 0], 2], // a pointer before the addresses
    [[7, 7, 6, 0, 0, 0, 0, 0], 2], // a pointer into an address
    [[68, 3, 5, 0], 1],
    [[68, 4, 4, 0], 2],
    [[148, 3, 0, 0], 1],
  ];
  for (const [bytes, at] of cases) expect(readIpv4Options(Uint8Array.from(bytes)), `${bytes}`).toBe(at);
});

test("any octets are read to an end, and what is found lies inside", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const options = readIpv4Options(bytes);
      if (typeof options === "number") {
        expect(options).toBeLessThan(bytes.length);
        return;
      }
      let last = 0;
      for (const { offset, length } of options) {
        expect(offset).toBeGreaterThanOrEqual(last);
        expect(length).toBeGreaterThanOrEqual(2);
        last = offset + length;
      }
      expect(last).toBeLessThanOrEqual(bytes.length);
      const copied = copiedOptions(bytes);
      expect(copied.length % 4).toBe(0);
      expect(copied.length).toBeLessThanOrEqual(40);
      // What is copied is itself right, and copying it again changes nothing.
      expect(copiedOptions(copied)).toEqual(copied);
      expect(returnRoute(bytes, address("203.0.113.5"), address("192.0.2.1")).options.length).toBeLessThanOrEqual(40);
    }),
  );
});

test("only options with the copied flag go into later fragments", () => {
  const bytes = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 1, 131, 7, 8, 1, 2, 3, 4, 148, 4, 0, 0, 0);
  expect(copiedOptions(bytes)).toEqual(Uint8Array.of(131, 7, 8, 1, 2, 3, 4, 148, 4, 0, 0, 0));
  expect(copiedOptions(Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0))).toEqual(new Uint8Array(0));
});

test("1122-3.2.1.8c-3: a route back is the recorded one reversed, and does not call on the sender twice", () => {
  const source = address("203.0.113.5");
  const own = address("192.0.2.1");
  const honest = returnRoute(Uint8Array.of(131, 11, 12, 198, 51, 100, 1, 198, 51, 100, 2, 0), source, own);
  expect(honest).toEqual({
    destination: address("198.51.100.2"),
    options: Uint8Array.of(131, 11, 4, 198, 51, 100, 1, 203, 0, 113, 5, 0),
  });
  const doubled = returnRoute(Uint8Array.of(131, 11, 12, 203, 0, 113, 5, 198, 51, 100, 2, 0), source, own);
  expect(doubled).toEqual({ destination: address("198.51.100.2"), options: Uint8Array.of(131, 7, 4, 203, 0, 113, 5, 0) });
  expect(returnRoute(new Uint8Array(0), source, own)).toEqual({ destination: source, options: new Uint8Array(0) });
});

test("1122-3.2.1.8d-1: a record route takes our address while it has room", () => {
  const options = Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0);
  expect(recordRoute(options, address("192.0.2.1"))).toBe(true);
  expect(options).toEqual(Uint8Array.of(7, 7, 8, 192, 0, 2, 1, 0));
  expect(recordRoute(options, address("192.0.2.9"))).toBe(false);
  expect(recordRoute(octets(0), address("192.0.2.9"))).toBe(false);
});
