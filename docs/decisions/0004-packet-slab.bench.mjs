// Measures what docs/decisions/0004-packet-slab.md says: node docs/decisions/0004-packet-slab.bench.mjs
// It fills packets and keeps the last 256 of them, as queues and wires do, so that the collector has something to do.
import { PacketBuffer } from "../../packages/core/dist/index.js";

const HEADROOM = 54;
const KEPT = 256;
const ROUNDS = 9;

const ways = {
  "slab (PacketBuffer.allocate)": (length) => PacketBuffer.allocate(HEADROOM, length),
  "a Uint8Array a packet": (length) => PacketBuffer.wrap(new Uint8Array(HEADROOM + length), HEADROOM),
};

function nanosecondsPerPacket(create, length, count) {
  const kept = new Array(KEPT);
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) {
    const packet = create(length);
    packet.prepend(20);
    packet.setU32(0, index);
    packet.setU16(4, length);
    kept[index % KEPT] = packet;
  }
  return Number(process.hrtime.bigint() - start) / count;
}

for (const length of [0, 100, 1460, 8960]) {
  const cells = Object.entries(ways).map(([name, create]) => {
    // One way after the other, so that neither pays for the garbage that the other one left.
    const times = Array.from({ length: ROUNDS }, () => nanosecondsPerPacket(create, length, length > 2000 ? 200_000 : 500_000));
    // The fastest round: whatever else the machine does only makes a round slower.
    return `${name} ${Math.min(...times).toFixed(0)} ns`;
  });
  console.log(`${String(length).padStart(5)} octets: ${cells.join(", ")}`);
}
