// Agreeing on ECN by the flags of the SYNs, with every way back (RFC 3168 §6.1.1, RFC 9768 §3.1).
import type { Segment } from "../segment.ts";
import { AE, CWR, ECE } from "../tcp-header.ts";
import type { AccurateEcnOption, TcpOptions } from "../tcp-options.ts";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { AccurateEcn } from "./accurate-ecn.ts";
import { aceOf, flagsOfAce, isPlausibleReflection, reflectedField, reflectionOf } from "./ace.ts";
import { ClassicEcn } from "./classic-ecn.ts";
import type { EcnFeedback } from "./ecn-feedback.ts";
import { CE, NOT_ECT } from "./ecn-field.ts";
import { ECN_CHOICES, type EcnFeedbackKind } from "./ecn-mode.ts";

const ECN_FLAGS = AE | CWR | ECE;
const ACCURATE_SETUP = AE | CWR | ECE;
const CLASSIC_SETUP = CWR | ECE;
/** RFC 9768 §3.1.4.1: one retransmission still asks for Accurate ECN; the next might be dropped for asking. */
const ACCURATE_SYNS = 2;
/** RFC 3168 §6.1.1.1: a SYN that got lost may have been dropped for its flags. */
const CLASSIC_SYNS = 1;

/**
 * RFC 9768 table 2, by the three bits AE, CWR, ECE of a SYN,ACK as a number: what it means to whoever asked for Accurate ECN. 001
 * comes from a classic server, 101 means nothing yet but Accurate ECN, and 111 comes from one that reflects what it does not know.
 */
const MEANING_FOR_ACCURATE: readonly EcnFeedbackKind[] = [
  "none",
  "classic",
  "accurate",
  "accurate",
  "accurate",
  "accurate",
  "accurate",
  "none",
];

export class EcnHandshake {
  /** What a SYN of ours has asked for. */
  private asked: EcnFeedbackKind = "none";
  /** What our SYN,ACK agrees to. */
  private answered: EcnFeedbackKind = "none";
  /** The ECN field of the peer's SYN, which our SYN,ACK reflects in Accurate ECN. */
  private synField = NOT_ECT;
  /** A SYN or SYN,ACK without the flags was sent or received: for classic ECN nothing may be marked then (RFC 3168 §6.1.1). */
  private plainSyn = false;

  /** Control bits for our SYN, or our SYN,ACK, which is sent for the `transmissions`-th time. */
  flags(tcb: TransmissionControlBlock, isAnswer: boolean, transmissions: number): number {
    return isAnswer ? this.answerFlags(tcb, transmissions) : this.synFlags(tcb, transmissions);
  }

  /** The option for our SYN,ACK: not on the second one, which the first may have been dropped for (RFC 9768 §3.2.3.2.2). */
  option(tcb: TransmissionControlBlock, used: TcpOptions, transmissions: number): AccurateEcnOption | undefined {
    const { ecn, options } = tcb;
    if (!(ecn instanceof AccurateEcn) || transmissions > 1 || !options.accurateEcnOption) return undefined;
    return ecn.octetsReceived.option(used, options.optionLayout);
  }

  /** The peer's SYN: what is answered. Also in a simultaneous open, where our own SYN has committed us (RFC 3168 §6.1.1). */
  synArrived(tcb: TransmissionControlBlock, segment: Segment): void {
    const bits = segment.flags & ECN_FLAGS;
    const { asks, answers } = ECN_CHOICES[tcb.options.ecn];
    const best = tcb.passive ? answers : asks;
    this.synField = segment.ecnField;
    // RFC 9768 §3.1.2: every combination that is neither classic nor nothing asks for Accurate ECN, or for what may come after it.
    if (bits === 0 || best === "none") this.answered = "none";
    else if (bits === CLASSIC_SETUP || best === "classic") this.answered = (bits & CLASSIC_SETUP) === CLASSIC_SETUP ? "classic" : "none";
    else this.answered = "accurate";
    if (this.answered !== "none")
      tcb.ecn = this.answered === "accurate" ? new AccurateEcn(segment.options, tcb.options.accurateEcnOption) : new ClassicEcn(true);
  }

  /** The same SYN again. Whoever asks no more may have lost the flags on the way: the answer stays, but nothing is marked. */
  synRepeated(tcb: TransmissionControlBlock, segment: Segment): void {
    this.synField = segment.ecnField;
    if ((segment.flags & CLASSIC_SETUP) === CLASSIC_SETUP) return;
    this.plainSyn = true;
    if (tcb.ecn !== undefined) tcb.ecn.mayMark = false;
  }

  /** A SYN,ACK for our SYN. */
  answerArrived(tcb: TransmissionControlBlock, segment: Segment): void {
    const agreed = this.meaning(segment);
    if (agreed === "classic") tcb.ecn = new ClassicEcn(!this.plainSyn);
    else if (agreed === "accurate") tcb.ecn = this.accurateAnswer(tcb, segment);
    else tcb.ecn = undefined;
  }

  /** The acknowledgment of our SYN,ACK, which in Accurate ECN reflects the SYN,ACK's field (RFC 9768 §3.2.2.1, table 4). */
  acknowledged(tcb: TransmissionControlBlock, segment: Segment): void {
    const { ecn } = tcb;
    if (!(ecn instanceof AccurateEcn)) return;
    const ace = aceOf(segment.flags);
    // §3.2.2.1 note 1: no peer says 0 here. Somebody clears the flags, so no mark would ever be heard of.
    if (ace === 0) ecn.mayMark = false;
    if (segment.payload.length > 0 || (segment.options.sackBlocks?.length ?? 0) > 0) return;
    const field = reflectedField(ace);
    if (field === undefined) return;
    if (tcb.options.ecnFallback && !isPlausibleReflection(NOT_ECT, field)) ecn.mayMark = false;
    else if (field === CE) ecn.countMark();
  }

  private synFlags(tcb: TransmissionControlBlock, transmissions: number): number {
    const { asks } = ECN_CHOICES[tcb.options.ecn];
    if (asks === "none") return 0;
    this.asked = asks;
    const limit = asks === "accurate" ? ACCURATE_SYNS : CLASSIC_SYNS;
    if (tcb.options.ecnFallback && transmissions > limit) {
      this.plainSyn = true;
      return 0;
    }
    return asks === "accurate" ? ACCURATE_SETUP : CLASSIC_SETUP;
  }

  private answerFlags(tcb: TransmissionControlBlock, transmissions: number): number {
    if (this.answered === "classic") return ECE;
    if (this.answered === "none" || (tcb.options.ecnFallback && transmissions > ACCURATE_SYNS)) return 0;
    return flagsOfAce(reflectionOf(this.synField));
  }

  private meaning(segment: Segment): EcnFeedbackKind {
    if (this.asked === "accurate") return MEANING_FOR_ACCURATE[aceOf(segment.flags)];
    // RFC 3168 §6.1.1: ECE alone. Both flags are those of our own SYN, reflected (§6.1.1.2).
    return this.asked === "classic" && (segment.flags & CLASSIC_SETUP) === ECE ? "classic" : "none";
  }

  private accurateAnswer(tcb: TransmissionControlBlock, segment: Segment): EcnFeedback {
    const ecn = new AccurateEcn(segment.options, tcb.options.accurateEcnOption);
    ecn.answerArrived(segment);
    const field = reflectedField(aceOf(segment.flags)) ?? NOT_ECT;
    // §3.2.2.2: our SYN was not ECT; if it arrived as anything else, somebody writes into the field.
    if (tcb.options.ecnFallback && !isPlausibleReflection(NOT_ECT, field)) ecn.mayMark = false;
    return ecn;
  }
}
