// The chain of extension headers (RFC 8200 §4), its limits (RFC 8504 §5.3), and options nobody knows.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { octets } from "./bench-host.ts";
import { bytesOf, datagramV6, extension, fragmentHeader, Ipv6Bench, icmpv6Of } from "./ipv6-bench.ts";

const HOP_BY_HOP = 0;
const UDP = 17;
const ROUTING = 43;
const FRAGMENT = 44;
const NO_NEXT = 59;
const DESTINATION = 60;

/** Delivers a chain; what was heard above, what was sent, what was dropped. */
function deliver(protocol: number, payload: Uint8Array, destination = "2001:db8::1") {
  const bench = new Ipv6Bench();
  const packet = datagramV6({ protocol, destination }, payload).slice();
  bench.eth.deliver(packet);
  return { bench, packet, heard: bench.udp.received, errors: bench.eth.takeV6().map(icmpv6Of), drops: bench.takeDrops() };
}

test("RFC 8200 §4: every header that is known is passed, in any order and number, up to the transport", () => {
  const chain = bytesOf(extension(DESTINATION), extension(ROUTING), extension(DESTINATION), extension(UDP, [1, 4]), octets(16));
  const { heard, drops } = deliver(HOP_BY_HOP, chain);
  expect(drops).toEqual([]);
  expect(heard).toMatchObject([{ payload: octets(16), header: { protocol: UDP, headerLength: 72 } }]);
});

test("RFC 8200 §4.3: the hop-by-hop header stands right behind the IPv6 header; elsewhere it is an unknown next header", () => {
  const { errors, heard } = deliver(DESTINATION, bytesOf(extension(HOP_BY_HOP), extension(UDP), octets(16)));
  expect(heard).toEqual([]);
  expect(errors).toMatchObject([{ type: 4, code: 1, rest: 40 }]);
});

test("RFC 8200 §4.4, RFC 5095 §3: a routing header is ignored when nothing is left to visit, and refused when something is", () => {
  const route = (type: number, left: number) => bytesOf(extension(UDP, [type, left], 24), octets(16));
  for (const type of [0, 2, 4, 253]) {
    expect(deliver(ROUTING, route(type, 0)).heard).toHaveLength(1);
    expect(deliver(ROUTING, route(type, 1)).errors).toMatchObject([{ type: 4, code: 0, rest: 42 }]);
  }
});

test("RFC 8200 §4.7: behind No Next Header there is nothing, whatever is there", () => {
  const { heard, errors, drops } = deliver(NO_NEXT, octets(16));
  expect([heard, errors, drops]).toEqual([[], [], ["no-next-header"]]);
});

describe("RFC 8200 §4.2: the two highest bits of its type say what becomes of an option that nobody knows", () => {
  const withOption = (type: number) => bytesOf(extension(UDP, [type, 2, 0, 0, 1, 0]), octets(16));

  test.each([HOP_BY_HOP, DESTINATION])("in header %i", (header) => {
    expect(deliver(header, withOption(0x1e)).heard).toHaveLength(1);
    expect(deliver(header, withOption(0x5e))).toMatchObject({ heard: [], errors: [], drops: ["unknown-option"] });
    for (const type of [0x9e, 0xde]) {
      expect(deliver(header, withOption(type))).toMatchObject({ heard: [], errors: [{ type: 4, code: 2, rest: 42 }] });
    }
  });

  test("for a group, 10 is still told and 11 is not", () => {
    expect(deliver(DESTINATION, withOption(0x9e), "ff02::1").errors).toMatchObject([{ type: 4, code: 2, rest: 42 }]);
    expect(deliver(DESTINATION, withOption(0xde), "ff02::1")).toMatchObject({ errors: [], drops: ["unknown-option", "error-about-group"] });
  });

  test("options in front of it are passed: the pointer counts on", () => {
    const { errors } = deliver(DESTINATION, bytesOf(extension(UDP, [0, 1, 1, 0, 0x9e, 0]), octets(16)));
    expect(errors).toMatchObject([{ code: 2, rest: 46 }]);
  });
});

test("an option that leads out of its header is a parameter problem at its length", () => {
  const { errors, drops } = deliver(DESTINATION, bytesOf(extension(UDP, [0x1e, 5]), octets(16)));
  expect(errors).toMatchObject([{ type: 4, code: 0, rest: 43 }]);
  expect(drops).toEqual(["bad-option"]);
});

describe("RFC 8504 §5.3: what passes a limit is dropped in silence", () => {
  test("extension headers: 8", () => {
    const chain = (count: number) =>
      bytesOf(...Array.from({ length: count }, (_, at) => extension(at + 1 < count ? DESTINATION : UDP)), octets(16));
    expect(deliver(DESTINATION, chain(8)).heard).toHaveLength(1);
    expect(deliver(DESTINATION, chain(9))).toMatchObject({ heard: [], errors: [], drops: ["too-many-extension-headers"] });
  });

  test("their octets: 2048", () => {
    // Unknown options of action 00, so that nothing but the length is in the way.
    const options = Array.from({ length: 8 }, (_, index) => [0x1e, index < 7 ? 254 : 252, ...octets(index < 7 ? 254 : 252)]);
    const header = Uint8Array.from([UDP, 255, ...options.flat()]);
    expect(header.length).toBe(2048);
    expect(deliver(DESTINATION, bytesOf(header, octets(16))).drops).toEqual([]);
    header[0] = DESTINATION;
    expect(deliver(DESTINATION, bytesOf(header, extension(UDP), octets(16))).drops).toEqual(["too-many-extension-octets"]);
  });

  test("options: 8 beside padding", () => {
    const options = (count: number) => Array.from({ length: count }, () => [0x1e, 0]).flat();
    expect(deliver(DESTINATION, bytesOf(extension(UDP, [...options(8), 1, 4]), octets(16))).drops).toEqual([]);
    expect(deliver(DESTINATION, bytesOf(extension(UDP, options(9)), octets(16))).drops).toEqual(["too-many-options"]);
  });

  test("padding: 7 octets in a row", () => {
    expect(deliver(DESTINATION, bytesOf(extension(UDP, [1, 5, 0, 0, 0, 0, 0, 0x1e, 4]), octets(16))).heard).toHaveLength(1);
    expect(deliver(DESTINATION, bytesOf(extension(UDP, [], 16), octets(16))).drops).toEqual(["too-much-padding"]);
    expect(deliver(DESTINATION, bytesOf(extension(UDP, [1, 12], 16), octets(16))).drops).toEqual(["too-much-padding"]);
  });

  test("the limits are the user's to set", () => {
    const bench = new Ipv6Bench({ extensionHeaders: { headers: 0 } });
    bench.eth.deliver(datagramV6({ protocol: DESTINATION }, bytesOf(extension(UDP), octets(16))));
    expect(bench.takeDrops()).toEqual(["too-many-extension-headers"]);
  });
});

test("RFC 6946 §4: an atomic fragment is a whole datagram; a second fragment header in it is one too many", () => {
  expect(deliver(FRAGMENT, bytesOf(fragmentHeader(UDP, 0, false), octets(16))).heard).toMatchObject([{ header: { headerLength: 48 } }]);
  const nested = bytesOf(fragmentHeader(FRAGMENT, 0, false), fragmentHeader(UDP, 0, false), octets(16));
  expect(deliver(FRAGMENT, nested)).toMatchObject({ heard: [], drops: ["nested-fragment"] });
});

test("whatever stands in the chain: one datagram in is at most one up and one error out, and nothing throws", () => {
  const header = fc.constantFrom(HOP_BY_HOP, UDP, ROUTING, FRAGMENT, NO_NEXT, DESTINATION, 51, 58, 253);
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(header, fc.array(fc.nat(255), { maxLength: 20 })).map(([next, content]) => extension(next, content)),
  );
  fc.assert(
    fc.property(header, fc.array(piece, { maxLength: 12 }), (first, pieces) => {
      const { heard, errors } = deliver(first, bytesOf(...pieces));
      expect(heard.length + errors.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 500 },
  );
});
