// Our stack plays one end of a recorded connection; the recording's packets are the other end.
import { type Milliseconds, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { ACK, FIN, RST, SYN, type TcpStackOptions } from "@netstrata/transport";
import { ANSWER_TIME, type ExpectedAnswer, missingOf } from "./answer-check.ts";
import { missingAtEnd, unsentOf } from "./ending-check.ts";
import { OwnOutput } from "./own-output.ts";
import { unexpectedIn } from "./own-segment-check.ts";
import type { RecordedDatagram } from "./recorded-datagram.ts";
import type { RecordedError } from "./recorded-message.ts";
import { has, isOpening, type RecordedSegment, segmentLength } from "./recorded-segment.ts";
import { isSegment } from "./recording.ts";
import { ReplayHost, type SentDatagram } from "./replay-host.ts";
import type { Divergence, Liberties } from "./replay-report.ts";
import { acknowledgmentOnly, mappingFor, mapQuotation, mapSegment, type SegmentMapping } from "./segment-mapping.ts";
import { StreamUser } from "./stream-user.ts";
import { optionsFor, type TcpPlan } from "./tcp-plan.ts";

/** How long a packet of the peer may wait for octets of ours that it acknowledges, on the virtual clock. */
export const DEFAULT_WAIT_LIMIT: Milliseconds = 120_000;

export interface TcpReplayOptions {
  /** Of our stack's random numbers. @default 1 */
  readonly seed?: number;
  /** @default 120000 ms */
  readonly waitLimit?: Milliseconds;
  /** Of our stack's TCP, besides what the recording asks for. */
  readonly tcp?: TcpStackOptions;
}

export class TcpPlayer {
  readonly output: OwnOutput;
  readonly user: StreamUser;
  divergence: Divergence | undefined;
  private readonly plan: TcpPlan;
  private readonly host: ReplayHost;
  private readonly waitLimit: Milliseconds;
  private readonly answers: ExpectedAnswer[] = [];
  /** The peer's packets that acknowledge what the application at our end has not sent yet, and those behind them. */
  private readonly held: (RecordedSegment | RecordedError)[] = [];
  /** How much of our place numbers the application has been told to send: text, SYN and FIN. */
  private reach = 0;
  /** The place behind everything of the peer that our stack was given. */
  private injected = 0;
  /** How many packets of ours had been sent when the last packet came that asks for an answer. */
  private lastAsked = 0;
  private reviewed = 0;
  private acknowledgedByPeer = 0;
  private peerHasReset = false;
  /** A packet of the peer came after the connection had ended at our end. */
  private heardWhenClosed = false;
  private acknowledgmentsSplit = 0;
  private longestWait: Milliseconds = 0;

  constructor(plan: TcpPlan, options: TcpReplayOptions = {}) {
    this.plan = plan;
    this.waitLimit = options.waitLimit ?? DEFAULT_WAIT_LIMIT;
    const { own, peer, events } = plan.recording;
    this.host = new ReplayHost(plan.recording, events[0].datagram.time, options.seed ?? 1, { ...optionsFor(plan), ...options.tcp });
    this.output = new OwnOutput(plan.peer.isn);
    this.user = new StreamUser(plan.own.stream.bytes, plan.peer.stream.bytes);
    // A simultaneous open: the peer's SYN was seen first, ours is under way.
    if (plan.role === "active" && !events[0].fromOwn) this.open();
    if (plan.role !== "passive") return;
    const listener = this.host.tcp.listen(own, {
      acceptable: (waiting) => {
        const connection = waiting.accept();
        if (connection?.remote.port === peer.port && connection.remote.address === peer.address) this.user.start(connection);
      },
    });
    if (typeof listener === "string") throw new Error(`listen: ${listener}`);
  }

  get liberties(): Liberties {
    const { acknowledgmentsSplit, longestWait } = this;
    return { retransmissions: this.output.retransmissions, acknowledgmentsSplit, longestWait };
  }

  /** Plays to the end, or to the first divergence. */
  play(): void {
    for (const event of this.plan.recording.events) {
      this.passTime(event.datagram.time);
      if (this.divergence !== undefined) return;
      if (!event.fromOwn) this.held.push(event);
      else if (isSegment(event)) this.act(event);
      this.deliverHeld();
      if (this.divergence !== undefined) return;
    }
    if (this.held.length > 0)
      this.diverge("that its packets come in an order in which they can be answered", "one that waits for ever", this.held[0].datagram);
    this.passTime(this.answers.at(-1)?.deadline ?? this.host.clock.now());
    this.finish();
  }

  close(): void {
    this.host.close();
  }

  /** Runs the clock, and looks at each answer when its time is up. */
  private passTime(time: Milliseconds): void {
    while (this.answers.length > 0 && this.answers[0].deadline <= time && this.divergence === undefined) {
      const answer = this.answers[0];
      this.runUntil(answer.deadline);
      if (this.divergence !== undefined) return;
      this.answers.shift();
      if (this.peerHasReset) continue;
      const missing = missingOf(answer, this.output);
      if (missing !== undefined) this.diverge(missing.expected, missing.found, answer.recorded.datagram);
    }
    if (this.divergence === undefined) this.runUntil(time);
  }

  private runUntil(time: Milliseconds): void {
    this.host.clock.runUntil(Math.max(time, this.host.clock.now()));
    this.review();
  }

  /** A recorded packet of our end: the application does what it did then. */
  private act(segment: RecordedSegment): void {
    const { plan, user } = this;
    const place = sequenceDistance(plan.own.isn, segment.seq);
    const text = has(segment, SYN) ? place + 1 : place;
    if (isOpening(segment) && plan.role === "active" && user.connection === undefined) this.open();
    this.reach = Math.max(this.reach, has(segment, RST) ? 0 : place + segmentLength(segment));
    user.give(text - 1 + segment.payload.length);
    if (has(segment, FIN)) user.close(plan.own.closesBoth);
    const acknowledges = has(segment, ACK) && !has(segment, RST) ? sequenceDistance(plan.peer.isn, segment.ack) : 0;
    const deadline = Math.max(segment.datagram.time, this.host.clock.now()) + ANSWER_TIME;
    // A RST from a connection that is gone answers a packet; one that the capture never saw is not there to be answered.
    if (has(segment, RST) && user.connection?.state === "CLOSED" && !this.heardWhenClosed) return;
    this.answers.push({ recorded: segment, acknowledges, after: this.lastAsked, deadline });
    this.review();
    // Our TCP may have reset the connection by itself already.
    if (has(segment, RST) && this.output.lastReset < this.lastAsked) this.abort();
  }

  /** The application gives up. What was still to be acknowledged is not. */
  private abort(): void {
    this.user.connection?.abort();
    this.answers.splice(0, this.answers.length - 1);
    this.review();
  }

  private open(): void {
    const { own, peer } = this.plan.recording;
    const connection = this.host.tcp.open(peer, this.user, { local: own });
    if (typeof connection === "string") throw new Error(`open: ${connection}`);
    this.user.start(connection);
  }

  /** Delivers the peer's packets for which the time has come: those that acknowledge only what our stack has sent. */
  private deliverHeld(): void {
    while (this.held.length > 0 && this.divergence === undefined) {
      const event = this.held[0];
      if (isSegment(event) && !this.prepare(event)) return;
      this.held.shift();
      if (isSegment(event)) this.deliver(event);
      else this.host.deliver(mapQuotation(event, this.mapping.shift));
      this.review();
    }
  }

  /** Waits until our stack has sent what the segment acknowledges; false when the application has not come so far. */
  private prepare(segment: RecordedSegment): boolean {
    const { plan, output } = this;
    if (!has(segment, ACK) || plan.own.syn === undefined || !this.isUnderstood(segment)) return true;
    const wanted = sequenceDistance(plan.own.isn, segment.ack);
    // Its peer would not have acknowledged what nobody ever sent: such a number is meant to be refused.
    if (wanted > plan.own.stream.length + 2) return true;
    if (wanted > this.reach) return false;
    const start = this.host.clock.now();
    while (output.end < wanted && this.divergence === undefined && !this.user.isOver) {
      const before = output.end;
      if (before > this.acknowledgedByPeer) this.acknowledgeInSteps(segment, before);
      else if (!this.stepTo(start + this.waitLimit)) {
        this.diverge(
          `that octet ${wanted - 1} is sent within ${this.waitLimit} ms`,
          `octets up to ${output.end - 1} were sent`,
          segment.datagram,
        );
      }
    }
    this.longestWait = Math.max(this.longestWait, this.host.clock.now() - start);
    return true;
  }

  /** The peer acknowledges what there is: with that our stack may send more. */
  private acknowledgeInSteps(segment: RecordedSegment, place: number): void {
    this.acknowledgedByPeer = place;
    this.acknowledgmentsSplit += 1;
    this.host.deliver(acknowledgmentOnly(segment, sequenceAdd(this.output.isn ?? 0, place), this.mapping));
    this.review();
  }

  /** Runs the next timer, if it expires before `limit`. */
  private stepTo(limit: Milliseconds): boolean {
    const { clock } = this.host;
    const next = clock.next();
    if (next === undefined || next > limit) return false;
    clock.step();
    this.review();
    return true;
  }

  private deliver(segment: RecordedSegment): void {
    const { plan } = this;
    const place = sequenceDistance(plan.peer.isn, segment.seq);
    const length = segmentLength(segment);
    const understood = this.isUnderstood(segment);
    if (understood && !has(segment, RST) && (length > 0 || place < this.injected)) this.lastAsked = this.output.count;
    if (understood && !has(segment, RST)) this.injected = Math.max(this.injected, place + length);
    if (understood && has(segment, RST)) this.peerHasReset = true;
    if (this.user.connection?.state === "CLOSED") this.heardWhenClosed = true;
    if (has(segment, ACK)) this.acknowledgedByPeer = Math.max(this.acknowledgedByPeer, sequenceDistance(plan.own.isn, segment.ack));
    this.host.deliver(mapSegment(segment, this.mapping));
  }

  /** Its checksums are right, or were made right behind the capture. */
  private isUnderstood({ checksumGood }: RecordedSegment): boolean {
    return checksumGood || this.plan.peer.checksumsLater;
  }

  private get mapping(): SegmentMapping {
    return mappingFor(this.plan, this.output);
  }

  /** Looks at everything that our stack has sent since the last time. */
  private review(): void {
    for (; this.reviewed < this.host.sent.length && this.divergence === undefined; this.reviewed += 1) {
      const sent = this.host.sent[this.reviewed];
      const own = this.output.take(sent);
      if (own === undefined || (has(own.segment, RST) && this.hasEndedInOrder)) continue;
      const unexpected = unexpectedIn(own, this.plan, this.injected);
      if (unexpected !== undefined) this.diverge(unexpected.expected, unexpected.found, undefined, sent);
    }
  }

  /**
   * Our connection is CLOSED, and nothing went wrong. The recorded one may have lived on, because the last acknowledgment was
   * lost behind the place of the capture; what then comes for it is answered with RST (RFC 9293 §3.10.7.1).
   */
  private get hasEndedInOrder(): boolean {
    return this.plan.ends && this.user.connection?.state === "CLOSED" && this.user.error === undefined;
  }

  /** What can only be said at the end. */
  private finish(): void {
    const limit = this.host.clock.now() + this.waitLimit;
    let missing = unsentOf(this.plan, this.output);
    while (missing !== undefined && this.divergence === undefined && this.stepTo(limit)) missing = unsentOf(this.plan, this.output);
    missing ??= missingAtEnd(this.plan, this.user);
    if (missing !== undefined) this.diverge(missing.expected, missing.found);
  }

  private diverge(expected: string, found: string, recorded?: RecordedDatagram, ours: SentDatagram | undefined = this.output.last): void {
    this.divergence ??= {
      expected,
      found,
      recorded: recorded && { number: recorded.number, time: recorded.time, bytes: recorded.bytes },
      ours: ours && { number: undefined, time: ours.time, bytes: ours.bytes },
    };
  }
}
