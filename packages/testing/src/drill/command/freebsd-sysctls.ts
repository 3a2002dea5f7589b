// FreeBSD's settings below net.inet.tcp (tcp(4)): what each means to this stack.
import { choice, flag, number, option, type SysctlTable, seconds, withoutEffect } from "./sysctl-value.ts";

const CONGESTION_CONTROLS = { newreno: "newreno", cubic: "cubic" } as const;

export const FREEBSD_SYSCTLS: SysctlTable = new Map([
  ["net.inet.tcp.rfc1323", [...flag("timestamps"), ...flag("windowScaling")]],
  ["net.inet.tcp.sack.enable", flag("sack")],
  ["net.inet.tcp.recvspace", number("receiveBuffer")],
  ["net.inet.tcp.sendspace", number("sendBuffer")],
  ["net.inet.tcp.recvbuf_auto", flag("autoTuning")],
  ["net.inet.tcp.recvbuf_max", number("receiveBufferMaximum")],
  ["net.inet.tcp.sendbuf_max", number("sendBufferMaximum")],
  ["net.inet.tcp.delacktime", number("delayedAck")],
  ["net.inet.tcp.cc.algorithm", choice("congestionControl", CONGESTION_CONTROLS)],
  ["net.inet.tcp.initcwnd_segments", number("initialWindow")],
  ["net.inet.tcp.msl", option("timeWait", (value) => 2 * Number(value))],
  ["net.inet.tcp.finwait2_timeout", number("finWait2")],
  ["net.inet.tcp.keepidle", number("keepAliveIdle")],
  ["net.inet.tcp.keepintvl", number("keepAliveInterval")],
  ["net.inet.tcp.keepcnt", number("keepAliveProbes")],
  ["net.inet.tcp.always_keepalive", flag("keepAlive")],
  ["net.inet.tcp.rexmit_min", number("rtoMinimum")],
  ["net.inet.tcp.rexmit_initial", number("rtoInitial")],
  ["net.inet.tcp.ecn.enable", choice("ecn", { 0: "off", 1: "on", 2: "passive", 3: "accurate" })],
  ["net.inet.tcp.syncookies", option("synCookies", (value) => (value === "0" ? "never" : "pressure"))],
  ["net.inet.tcp.syncookies_only", option("synCookies", (value) => (value === "0" ? "pressure" : "always"))],
  ["net.inet.tcp.nolocaltimewait", []],
  ["net.inet.tcp.persmin", seconds("persistMinimum")],
  ...withoutEffect(
    "net.inet.tcp",
    "hostcache.enable hostcache.purgenow hostcache.purge hostcache.cachelimit hostcache.prune log_debug log_in_vain reass.maxsegments reass.maxqueuelen do_tcpdrain drop drain recvbuf_inc sendbuf_inc sendbuf_auto sendbuf_auto_lowat tso functions_default rexmit_slop abc_l_var do_prr do_lrd sack.revised sack.lrd bb.log_auto_ratio rfc3042 rfc3390 rfc6675_pipe rfc3465 cc.abe cc.cubic.enable_hystart path_mtu_discovery pmtud_blackhole_detection icmp_may_rst isn_reseed_interval minmss mssdflt v6mssdflt tolerate_missing_ts ts_offset_per_conn per_cpu_timers blackhole delayed_ack insecure_rst insecure_syn insecure_ack fast_finwait2_recycle newcwv",
  ),
  ...withoutEffect("net.inet.ip", "ttl portrange.randomized portrange.first portrange.last random_id fw.one_pass"),
  ...withoutEffect("kern.ipc", "maxsockbuf soacceptqueue somaxconn"),
  ...withoutEffect("net.inet.icmp", "icmplim icmplim_output"),
]);
