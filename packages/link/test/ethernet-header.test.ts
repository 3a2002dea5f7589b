import { type MacAddress, PacketBuffer } from "@netstrata/core";
import { padEthernet, prependEthernet, prependVlanTag, readEthernet } from "@netstrata/link";
import fc from "fast-check";
import { expect, test } from "vitest";

const macs = fc.integer({ min: 0, max: 0xffffffffffff }).map((value) => value as MacAddress);

function frame(...octets: number[]): PacketBuffer {
  return PacketBuffer.wrap(Uint8Array.from([1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, ...octets]));
}

test("what is written is read back, with and without a tag", () => {
  fc.assert(
    fc.property(
      macs,
      macs,
      fc.integer({ min: 0x0600, max: 0xffff }),
      fc.integer({ min: 0, max: 4094 }),
      (destination, source, type, id) => {
        fc.pre(type !== 0x8100 && type !== 0x88a8);
        const packet = PacketBuffer.allocate(18, 50);
        if (id > 0) prependVlanTag(packet, id, type);
        prependEthernet(packet, destination, source, id > 0 ? 0x8100 : type);
        expect(readEthernet(packet)).toEqual({
          destination,
          source,
          etherType: type,
          vlanTags: id > 0 ? [{ id, priority: 0, dropEligible: false }] : [],
          headerLength: id > 0 ? 18 : 14,
        });
        expect(packet.length).toBe(50);
      },
    ),
  );
});

test("tags are read outermost first, with priority and drop eligibility", () => {
  const packet = frame(0x88, 0xa8, 0xf0, 0x64, 0x81, 0x00, 0x00, 0x05, 0x08, 0x00, 0x45);
  expect(readEthernet(packet)).toMatchObject({
    etherType: 0x0800,
    headerLength: 22,
    vlanTags: [
      { id: 100, priority: 7, dropEligible: true },
      { id: 5, priority: 0, dropEligible: false },
    ],
  });
  expect([...packet.view()]).toEqual([0x45]);
});

test("more than four tags are nobody's frame, and the packet stays as it was", () => {
  const tags = new Array(5).fill([0x81, 0x00, 0x00, 0x01]).flat();
  const packet = frame(...tags, 0x08, 0x00);
  expect(readEthernet(packet)).toBe("too-many-tags");
  expect(packet.length).toBe(34);
});

test("1122-2.3.3-2: an 802.3 frame with a SNAP header has an EtherType, and its length cuts the padding off", () => {
  const packet = frame(0x00, 0x09, 0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00, 0x45, 0xff, 0xff);
  expect(readEthernet(packet)).toMatchObject({ etherType: 0x0800, headerLength: 22 });
  expect([...packet.view()]).toEqual([0x45]);
});

test("an 802.3 frame with another LLC header has none", () => {
  const packet = frame(0x00, 0x03, 0x42, 0x42, 0x03, 0xff);
  expect(readEthernet(packet)).toMatchObject({ etherType: 0, headerLength: 14 });
  expect([...packet.view()]).toEqual([0x42, 0x42, 0x03]);
});

test("cut short at every octet, a header is truncated and the packet stays as it was", () => {
  const whole = frame(0x81, 0x00, 0x00, 0x01, 0x08, 0x00).slice();
  for (let length = 0; length < whole.length; length += 1) {
    const packet = PacketBuffer.wrap(whole.slice(0, length));
    expect(readEthernet(packet)).toBe("truncated");
    expect(packet.length).toBe(length);
  }
  const shorterThanItsLength = frame(0x00, 0x09, 0xaa, 0xaa);
  expect(readEthernet(shorterThanItsLength)).toBe("truncated");
  expect(shorterThanItsLength.length).toBe(16);
});

test("whatever the octets are, the answer is a header or a reason", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64, size: "max" }), (octets) => {
      const packet = PacketBuffer.wrap(octets);
      const header = readEthernet(packet);
      if (typeof header === "string") expect(packet.length).toBe(octets.length);
      else expect(packet.start).toBe(header.headerLength);
    }),
  );
});

test("padding makes a frame 60 octets long, in place where there is room, and leaves longer ones alone", () => {
  const roomy = PacketBuffer.allocate(0, 54, 10);
  expect(padEthernet(roomy)).toBe(roomy);
  expect(roomy.length).toBe(60);
  const tight = PacketBuffer.wrap(new Uint8Array(54).fill(7));
  const padded = padEthernet(tight);
  expect(padded).not.toBe(tight);
  expect([...padded.view()]).toEqual([...new Array(54).fill(7), ...new Array(6).fill(0)]);
  const long = PacketBuffer.allocate(0, 60);
  expect(padEthernet(long)).toBe(long);
});
