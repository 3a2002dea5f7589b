// Linux's settings below net.* (Documentation/networking/ip-sysctl.rst): what each means to this stack.
import { choice, flag, number, onlyOff, onlyValue, option, type SysctlTable, seconds, triple, withoutEffect } from "./sysctl-value.ts";

const CONGESTION_CONTROLS = { reno: "newreno", newreno: "newreno", cubic: "cubic", bbr: "bbr", bbr2: "bbr", bbr3: "bbr" } as const;

/** The backlog of listeners that are not asked. */
const SOMAXCONN = 4096;

export const LINUX_SYSCTLS: SysctlTable = new Map([
  // Half of what Linux counts in a receive buffer is for the text.
  ["net.ipv4.tcp_rmem", triple("receiveBuffer", "receiveBufferMaximum", 2)],
  ["net.ipv4.tcp_wmem", triple("sendBuffer", "sendBufferMaximum", 1)],
  ["net.ipv4.tcp_moderate_rcvbuf", flag("autoTuning")],
  ["net.ipv4.tcp_timestamps", flag("timestamps")],
  ["net.ipv4.tcp_window_scaling", flag("windowScaling")],
  ["net.ipv4.tcp_sack", flag("sack")],
  ["net.ipv4.tcp_dsack", flag("dsack")],
  ["net.ipv4.tcp_frto", flag("frto")],
  // 3 and 4 turn tail loss probes on.
  ["net.ipv4.tcp_early_retrans", option("tailLossProbe", (value) => Number(value) >= 3)],
  ["net.ipv4.tcp_recovery", option("lossRecovery", (value) => ((Number(value) & 1) === 0 ? "sack" : "rack"))],
  ["net.ipv4.tcp_congestion_control", choice("congestionControl", CONGESTION_CONTROLS)],
  ["net.ipv4.tcp_slow_start_after_idle", flag("slowStartAfterIdle")],
  ["net.ipv4.tcp_ecn", choice("ecn", { 0: "off", 1: "on", 2: "passive", 3: "accurate", 4: "accurate-answer", 5: "accurate-passive" })],
  ["net.ipv4.tcp_ecn_fallback", flag("ecnFallback")],
  // 1 sends the option only where something has changed, 2 wherever it fits: which of them, the stack decides.
  ["net.ipv4.tcp_ecn_option", flag("accurateEcnOption")],
  ["net.ipv4.tcp_fastopen", option("fastOpen", fastOpen)],
  ["net.ipv4.tcp_fastopen_key", option("fastOpenKey", fastOpenKey)],
  ["net.ipv4.tcp_retries2", number("retries")],
  ["net.ipv4.tcp_orphan_retries", option("orphanRetries", (value) => Number(value) || 8)],
  ["net.ipv4.tcp_syn_linear_timeouts", number("synLinearTimeouts")],
  ["net.ipv4.tcp_min_tso_segs", number("burstSegments")],
  ["net.ipv4.tcp_tso_win_divisor", option("burstDivisor", (value) => Number(value) || Number.POSITIVE_INFINITY)],
  ["net.ipv4.tcp_invalid_ratelimit", number("challengeInterval")],
  ["net.ipv4.tcp_min_snd_mss", number("minimumSegmentSize")],
  ["net.ipv4.tcp_syncookies", choice("synCookies", { 0: "never", 1: "pressure", 2: "always" })],
  ["net.ipv4.tcp_syn_retries", number("synRetries")],
  ["net.ipv4.tcp_synack_retries", number("synAckRetries")],
  ["net.ipv4.tcp_max_orphans", number("maxOrphans")],
  ["net.ipv4.tcp_fin_timeout", seconds("finWait2")],
  ["net.ipv4.tcp_keepalive_time", seconds("keepAliveIdle")],
  ["net.ipv4.tcp_keepalive_intvl", seconds("keepAliveInterval")],
  ["net.ipv4.tcp_keepalive_probes", number("keepAliveProbes")],
  // 2 is for the loopback interface alone.
  ["net.ipv4.tcp_tw_reuse", choice("timeWaitReuse", { 0: "passive", 1: "always", 2: "passive" })],
  ["net.ipv4.tcp_rto_min_us", option("rtoMinimum", (value) => Number(value) / 1000)],
  ["net.ipv4.tcp_rto_max_ms", number("rtoMaximum")],
  // What they turn on, this stack has not.
  ...onlyOff(
    "net.ipv4",
    "tcp_shrink_window tcp_mtu_probing tcp_stdurg tcp_workaround_signed_windows tcp_thin_linear_timeouts tcp_thin_dupack tcp_reflect_tos tcp_plb_enabled tcp_abort_on_overflow tcp_rfc1337",
  ),
  ["net.ipv4.tcp_reordering", onlyValue("3")],
  ["net.ipv4.tcp_retries1", onlyValue("3")],
  // Other ways to the same packets, or about what no packet shows.
  ...withoutEffect(
    "net.ipv4",
    "tcp_fack tcp_mem tcp_tso_rtt_log tcp_pacing_ss_ratio tcp_pacing_ca_ratio tcp_low_latency tcp_no_metrics_save tcp_no_ssthresh_metrics_save tcp_limit_output_bytes tcp_autocorking tcp_challenge_ack_limit tcp_max_tw_buckets tcp_available_congestion_control tcp_allowed_congestion_control tcp_backlog_ack_defer tcp_ecn_option_beacon tcp_collapse_max_bytes tcp_app_win tcp_adv_win_scale tcp_probe_interval tcp_probe_threshold tcp_notsent_lowat ip_forward route.flush tcp_max_syn_backlog icmp_ratelimit icmp_msgs_per_sec icmp_msgs_burst tcp_fwmark_accept tcp_migrate_req tcp_l3mdev_accept ip_local_port_range ip_no_pmtu_disc tcp_comp_sack_nr tcp_comp_sack_delay_ns tcp_comp_sack_slack_ns",
  ),
  ...withoutEffect(
    "net.core",
    "default_qdisc netdev_max_backlog somaxconn rmem_max wmem_max rmem_default wmem_default optmem_max busy_poll busy_read rps_sock_flow_entries netdev_budget high_order_alloc_disable",
  ),
  ...withoutEffect("net.ipv4.conf", "all.rp_filter default.rp_filter tun0.rp_filter all.accept_redirects all.send_redirects"),
]);

/** The bits of tcp_fastopen. The last has every listener take part, as if it had set TCP_FASTOPEN. */
function fastOpen(text: string): unknown {
  const bits = Number(text);
  if (!Number.isInteger(bits)) return undefined;
  const has = (bit: number): boolean => (bits & bit) !== 0;
  return {
    client: has(0x1),
    server: has(0x2),
    clientWithoutCookie: has(0x4),
    serverWithoutCookie: has(0x200),
    backlog: has(0x400) ? SOMAXCONN : 0,
  };
}

/** One key or two, each of four words in hexadecimal. */
function fastOpenKey(text: string): unknown {
  const keys = text.split(",").map((key) => key.split("-").map((word) => Number.parseInt(word, 16)));
  if (keys.some((words) => words.length !== 4 || words.some(Number.isNaN))) return undefined;
  const octets = new DataView(new ArrayBuffer(16 * keys.length));
  for (const [index, word] of keys.flat().entries()) octets.setUint32(4 * index, word, true);
  return new Uint8Array(octets.buffer);
}
