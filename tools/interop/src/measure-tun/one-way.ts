// Measures one way once, in a process of its own, and prints its figures as JSON. Started by main.ts.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { foldChecksum, type Ipv4Address, ip, PacketBuffer, sumBytes } from "@netstrata/core";
import { loadAddon } from "./addon.ts";
import { KERNEL, OURS, PORT } from "./addresses.ts";
import { openBareTun } from "./bare-tun.ts";
import { readingWays } from "./reading.ts";
import { writingWays } from "./writing.ts";

export interface Figures {
  readonly packetsPerSecond: number;
  /** CPU time of this process, the kernel's work for it included, for each packet. */
  readonly cpuMicroseconds: number;
}

/** Milliseconds before counting begins, and while it lasts. */
const WARM_UP = 500;
const DURATION = 1500;

const [direction, way, lengthText, addonPath] = process.argv.slice(2);
const length = Number(lengthText);
const addon = addonPath === "" ? undefined : loadAddon(addonPath);
process.stdout.write(JSON.stringify(await (direction === "read" ? measureReading() : measureWriting())));
process.exit();

async function measureReading(): Promise<Figures> {
  let packets = 0;
  readingWays(addon).get(way)!(openBareTun(), (received) => {
    if (received === length) packets += 1;
  });
  const program = fileURLToPath(new URL("flood.js", import.meta.url));
  const flood = spawn(process.execPath, [program, String(length), String(2 * WARM_UP + DURATION)], { stdio: "ignore" });
  await sleep(WARM_UP);
  const figures = await count(
    () => packets,
    () => sleep(DURATION),
  );
  flood.kill();
  await once(flood, "exit");
  return figures;
}

async function measureWriting(): Promise<Figures> {
  const descriptor = openBareTun();
  const sink = createSocket("udp4");
  sink.bind(PORT, KERNEL);
  await once(sink, "listening");
  // Nobody empties the sink: its buffer fills, and from there on the kernel drops at the end of the way.
  const packet = datagram();
  const write = writingWays(addon).get(way)!;
  let packets = 0;
  const writeFor = async (milliseconds: number): Promise<void> => {
    for (const end = performance.now() + milliseconds; performance.now() < end; ) {
      for (let call = 0; call < 100; call += 1) {
        const pending = write(descriptor, packet.bytes, packet.start, length);
        if (pending !== undefined) await pending;
        packets += 1;
      }
    }
  };
  await writeFor(WARM_UP);
  return count(
    () => packets,
    () => writeFor(DURATION),
  );
}

async function count(packets: () => number, work: () => Promise<unknown>): Promise<Figures> {
  const before = { packets: packets(), time: performance.now(), cpu: process.cpuUsage() };
  await work();
  const counted = packets() - before.packets;
  const { user, system } = process.cpuUsage(before.cpu);
  return { packetsPerSecond: (1000 * counted) / (performance.now() - before.time), cpuMicroseconds: (user + system) / counted };
}

/** A UDP datagram to the sink, at an odd place in a slab as the stack's packets are. */
function datagram(): PacketBuffer {
  const packet = PacketBuffer.allocate(66, length);
  packet.setU16(0, 0x4500);
  packet.setU16(2, length);
  packet.setU16(8, 0x4011);
  packet.setU32(12, ip(OURS) as Ipv4Address);
  packet.setU32(16, ip(KERNEL) as Ipv4Address);
  packet.setU16(10, foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + 20)));
  packet.setU16(20, PORT);
  packet.setU16(22, PORT);
  packet.setU16(24, length - 20);
  return packet;
}
