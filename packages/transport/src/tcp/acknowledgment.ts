// Fifth, check the ACK field (RFC 9293 §3.10.7.4): SND.UNA, the send window, the round trip, loss recovery and congestion control.
import { isAfter, isBefore, sequenceDistance } from "@netstrata/core";
import type { Acknowledged } from "./scoreboard.ts";
import type { Segment } from "./segment.ts";
import { armRetransmission, retransmit } from "./sender.ts";
import type { TcpCongestionEvent, TcpRoundTripEvent, TcpWindowEvent } from "./tcp-events.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** Filled by the scoreboard; one is enough, because events do not overlap. */
const removed: Acknowledged = { sentAt: 0, retransmittedAt: 0 };

/** Takes an acknowledgment with SND.UNA =< SEG.ACK =< SND.NXT. */
export function acknowledge(tcb: TransmissionControlBlock, segment: Segment): void {
  const { snd } = tcb;
  const window = segment.window * 2 ** snd.shift;
  if (isAfter(segment.ack, snd.una)) {
    newAcknowledgment(tcb, segment.ack);
  } else if (isDuplicate(tcb, segment, window)) {
    duplicateAcknowledgment(tcb);
  }
  updateSendWindow(tcb, segment, window);
}

/** RFC 5681 §2: the five conditions. */
function isDuplicate(tcb: TransmissionControlBlock, segment: Segment, window: number): boolean {
  return !tcb.scoreboard.isEmpty && segment.length === 0 && segment.ack === tcb.snd.una && window === tcb.snd.wnd && window > 0;
}

function newAcknowledgment(tcb: TransmissionControlBlock, ack: number): void {
  const { snd, scoreboard, congestion, recovery } = tcb;
  const octets = sequenceDistance(snd.una, ack);
  scoreboard.acknowledge(ack, removed);
  // The FIN takes a sequence number, but no place in the buffer. (The SYN's was taken off before, in SYN-SENT or SYN-RECEIVED.)
  const text = Math.min(octets, tcb.sendBuffer.length);
  if (text > 0) {
    tcb.sendBuffer.acknowledge(text);
    tcb.bytesAcknowledged += text;
  }
  snd.una = ack;
  tcb.timeouts = 0;
  tcb.softError = undefined;
  if (snd.up !== undefined && !isBefore(ack, snd.up)) snd.up = undefined;
  // RFC 6298 §3, Karn's rule: nothing is measured by segments that were sent twice.
  const now = tcb.clock.now();
  if (removed.retransmittedAt !== Number.NEGATIVE_INFINITY)
    tcb.retransmissionTimeout.retransmissionAcknowledged(now - removed.retransmittedAt);
  else if (removed.sentAt !== Number.NEGATIVE_INFINITY) measureRoundTrip(tcb, now - removed.sentAt);
  const decision = recovery.acknowledged(ack);
  if (decision === "no-recovery") congestion.acknowledged(octets, tcb.congestionLimited, tcb.clock.now());
  else if (decision === "partial") {
    // RFC 6582 §3.2 step 3: the next hole of the same window.
    congestion.partialInRecovery(octets);
    retransmitFirst(tcb, "partial-acknowledgment");
  } else {
    congestion.leaveRecovery(tcb.flightSize);
    reportCongestion(tcb, "leave-recovery");
  }
  // RFC 6298 §5.2 and §5.3: off when all is acknowledged, else counted anew.
  if (scoreboard.isEmpty) tcb.disarm("retransmission");
  else armRetransmission(tcb);
  if (tcb.sendBlocked && tcb.sendBuffer.length < tcb.options.sendBuffer) {
    tcb.sendBlocked = false;
    tcb.pending.writable = true;
  }
  // RFC 1122 §3.3.1.4: forward progress is proof of a living next hop.
  tcb.context.ip.confirmReachability(tcb.remote.address);
}

function duplicateAcknowledgment(tcb: TransmissionControlBlock): void {
  const { snd, congestion, recovery } = tcb;
  const decision = recovery.duplicate(snd.una, snd.nxt);
  if (decision === "inflate") congestion.duplicateInRecovery();
  if (decision !== "retransmit") return;
  // RFC 5681 §3.2 step 2: what limited transmit sent beyond the window does not count.
  congestion.enterRecovery(Math.min(tcb.flightSize, congestion.window));
  tcb.context.counters.TCPRenoRecovery += 1;
  reportCongestion(tcb, "enter-recovery");
  retransmitFirst(tcb, "fast-retransmit");
}

function retransmitFirst(tcb: TransmissionControlBlock, reason: "fast-retransmit" | "partial-acknowledgment"): void {
  const first = tcb.scoreboard.first();
  if (first !== undefined) retransmit(tcb, first, reason);
}

function measureRoundTrip(tcb: TransmissionControlBlock, measured: number): void {
  tcb.retransmissionTimeout.measured(measured, tcb.options.rtoMinimum);
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const event: TcpRoundTripEvent = {
    layer: "tcp",
    kind: "round-trip",
    local: tcb.local,
    remote: tcb.remote,
    measured,
    retransmissionTimeout: tcb.retransmissionTimeout.value,
  };
  observer.observe(event);
}

/** Old segments must not bring old windows back: SND.WL1 and SND.WL2 tell which news is newest. */
function updateSendWindow(tcb: TransmissionControlBlock, segment: Segment, window: number): void {
  const { snd } = tcb;
  if (!isBefore(snd.wl1, segment.seq) && !(snd.wl1 === segment.seq && !isAfter(snd.wl2, segment.ack))) return;
  const before = snd.wnd;
  setSendWindow(tcb, segment, window);
  if ((before === 0) === (window === 0)) return;
  // An opened window ends the back-off of the probes.
  if (before === 0) {
    tcb.windowOpenedAt = tcb.clock.now();
    tcb.disarm("persist");
    tcb.retransmissionTimeout.endBackOff();
    if (!tcb.scoreboard.isEmpty) {
      // What was sent into the closed window was thrown away.
      tcb.scoreboard.markAllLost();
      tcb.lossReason = "window-probe";
      armRetransmission(tcb);
    }
  }
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const event: TcpWindowEvent = { layer: "tcp", kind: "window", local: tcb.local, remote: tcb.remote, window };
  observer.observe(event);
}

/** SND.WND, SND.WL1, SND.WL2 and MAX.SND.WND from a segment. */
export function setSendWindow(tcb: TransmissionControlBlock, segment: Segment, window: number): void {
  const { snd } = tcb;
  snd.wnd = window;
  snd.wl1 = segment.seq;
  snd.wl2 = segment.ack;
  snd.maxWnd = Math.max(snd.maxWnd, window);
}

export function reportCongestion(tcb: TransmissionControlBlock, reason: TcpCongestionEvent["reason"]): void {
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  const { window, threshold } = tcb.congestion;
  const event: TcpCongestionEvent = { layer: "tcp", kind: "congestion", local: tcb.local, remote: tcb.remote, reason, window, threshold };
  observer.observe(event);
}
