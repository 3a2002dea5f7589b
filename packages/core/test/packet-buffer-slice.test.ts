import { PacketBuffer } from "@netstrata/core";
import { expect, test } from "vitest";

test("slice copies, also from a store that is a Node Buffer", () => {
  for (const store of [new Uint8Array([1, 2, 3, 4]), Buffer.from([1, 2, 3, 4])]) {
    const packet = PacketBuffer.wrap(store, 1);
    const copy = packet.slice(1);
    packet.setU8(1, 99);
    expect(Array.from(copy)).toEqual([3, 4]);
    expect(copy.buffer).not.toBe(store.buffer);
  }
});
