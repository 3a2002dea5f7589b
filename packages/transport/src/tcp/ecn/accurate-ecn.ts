// Accurate ECN (RFC 9768 §3.2): the receiver counts marked packets, and octets by their ECN field; the sender hears of every change.
import type { SequenceNumber } from "@netstrata/core";
import type { Segment } from "../segment.ts";
import { updateSegmentSize } from "../segment-size.ts";
import type { TcpOptions } from "../tcp-options.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { OctetCounters } from "./accurate-ecn-option.ts";
import { ACE_START, aceOf, flagsOfAce, newMarks, reflectionOf } from "./ace.ts";
import type { Delivered, EcnFeedback } from "./ecn-feedback.ts";
import { CE, ECT_0, NOT_ECT } from "./ecn-field.ts";

/** §3.2.2.5.1: so many marks are acknowledged at once, when there is new text to acknowledge and when there is none. */
const MARKS_PER_ACKNOWLEDGMENT = 2;
const MARKS_PER_EMPTY_ACKNOWLEDGMENT = 3;
/** The same text again and again although it was acknowledged: the option may be what our acknowledgments are dropped for (§3.2.3.2.5). */
const REPEATS_WITHOUT_OPTION = 2;
/** An acknowledgment of so many packets is more than delaying makes of it. */
const PACKETS_OF_JOINED = 4;
const PACKETS_GAIN = 1 / 64;
const SACK_BLOCKS_KEPT = 2;
/** Three counters and the padding that alignment takes. */
const FULL_OPTION_LENGTH = 12;
/** Appendix A.2.2: octets marked per packet marked, as a part of the segment size, below which the counter has not turned. */
const TURN_FRACTION = 1 / 2;

export class AccurateEcn implements EcnFeedback {
  readonly kind = "accurate";
  mayMark = true;
  hasSeenField = false;
  /** r.cep - 5: marked packets received. */
  marksReceived = 0;
  /** s.cep - 5: marked packets that the peer has reported. */
  deliveredMarks = 0;
  /** r.ceb, r.e0b, r.e1b: octets received by field. */
  readonly octetsReceived: OctetCounters = new OctetCounters();
  /** s.ceb, s.e0b, s.e1b: octets reported. */
  readonly octetsReported: OctetCounters = new OctetCounters();
  /** The peer has sent the option, so the way carries it and the peer may like it too. */
  private hasSeenOption = false;
  /** The text that came again last, and how often in a row. */
  private repeatedText: SequenceNumber | undefined;
  private repeats = 0;
  /** The field of the SYN,ACK, which our acknowledgment of it reflects; undefined once that is done. */
  private toReflect: number | undefined;
  private lastField: number = NOT_ECT;
  /** Marks since the last segment went out. */
  private marksPending = 0;
  /** The latest timestamp of the peer: an acknowledgment that is not newer and acknowledges nothing may be an old one. */
  private latestTimestamp: number | undefined;
  private isNewer = false;
  /** Packets that an acknowledgment covers, on the average. */
  private packetsPerAck = 0;

  usesOption: boolean;

  /** @param synOptions of the peer's SYN or SYN,ACK; @param usesOption send the option wherever the peer knows it */
  constructor(synOptions: TcpOptions, usesOption: boolean) {
    this.usesOption = usesOption;
    this.hasSeenOption = synOptions.accurateEcn !== undefined;
  }

  /** §3.2.2.1: the acknowledgment of a SYN,ACK reflects its field. */
  answerRepeated(segment: Segment): void {
    this.toReflect = segment.ecnField;
  }

  /** The SYN,ACK that opens the connection. */
  answerArrived(segment: Segment): void {
    this.answerRepeated(segment);
    this.noteTimestamp(segment);
    if (segment.ecnField !== NOT_ECT) this.hasSeenField = true;
    if (segment.ecnField === CE) this.marksReceived += 1;
  }

  /** Our SYN,ACK arrived with a mark (§3.2.2.1, table 4). */
  countMark(): void {
    this.deliveredMarks += 1;
  }

  received(tcb: TransmissionControlBlock, segment: Segment): void {
    if (segment.options.accurateEcn !== undefined && !this.hasSeenOption) this.optionSeen(tcb);
    this.noteTimestamp(segment);
    const field = segment.ecnField;
    const { length } = segment.payload;
    if (field !== NOT_ECT) this.hasSeenField = true;
    this.octetsReceived.add(field, length);
    const changed = field !== this.lastField;
    this.lastField = field;
    if (field !== CE) return;
    this.marksReceived += 1;
    this.marksPending += 1;
    // §3.2.2.5.1: at once when marks begin, and every so many marks. Empty acknowledgments wait longer, lest they answer each other.
    if (length > 0 ? changed || this.marksPending >= MARKS_PER_ACKNOWLEDGMENT : this.marksPending >= MARKS_PER_EMPTY_ACKNOWLEDGMENT) {
      tcb.ackNow = true;
    }
  }

  /** §3.2.3.2.5: the peer does not hear our acknowledgments of it, and the option may be why. */
  repeated(tcb: TransmissionControlBlock, segment: Segment): void {
    this.repeats = this.repeatedText === segment.seq ? this.repeats + 1 : Math.max(1, this.repeats);
    this.repeatedText = segment.seq;
    this.received(tcb, segment);
  }

  reported(tcb: TransmissionControlBlock, segment: Segment, delivered: Delivered): number {
    // §3.2.2.5.2: nothing new, so it may be older than what is known.
    if (!this.isNewer && delivered.octets === 0) return 0;
    const marked = this.octetsReported.update(segment.options.accurateEcn);
    const { least, most } = newMarks(aceOf(segment.flags), this.deliveredMarks, delivered.segments);
    this.averagePackets(delivered.segments);
    let marks = most;
    if (most > least) {
      if (marked !== undefined) marks = judgeTurns(tcb.segmentSize, least, most, marked);
      // Where acknowledgments cover many packets as a rule, they are joined on their way and not lost.
      else if (this.packetsPerAck > PACKETS_OF_JOINED) marks = least;
    }
    // More than we have ever sent: the reflection of a handshake that comes late, or a lie.
    if (marks + this.deliveredMarks > tcb.segmentsOut) return 0;
    this.deliveredMarks += marks;
    return marks;
  }

  /** Every segment says how many it was (§3.2.2); there is no need to tell that the window was reduced. */
  windowReduced(): void {}

  flags(length: number, _isFresh: boolean): number {
    const reflected = this.toReflect;
    this.toReflect = undefined;
    this.marksPending = 0;
    return flagsOfAce(reflected !== undefined && length === 0 ? reflectionOf(reflected) : ACE_START + this.marksReceived);
  }

  /** RFC 8311 §4.3 opens the way for marks on whatever is sent, acknowledgments and retransmissions too, since here all are heard of. */
  field(): number {
    return this.mayMark ? ECT_0 : NOT_ECT;
  }

  addOption(tcb: TransmissionControlBlock, options: TcpOptions): TcpOptions | undefined {
    // What a timeout found lost may have been dropped for the option.
    if (this.optionLength === 0 || tcb.timeouts > 0) return undefined;
    const { sackBlocks } = options;
    // §3.2.3.3: at least two blocks stay where there were as many.
    let blocks = sackBlocks?.length ?? 0;
    for (const least = Math.min(blocks, SACK_BLOCKS_KEPT); blocks >= least; blocks -= 1) {
      const used = blocks === sackBlocks?.length ? options : { ...options, sackBlocks: sackBlocks?.slice(0, blocks) };
      const accurateEcn = this.octetsReceived.option(used, tcb.options.optionLayout);
      if (accurateEcn !== undefined) return { ...used, accurateEcn };
    }
    return undefined;
  }

  /** The way carries it after all: from now on our text makes room for ours. */
  private optionSeen(tcb: TransmissionControlBlock): void {
    this.hasSeenOption = true;
    updateSegmentSize(tcb);
    tcb.congestion.segmentSizeChanged(tcb.segmentSize);
  }

  private averagePackets(packets: number): void {
    if (packets === 0) return;
    this.packetsPerAck = this.packetsPerAck === 0 ? packets : this.packetsPerAck + PACKETS_GAIN * (packets - this.packetsPerAck);
  }

  private noteTimestamp(segment: Segment): void {
    const value = segment.options.timestamps?.value;
    this.isNewer = value !== undefined && (this.latestTimestamp === undefined || ((value - this.latestTimestamp) | 0) > 0);
    if (this.isNewer) this.latestTimestamp = value;
  }

  get optionLength(): number {
    return this.usesOption && this.hasSeenOption && !this.optionFails ? FULL_OPTION_LENGTH : 0;
  }

  private get optionFails(): boolean {
    return this.repeats >= REPEATS_WITHOUT_OPTION;
  }
}

/** Appendix A.2.2: the octets marked tell whether the counter of packets can have turned. */
function judgeTurns(segmentSize: number, least: number, most: number, marked: number): number {
  return marked === 0 || marked < most * segmentSize * TURN_FRACTION ? least : most;
}
