// Personalities: presets of defaults that make the stack choose as a named system does, where RFC 9293 leaves a choice.
import type { TcpStackOptions } from "./tcp.ts";

/** Whose choices a stack makes where the RFCs leave one: their own recommendations, Linux 6.x, or FreeBSD 14. */
export type PersonalityName = "rfc" | "linux" | "freebsd";

/** What a personality chooses; the same fields can be given to `Tcp` one by one, and what is given wins. */
export type Personality = Omit<TcpStackOptions, "personality">;

/** The defaults of `connection-options.ts` are the RFCs' recommendations, so there is nothing to change. */
const RFC: Personality = {};

/** Linux 6.x with the sysctls it boots with; the comment behind a value is the name there. */
const LINUX: Personality = {
  // net.ipv4.tcp_rmem, half of which is for the text (tcp_adv_win_scale), and tcp_wmem.
  receiveBuffer: 65_536,
  receiveBufferMaximum: 6_291_456,
  sendBufferMaximum: 4_194_304,
  windowGrowth: "gradual", // tcp_grow_window()
  minimumSegmentSize: 48, // tcp_min_snd_mss
  optionLayout: "linux",
  paws: "linux",
  nagle: "minshall",
  acknowledgments: "linux",
  delayedAck: 40, // TCP_DELACK_MIN
  rtoMinimum: 200, // TCP_RTO_MIN
  rtoMaximum: 120_000, // TCP_RTO_MAX
  rtoEstimator: "linux", // tcp_rtt_estimator()
  retryCounting: "time", // retransmits_timed_out()
  userTimeout: Number.POSITIVE_INFINITY, // TCP_USER_TIMEOUT is off
  retries: 15, // tcp_retries2
  orphanRetries: 8, // tcp_orphan_retries of 0
  synTimeout: Number.POSITIVE_INFINITY,
  synRetries: 6, // tcp_syn_retries
  synLinearTimeouts: 4, // tcp_syn_linear_timeouts
  synAckRetries: 5, // tcp_synack_retries
  challengeAcks: 1,
  challengeInterval: 500, // tcp_invalid_ratelimit
  challengeAcksPerSecond: Number.POSITIVE_INFINITY, // tcp_challenge_ack_limit
  unreachableEndsHandshake: true, // tcp_v4_err()
  zeroWindowProbe: "empty", // tcp_xmit_probe_skb()
  resetOnTimeout: false, // tcp_write_err()
  resetWithAck: true, // tcp_send_active_reset()
  congestionAccounting: "segments",
  slowStartLimit: Number.POSITIVE_INFINITY, // RFC 3465 without a limit
  initialWindow: 10, // TCP_INIT_CWND
  windowValidation: "linux",
  burstSegments: 2, // tcp_min_tso_segs
  unpacedSegments: 10, // tcp_update_skb_after_send()
  timeWait: 60_000, // TCP_TIMEWAIT_LEN
  timeWaitFeedback: false, // struct tcp_timewait_sock has no counters
  finWait2: 60_000, // tcp_fin_timeout
  keepAliveIdle: 7_200_000, // tcp_keepalive_time
  keepAliveInterval: 75_000, // tcp_keepalive_intvl
  keepAliveProbes: 9, // tcp_keepalive_probes
  portRange: { first: 32768, last: 60999 }, // ip_local_port_range
};

/** FreeBSD 14, its base stack; the comment behind a value is the sysctl below net.inet.tcp. */
const FREEBSD: Personality = {
  receiveBuffer: 65_536, // recvspace
  receiveBufferMaximum: 2_097_152, // recvbuf_max
  sendBuffer: 32_768, // sendspace
  sendBufferMaximum: 2_097_152, // sendbuf_max
  minimumSegmentSize: 216, // minmss
  optionLayout: "freebsd",
  windowScale: 6, // by kern.ipc.maxsockbuf
  paws: "freebsd",
  acknowledgments: "freebsd",
  lossRecovery: "sack", // the base stack counts reports; rack is a stack of its own
  tailLossProbe: false,
  frto: false,
  delayedAck: 40, // delacktime
  rtoMinimum: 230, // rexmit_min and rexmit_slop
  initialWindow: 10, // initcwnd_segments
  slowStartLimit: 2, // abc_l_var
  rtoMaximum: 64_000, // TCPTV_REXMTMAX
  userTimeout: Number.POSITIVE_INFINITY,
  retries: 12, // retries
  synTimeout: 75_000, // keepinit
  synLinearTimeouts: 4, // tcp_syn_backoff[]
  synAckRetries: 3, // syncache.rexmtlimit
  resetWithAck: true, // tcp_outflags[TCPS_CLOSED]
  timeWait: 60_000, // 2 × msl
  finWait2: 60_000, // finwait2_timeout
  keepAlive: true, // always_keepalive
  keepAliveIdle: 7_200_000, // keepidle
  keepAliveInterval: 75_000, // keepintvl
  keepAliveProbes: 8, // keepcnt
  portRange: { first: 49152, last: 65535 }, // net.inet.ip.portrange
};

export const PERSONALITIES: Readonly<Record<PersonalityName, Personality>> = { rfc: RFC, linux: LINUX, freebsd: FREEBSD };

/** The stack's options with the personality's choices filled in wherever `options` leaves one. */
export function withPersonality(options: TcpStackOptions): TcpStackOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const preset = PERSONALITIES[options.personality ?? "rfc"];
  // A size that is chosen alone is no longer the preset's, and so is not its maximum (`maximumOf` in connection-options.ts).
  return {
    ...preset,
    receiveBufferMaximum: options.receiveBuffer === undefined ? preset.receiveBufferMaximum : undefined,
    sendBufferMaximum: options.sendBuffer === undefined ? preset.sendBufferMaximum : undefined,
    ...given,
  };
}
