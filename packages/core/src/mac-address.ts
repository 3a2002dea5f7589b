// 48-bit link addresses (IEEE 802).
import type { PacketBuffer } from "./packet-buffer.ts";
import type { Random } from "./random.ts";

/** A 48-bit address as one number: it compares with `===` and serves as a `Map` key. */
export type MacAddress = number & { readonly __brand: "MacAddress" };

export const BROADCAST_MAC: MacAddress = 0xffffffffffff as MacAddress;
export const NULL_MAC: MacAddress = 0 as MacAddress;

export function readMac(packet: PacketBuffer, offset: number): MacAddress {
  return (packet.u16(offset) * 0x100000000 + packet.u32(offset + 2)) as MacAddress;
}

export function writeMac(packet: PacketBuffer, offset: number, address: MacAddress): void {
  packet.setU16(offset, Math.floor(address / 0x100000000));
  packet.setU32(offset + 2, address % 0x100000000);
}

/** True for group addresses: multicast and broadcast (the I/G bit, the first octet's lowest). */
export function isGroupMac(address: MacAddress): boolean {
  return (Math.floor(address / 0x10000000000) & 1) === 1;
}

/** `02:00:5e:10:00:01` */
export function formatMac(address: MacAddress): string {
  const digits = address.toString(16).padStart(12, "0");
  return (digits.match(/../g) as string[]).join(":");
}

/** Reads `aa:bb:cc:dd:ee:ff` (or with `-`); undefined when the text is anything else. */
export function parseMac(text: string): MacAddress | undefined {
  if (!/^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text)) return undefined;
  return Number.parseInt(text.replace(/[:-]/g, ""), 16) as MacAddress;
}

/** A unicast address with the locally administered bit set, so that it collides with no manufacturer's. */
export function randomMac(random: Random): MacAddress {
  const high = (random.uint32() & 0xfcff) | 0x0200;
  return (high * 0x100000000 + random.uint32()) as MacAddress;
}
