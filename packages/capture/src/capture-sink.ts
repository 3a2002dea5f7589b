// Capture files as the place where a device's packets go: writers behind the link layer's `PacketSink`.
import type { Milliseconds } from "@netstrata/core";
import type { PacketSink } from "@netstrata/link";
import type { PcapWriter } from "./pcap-writer.ts";
import type { PcapngWriter } from "./pcapng-writer.ts";

/** @param epoch what the clock's 0 is, in nanoseconds since 1970 */
export function pcapSink(writer: PcapWriter, epoch = 0n): PacketSink {
  return { packet: (bytes, time) => writer.packet({ bytes, timestamp: epoch + nanoseconds(time) }) };
}

/**
 * @param interfaceIndex what `writer.addInterface` answered
 * @param epoch what the clock's 0 is, in nanoseconds since 1970
 */
export function pcapngSink(writer: PcapngWriter, interfaceIndex: number, epoch = 0n): PacketSink {
  return { packet: (bytes, time, direction) => writer.packet(interfaceIndex, { bytes, timestamp: epoch + nanoseconds(time), direction }) };
}

function nanoseconds(time: Milliseconds): bigint {
  return BigInt(Math.round(time * 1e6));
}
