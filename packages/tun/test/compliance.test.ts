// The compliance suite of link devices, with the kernel as the far side.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { describeLinkDevice } from "@netstrata/link/compliance";
import { beforeAll } from "vitest";
import { openTun, type TunMode } from "../src/index.ts";
import { describeInPrivateNetwork } from "./private-network.ts";

/** Where the kernel sends to; on Ethernet a broadcast, which needs no address resolved. */
const FAR_TO_NEAR: Record<TunMode, string> = { tun: "198.18.0.2", tap: "198.18.0.255" };

/** The kernel has handed a packet over when its call returns; the event loop comes round to it in its next turns. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describeInPrivateNetwork("with the kernel as the far side", () => {
  // Without IPv6 a kernel says nothing of its own accord on a new interface, so what arrives is what was injected.
  beforeAll(() => writeFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"));

  for (const mode of ["tun", "tap"] as const) {
    describeLinkDevice(`a ${mode.toUpperCase()} device`, async () => {
      const device = openTun({ mode });
      device.configureKernel({ address: "198.18.0.1/24", up: true });
      const socket = createSocket("udp4");
      socket.bind(0, () => socket.setBroadcast(true));
      await once(socket, "listening");
      socket.connect(9, FAR_TO_NEAR[mode]);
      await once(socket, "connect");
      return {
        device,
        // A connected socket sends within the call; the octets are the kernel's choice.
        inject: () => void socket.send("injected"),
        settle,
        dispose: () => void socket.close(),
      };
    });
  }
});
