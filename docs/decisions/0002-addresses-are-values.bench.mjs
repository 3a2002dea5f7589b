// Measures what docs/decisions/0002-addresses-are-values.md says: node docs/decisions/0002-addresses-are-values.bench.mjs
// For each form of an IPv6 address: read 1024 addresses out of packets and compare each with ===, or look it up in a Map.
const COUNT = 1024;
const ROUNDS = 15;
const PASSES = 400;

const packets = new Uint8Array(COUNT * 16);
for (let index = 0; index < packets.length; index += 1) packets[index] = Math.imul(index + 1, 0x9e3779b9) >>> 24;

const u16 = (at) => (packets[at] << 8) | packets[at + 1];
const u32 = (at) => (packets[at] << 24) | (packets[at + 1] << 16) | (packets[at + 2] << 8) | packets[at + 3];
const SLOTS = 4096;
const slots = new Array(SLOTS).fill(undefined);

const forms = {
  "string of 8 UTF-16 code units": (at) =>
    String.fromCharCode(u16(at), u16(at + 2), u16(at + 4), u16(at + 6), u16(at + 8), u16(at + 10), u16(at + 12), u16(at + 14)),
  "string of 16 bytes": (at) => {
    const b = packets;
    return String.fromCharCode(
      b[at], b[at + 1], b[at + 2], b[at + 3], b[at + 4], b[at + 5], b[at + 6], b[at + 7],
      b[at + 8], b[at + 9], b[at + 10], b[at + 11], b[at + 12], b[at + 13], b[at + 14], b[at + 15],
    );
  },
  bigint: (at) => {
    const word = (from) => BigInt(u32(from) >>> 0);
    return (word(at) << 96n) | (word(at + 4) << 64n) | (word(at + 8) << 32n) | word(at + 12);
  },
  "hexadecimal text": (at) => {
    let text = "";
    for (let group = 0; group < 16; group += 2) text += `${u16(at + group).toString(16)}:`;
    return text;
  },
  "interned object": (at) => {
    const [a, b, c, d] = [u32(at), u32(at + 4), u32(at + 8), u32(at + 12)];
    let slot = (Math.imul(a ^ Math.imul(b ^ Math.imul(c ^ Math.imul(d, 0x9e3779b1), 0x85ebca6b), 0xc2b2ae35), 0x27d4eb2f) >>> 20) % SLOTS;
    for (; slots[slot] !== undefined; slot = (slot + 1) % SLOTS) {
      const found = slots[slot];
      if (found.a === a && found.b === b && found.c === c && found.d === d) return found;
    }
    return (slots[slot] = { a, b, c, d });
  },
};

function nanoseconds(work) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    let found = 0;
    for (let pass = 0; pass < PASSES; pass += 1) for (let index = 0; index < COUNT; index += 1) found += work(index);
    if (found !== PASSES * COUNT) throw new Error(`found ${found}`);
    times.push(Number(process.hrtime.bigint() - start) / (PASSES * COUNT));
  }
  // The fastest round: whatever else the machine does only makes a round slower.
  return Math.min(...times).toFixed(0);
}

for (const [name, read] of Object.entries(forms)) {
  const known = Array.from({ length: COUNT }, (_, index) => read(index * 16));
  const table = new Map(known.map((address) => [address, 1]));
  const compare = nanoseconds((index) => (read(index * 16) === known[index] ? 1 : 0));
  const look = nanoseconds((index) => table.get(read(index * 16)) ?? 0);
  console.log(`${name.padEnd(30)} read and compare ${compare.padStart(4)} ns, read and look up ${look.padStart(4)} ns`);
}
