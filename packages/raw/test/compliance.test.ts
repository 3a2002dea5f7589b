// The compliance suite of link devices, with the host's loopback interface as the link and another raw device as the far side.
import { foldChecksum, type Ipv4Address, ip, type PacketBuffer, sumBytes } from "@netstrata/core";
import { describeLinkDevice, samplePacket } from "@netstrata/link/compliance";
import { openRaw } from "../src/index.ts";
import { describeWithRawSockets } from "./requirements.ts";

/** For experiments (RFC 3692): nobody else's packets are of this protocol. The suite's own are of the other such, 253. */
const PROTOCOL = 254;
const LOOPBACK = ip("127.0.0.1") as Ipv4Address;

/** The suite's sample, from the host to itself. Its identification is set: the kernel would fill in a zero. */
function injected(): PacketBuffer {
  const packet = samplePacket("ip", 80);
  packet.setU16(4, 0x4e53);
  packet.setU8(9, PROTOCOL);
  packet.setU32(12, LOOPBACK);
  packet.setU32(16, LOOPBACK);
  packet.setU16(10, 0);
  packet.setU16(10, foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + 20)));
  return packet;
}

/** A raw socket sends or receives one packet in each turn of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describeWithRawSockets("on the host's loopback interface", () => {
  describeLinkDevice("a raw device", () => {
    const options = { protocols: [PROTOCOL], interface: "lo" };
    const device = openRaw(options);
    const far = openRaw(options);
    return {
      device,
      inject: () => {
        const packet = injected();
        const octets = packet.slice();
        far.transmit(packet);
        return octets;
      },
      settle,
      dispose: () => far.close(),
    };
  });
});
