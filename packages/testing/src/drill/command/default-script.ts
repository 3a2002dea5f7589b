// What `defaults.sh` of the public suites sets up, for scripts that call it without having it beside them.

/** The values that Linux's own scripts are written for. */
export const LINUX_DEFAULTS: Readonly<Record<string, string>> = {
  "net.ipv4.tcp_rmem": `4096 540000 ${15 * 1024 * 1024}`,
  "net.ipv4.tcp_wmem": `4096 ${256 * 1024} 4194304`,
  "net.ipv4.tcp_timestamps": "1",
  "net.ipv4.tcp_syn_retries": "5",
  "net.ipv4.tcp_synack_retries": "5",
  "net.ipv4.tcp_frto": "2",
  "net.ipv4.tcp_sack": "1",
  "net.ipv4.tcp_dsack": "1",
  "net.ipv4.tcp_congestion_control": "cubic",
  "net.ipv4.tcp_slow_start_after_idle": "0",
  "net.ipv4.tcp_early_retrans": "4",
  "net.ipv4.tcp_recovery": "1",
  "net.ipv4.tcp_ecn": "0",
  "net.ipv4.tcp_fastopen": "3",
  "net.ipv4.tcp_fastopen_key": "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
  "net.ipv4.tcp_syncookies": "1",
};
