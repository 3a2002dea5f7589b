// A middlebox that spoils ECN, in one of the ways that have been seen in networks; or marks what passes, as a router may.
import { type PacketBuffer, randomBelow, randomFraction, type SeededRandom, updateChecksum } from "@netstrata/core";
import { DeviceWrapper, type LinkDevice } from "@netstrata/link";
import { CWR, ECE } from "../../src/index.ts";

const CE = 3;
const ECN_FIELD = 3;
const AE_CWR_ECE = 0x1c0;

/** What it does to a packet of which it has drawn that it is hit. */
type Meddling = (packet: PacketBuffer) => void;

const MEDDLINGS: readonly Meddling[] = [
  // Bleached: nothing looks ECN-capable behind it.
  (packet) => setField(packet, 0),
  // Marked by who does not ask whether the sender understands it.
  (packet) => setField(packet, CE),
  // Marked as a router should.
  (packet) => {
    if ((packet.u8(1) & ECN_FIELD) !== 0) setField(packet, CE);
  },
  (packet) => setField(packet, 1),
  // The flags are cleared, or stand still.
  (packet) => setFlags(packet, (flags) => flags & ~AE_CWR_ECE),
  (packet) => setFlags(packet, (flags) => flags | ECE),
  (packet) => setFlags(packet, (flags) => flags & ~CWR),
  (packet) => setFlags(packet, (flags) => flags ^ AE_CWR_ECE),
];

export class EcnMeddler extends DeviceWrapper {
  private readonly random: SeededRandom;
  private readonly meddling: Meddling | undefined;
  private readonly rate: number;

  constructor(inner: LinkDevice, random: SeededRandom) {
    super(inner);
    this.random = random;
    // Every second way is honest; of the others every second hits everything.
    this.meddling = randomBelow(random, 2) === 0 ? undefined : MEDDLINGS[randomBelow(random, MEDDLINGS.length)];
    this.rate = randomBelow(random, 2) === 0 ? 1 : randomFraction(random);
  }

  override transmit(packet: PacketBuffer): void {
    if (this.meddling !== undefined && packet.u8(9) === 6 && randomFraction(this.random) < this.rate) this.meddling(packet);
    super.transmit(packet);
  }
}

function setField(packet: PacketBuffer, field: number): void {
  change(packet, 0, 10, (word) => (word & ~ECN_FIELD) | field);
}

/** The word with data offset and flags. */
function setFlags(packet: PacketBuffer, changed: (flags: number) => number): void {
  const tcp = (packet.u8(0) & 0xf) * 4;
  if (packet.length >= tcp + 20) change(packet, tcp + 12, tcp + 16, changed);
}

/** RFC 1624: whoever changes a word keeps the checksum right. */
function change(packet: PacketBuffer, at: number, checksumAt: number, changed: (word: number) => number): void {
  const before = packet.u16(at);
  const after = changed(before);
  packet.setU16(at, after);
  packet.setU16(checksumAt, updateChecksum(packet.u16(checksumAt), before, after));
}
