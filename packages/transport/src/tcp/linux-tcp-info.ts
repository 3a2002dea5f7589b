// TCP_INFO (tcp(7), RFC 9293 §3.9.1.6): the state of a connection in the fields and units of Linux's struct tcp_info.
import { type Milliseconds, sequenceAdd, sequenceDistance } from "@netstrata/core";
import { AccurateEcn } from "./ecn/accurate-ecn.ts";
import { LinuxAcknowledgment } from "./linux-acknowledgment.ts";
import { RECOVERY_STATES } from "./loss-recovery/loss-recovery.ts";
import { announcedSegmentSize } from "./segment-size.ts";
import type { TcpState } from "./state.ts";
import { ALIGNED_TIMESTAMPS_LENGTH } from "./tcp-options.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** Times in µs where not said otherwise, windows of the sender in segments. What this stack does not know is 0. */
export interface LinuxTcpInfo {
  /** `LINUX_STATE` */
  readonly tcpi_state: number;
  /** `LINUX_CA_STATE` */
  readonly tcpi_ca_state: number;
  /** Timeouts in a row. */
  readonly tcpi_retransmits: number;
  /** Unanswered probes of a closed window or of an idle peer. */
  readonly tcpi_probes: number;
  /** How often the timeout has doubled. */
  readonly tcpi_backoff: number;
  /** `TCPI_OPT` */
  readonly tcpi_options: number;
  readonly tcpi_snd_wscale: number;
  readonly tcpi_rcv_wscale: number;
  /** 1: the last delivery rate was measured while there was too little to send. */
  readonly tcpi_delivery_rate_app_limited: number;
  /** Why Fast Open failed at the client. */
  readonly tcpi_fastopen_client_fail: number;
  readonly tcpi_rto: number;
  /** How long acknowledgments wait now. */
  readonly tcpi_ato: number;
  readonly tcpi_snd_mss: number;
  /** What the peer's segments seem to carry. */
  readonly tcpi_rcv_mss: number;
  readonly tcpi_unacked: number;
  readonly tcpi_sacked: number;
  /** Segments that are believed lost and not known to have arrived since, sent again or not. */
  readonly tcpi_lost: number;
  /** Segments that were sent again and are on their way. */
  readonly tcpi_retrans: number;
  readonly tcpi_fackets: number;
  /** Ms ago, like the next three. */
  readonly tcpi_last_data_sent: number;
  readonly tcpi_last_ack_sent: number;
  readonly tcpi_last_data_recv: number;
  readonly tcpi_last_ack_recv: number;
  readonly tcpi_pmtu: number;
  /** Octets by which the window may be open. */
  readonly tcpi_rcv_ssthresh: number;
  readonly tcpi_rtt: number;
  readonly tcpi_rttvar: number;
  /** 2^31 - 1: none. */
  readonly tcpi_snd_ssthresh: number;
  readonly tcpi_snd_cwnd: number;
  readonly tcpi_advmss: number;
  readonly tcpi_reordering: number;
  /** The round trip as the receiver sees it. */
  readonly tcpi_rcv_rtt: number;
  /** Octets the user read in the last of them. */
  readonly tcpi_rcv_space: number;
  readonly tcpi_total_retrans: number;
  /** Octets a second, like the maximum, which is 2^64 (Linux: 2^64 - 1) where there is none. */
  readonly tcpi_pacing_rate: number;
  readonly tcpi_max_pacing_rate: number;
  readonly tcpi_bytes_acked: number;
  readonly tcpi_bytes_received: number;
  readonly tcpi_segs_out: number;
  readonly tcpi_segs_in: number;
  readonly tcpi_notsent_bytes: number;
  /** 2^32 - 1 before the first measurement. */
  readonly tcpi_min_rtt: number;
  readonly tcpi_data_segs_in: number;
  readonly tcpi_data_segs_out: number;
  /** Octets a second. */
  readonly tcpi_delivery_rate: number;
  readonly tcpi_busy_time: number;
  readonly tcpi_rwnd_limited: number;
  readonly tcpi_sndbuf_limited: number;
  readonly tcpi_delivered: number;
  readonly tcpi_delivered_ce: number;
  readonly tcpi_bytes_sent: number;
  readonly tcpi_bytes_retrans: number;
  readonly tcpi_dsack_dups: number;
  readonly tcpi_reord_seen: number;
  readonly tcpi_rcv_ooopack: number;
  /** Octets, scaled, like the next. */
  readonly tcpi_snd_wnd: number;
  readonly tcpi_rcv_wnd: number;
  readonly tcpi_rehash: number;
  readonly tcpi_total_rto: number;
  readonly tcpi_total_rto_recoveries: number;
  /** Ms. */
  readonly tcpi_total_rto_time: number;
  readonly tcpi_received_ce: number;
  readonly tcpi_delivered_e1_bytes: number;
  readonly tcpi_delivered_e0_bytes: number;
  readonly tcpi_delivered_ce_bytes: number;
  readonly tcpi_received_e1_bytes: number;
  readonly tcpi_received_e0_bytes: number;
  readonly tcpi_received_ce_bytes: number;
  readonly tcpi_ecn_mode: number;
  readonly tcpi_accecn_opt_seen: number;
  readonly tcpi_accecn_fail_mode: number;
  readonly tcpi_options2: number;
}

/** include/net/tcp_states.h. Linux has no socket any more for what is in TIME-WAIT: whoever still holds one sees it closed. */
export const LINUX_STATE: Readonly<Record<TcpState, number>> = {
  ESTABLISHED: 1,
  "SYN-SENT": 2,
  "SYN-RECEIVED": 3,
  "FIN-WAIT-1": 4,
  "FIN-WAIT-2": 5,
  "TIME-WAIT": 7,
  CLOSED: 7,
  "CLOSE-WAIT": 8,
  "LAST-ACK": 9,
  LISTEN: 10,
  CLOSING: 11,
};

/** enum tcp_ca_state */
export const LINUX_CA_STATE = { Open: 0, Disorder: 1, CWR: 2, Recovery: 3, Loss: 4 } as const;

/** enum tcp_fastopen_client_fail */
const FAST_OPEN_FAILURE = { none: 0, noCookie: 1, textNotAcknowledged: 2, synRepeated: 3 } as const;

/** Bits of tcpi_options. */
export const TCPI_OPT = {
  timestamps: 1,
  sack: 2,
  wscale: 4,
  ecn: 8,
  ecnSeen: 16,
  synData: 32,
  usecTimestamps: 64,
  fastOpenChild: 128,
} as const;

const MICROSECONDS = 1000;
const INFINITE_THRESHOLD = 2 ** 31 - 1;
const UNLIMITED_RATE = 2 ** 64;
const UNKNOWN_ROUND_TRIP = 2 ** 32 - 1;
/** TCP_MSS_DEFAULT: rcv_mss before anything has arrived. */
const FIRST_RECEIVE_SIZE = 536;
/** tcp_pacing_ss_ratio and tcp_pacing_ca_ratio: what Linux would pace at when it had to. */
const SLOW_START_PACE = 2;
const AVOIDANCE_PACE = 1.2;

export function linuxTcpInfo(tcb: TransmissionControlBlock): LinuxTcpInfo {
  const now = tcb.clock.now();
  const { snd, rcv, statistics, scoreboard, congestion, recovery, sample, ecn, retransmissionTimeout } = tcb;
  const linux = tcb.acknowledging instanceof LinuxAcknowledgment ? tcb.acknowledging : undefined;
  const accurate = ecn instanceof AccurateEcn ? ecn : undefined;
  const busy = statistics.limitTime("network", now);
  const windowLimited = statistics.limitTime("receive-window", now);
  const bufferLimited = statistics.limitTime("send-buffer", now);
  return {
    tcpi_state: LINUX_STATE[tcb.state],
    tcpi_ca_state: RECOVERY_STATES.indexOf(recovery.state),
    tcpi_retransmits: tcb.timeouts,
    tcpi_probes: tcb.windowProbes + tcb.keepAliveProbesSent,
    tcpi_backoff: tcb.timeouts + tcb.windowProbes,
    tcpi_options: optionBits(tcb),
    tcpi_snd_wscale: snd.shift,
    tcpi_rcv_wscale: rcv.shift,
    tcpi_delivery_rate_app_limited: sample.rate?.applicationLimited === true ? 1 : 0,
    tcpi_fastopen_client_fail: fastOpenFailure(tcb),
    tcpi_rto: microseconds(retransmissionTimeout.value),
    tcpi_ato: microseconds(linux === undefined ? tcb.options.delayedAck : linux.timeout),
    tcpi_snd_mss: tcb.segmentSize,
    tcpi_rcv_mss: linux?.segmentSize || tcb.largestReceived || Math.min(tcb.segmentSize, FIRST_RECEIVE_SIZE),
    tcpi_unacked: scoreboard.count,
    tcpi_sacked: scoreboard.sackedCount + recovery.duplicates,
    tcpi_lost: scoreboard.lostCount,
    tcpi_retrans: scoreboard.resentCount,
    tcpi_fackets: 0,
    tcpi_last_data_sent: Math.floor(now - Math.max(tcb.lastSentAt, statistics.establishedAt)),
    tcpi_last_ack_sent: 0,
    tcpi_last_data_recv: Math.floor(now - statistics.lastTextAt),
    // Whatever arrives in a synchronized state has an acknowledgment.
    tcpi_last_ack_recv: Math.floor(now - tcb.lastReceivedAt),
    tcpi_pmtu: tcb.context.ip.maxSendSize(tcb.remote.address) + (typeof tcb.remote.address === "number" ? 20 : 40),
    tcpi_rcv_ssthresh: Math.min(tcb.receiving.threshold, tcb.receiving.limit),
    tcpi_rtt: microseconds(retransmissionTimeout.smoothed ?? 0),
    tcpi_rttvar: microseconds(retransmissionTimeout.variation ?? 0),
    tcpi_snd_ssthresh: Math.min(INFINITE_THRESHOLD, segments(tcb, congestion.threshold)),
    tcpi_snd_cwnd: Math.max(1, segments(tcb, recovery.window(tcb))),
    tcpi_advmss: announcedSegmentSize(tcb) - (tcb.timestamps.enabled ? ALIGNED_TIMESTAMPS_LENGTH : 0),
    tcpi_reordering: recovery.reordering.degree,
    tcpi_rcv_rtt: microseconds(tcb.receiving.roundTrip.value ?? 0),
    tcpi_rcv_space: tcb.receiving.space,
    tcpi_total_retrans: tcb.segmentsRetransmitted,
    tcpi_pacing_rate: pacingRate(tcb),
    tcpi_max_pacing_rate: UNLIMITED_RATE,
    tcpi_bytes_acked: tcb.bytesAcknowledged,
    tcpi_bytes_received: tcb.bytesReceived,
    tcpi_segs_out: tcb.segmentsOut,
    tcpi_segs_in: tcb.segmentsIn,
    tcpi_notsent_bytes: Math.max(0, sequenceDistance(snd.nxt, sequenceAdd(tcb.bufferStart, tcb.sendBuffer.length))),
    tcpi_min_rtt: statistics.minimumRoundTrip === undefined ? UNKNOWN_ROUND_TRIP : microseconds(statistics.minimumRoundTrip),
    tcpi_data_segs_in: statistics.textSegmentsIn,
    tcpi_data_segs_out: statistics.textSegmentsOut,
    tcpi_delivery_rate: Math.floor(sample.rate?.deliveryRate ?? 0),
    tcpi_busy_time: microseconds(busy + windowLimited + bufferLimited),
    tcpi_rwnd_limited: microseconds(windowLimited),
    tcpi_sndbuf_limited: microseconds(bufferLimited),
    tcpi_delivered: statistics.delivered,
    tcpi_delivered_ce: ecn?.deliveredMarks ?? 0,
    tcpi_bytes_sent: statistics.textOut,
    tcpi_bytes_retrans: statistics.textRepeated,
    tcpi_dsack_dups: statistics.duplicates,
    tcpi_reord_seen: recovery.reordering.timesSeen,
    tcpi_rcv_ooopack: statistics.outOfOrder,
    tcpi_snd_wnd: snd.wnd,
    tcpi_rcv_wnd: rcv.wnd,
    tcpi_rehash: 0,
    tcpi_total_rto: statistics.timeouts,
    tcpi_total_rto_recoveries: statistics.timeoutRecoveries,
    tcpi_total_rto_time: Math.floor(statistics.totalTimeoutTime(now)),
    tcpi_received_ce: accurate?.marksReceived ?? 0,
    tcpi_delivered_e1_bytes: accurate?.octetsReported.ect1 ?? 0,
    tcpi_delivered_e0_bytes: accurate?.octetsReported.ect0 ?? 0,
    tcpi_delivered_ce_bytes: accurate?.octetsReported.ce ?? 0,
    tcpi_received_e1_bytes: accurate?.octetsReceived.ect1 ?? 0,
    tcpi_received_e0_bytes: accurate?.octetsReceived.ect0 ?? 0,
    tcpi_received_ce_bytes: accurate?.octetsReceived.ce ?? 0,
    tcpi_ecn_mode: ecn === undefined ? 0 : accurate === undefined ? 1 : 2,
    tcpi_accecn_opt_seen: 0,
    tcpi_accecn_fail_mode: 0,
    tcpi_options2: 0,
  };
}

function microseconds(time: Milliseconds): number {
  return Math.floor(time * MICROSECONDS);
}

function segments(tcb: TransmissionControlBlock, octets: number): number {
  return Math.floor(octets / tcb.segmentSize);
}

function optionBits(tcb: TransmissionControlBlock): number {
  let bits = 0;
  if (tcb.timestamps.enabled) bits |= TCPI_OPT.timestamps;
  if (tcb.sackPermitted) bits |= TCPI_OPT.sack;
  if (tcb.peerScales) bits |= TCPI_OPT.wscale;
  if (tcb.ecn !== undefined) bits |= TCPI_OPT.ecn;
  if (tcb.synTextAcknowledged) bits |= TCPI_OPT.synData;
  if (tcb.passive && tcb.synTextAcknowledged) bits |= TCPI_OPT.fastOpenChild;
  if (tcb.ecn?.hasSeenField) bits |= TCPI_OPT.ecnSeen;
  if (tcb.synTextAcknowledged) bits |= TCPI_OPT.synData;
  return bits;
}

/** Why text did not go with our SYN, or was not taken. */
function fastOpenFailure({ passive, fastOpen, synTextAcknowledged, state, statistics }: TransmissionControlBlock): number {
  if (passive || fastOpen === undefined || synTextAcknowledged || state === "SYN-SENT") return FAST_OPEN_FAILURE.none;
  if (fastOpen.length === 0) return FAST_OPEN_FAILURE.noCookie;
  return statistics.timeouts > 0 ? FAST_OPEN_FAILURE.synRepeated : FAST_OPEN_FAILURE.textNotAcknowledged;
}

/** What the algorithm asks for, else what Linux reckons from window and round trip. */
function pacingRate(tcb: TransmissionControlBlock): number {
  const { congestion, retransmissionTimeout } = tcb;
  if (congestion.pacingRate !== undefined && Number.isFinite(congestion.pacingRate)) return Math.floor(congestion.pacingRate);
  const { smoothed } = retransmissionTimeout;
  if (smoothed === undefined || smoothed === 0) return UNLIMITED_RATE;
  const factor = congestion.window < congestion.threshold / 2 ? SLOW_START_PACE : AVOIDANCE_PACE;
  return Math.floor((factor * congestion.window * 1000) / smoothed);
}
