// A script proves that a mechanism works only if it fails without it: each of these passes as it is, and fails with its switch off.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type DrillOptions, OWN_OPTIONS, runDrill } from "../../src/index.ts";

interface Proof {
  /** An option of the stack's TCP. */
  readonly name: string;
  /** What takes the mechanism away, or chooses another one. */
  readonly off: unknown;
  readonly scripts: readonly string[];
}

function proof(name: string, off: unknown, ...scripts: string[]): Proof {
  return { name, off, scripts };
}

const PROOFS: readonly Proof[] = [
  // Options of RFC 7323 and RFC 2018.
  proof(
    "timestamps",
    false,
    "rfc3522/3.2-timeout-undone-by-timestamp",
    "rfc4987/3.6-options-in-timestamps",
    "rfc6191/2-newer-timestamp-reopens",
  ),
  proof("windowScaling", false, "rfc4987/3.6-options-in-timestamps"),
  proof("windowScale", 3, "rfc4987/3.6-options-in-timestamps"),
  proof("sack", false, "rfc2018/2-permitted-in-both", "rfc6675/4-is-lost-by-octets", "rfc8985/6.2-reordering-window"),
  proof("dsack", false, "rfc2883/4-duplicate-below", "rfc2883/4-duplicate-above", "rfc3708/3-undone-by-duplicates"),
  proof("optionLayout", "rfc", "rfc9293/3.1-options-padded"),
  // Loss recovery.
  proof(
    "lossRecovery",
    "sack",
    "rfc8985/6.2-reordering-window",
    "rfc8985/6.2-waiting-after-reordering-seen",
    "rfc8985/3.2-lost-retransmission",
  ),
  proof("lossRecovery", "newreno", "rfc6675/4-is-lost-by-octets", "rfc6675/5-every-hole-is-filled"),
  proof(
    "tailLossProbe",
    false,
    "rfc8985/7.2-probe-after-two-round-trips",
    "rfc8985/7.2-probe-of-one-segment",
    "rfc8985/3.4-tail-is-repaired",
  ),
  proof("limitedTransmit", false, "rfc3042/2-limited-transmit", "rfc3042/2-limited-transmit-sack", "rfc3042/2-then-fast-retransmit"),
  proof("earlyRetransmit", false, "rfc5827/3.2-early-retransmit"),
  proof("proportionalRateReduction", false, "rfc6937/3.1-in-proportion", "rfc6937/3.1-slow-start-below-the-threshold"),
  proof("frto", false, "rfc5682/2.1-spurious-timeout", "rfc5682/3.1-spurious-timeout-sack"),
  proof("undo", false, "rfc3522/3.2-timeout-undone-by-timestamp", "rfc4015/3.2-fast-retransmit-undone", "rfc3708/3-undone-by-duplicates"),
  proof("rtoMinimum", 1000, "rfc6298/2.4-linux-minimum", "rfc6298/2.4-linux-minimum-chosen"),
  proof("rtoMaximum", 60_000, "rfc6298/2.5-linux-maximum"),
  proof("rtoInitial", 3000, "rfc6298/2.1-first-timeout", "rfc6298/2.1-linux-handshake"),
  proof("rtoEstimator", "rfc", "rfc6298/2.4-linux-minimum"),
  // Congestion control.
  proof("congestionControl", "newreno", "rfc9438/4.6-multiplicative-decrease", "bbr/5.3.1-start-up-is-paced"),
  proof("congestionControl", "cubic", "rfc5681/3.1-reno-halves", "rfc5681/3.1-reno-congestion-avoidance", "bbr/5.3.1-start-up-is-paced"),
  proof("congestionControl", "fixed", "rfc9438/4.8-timeout", "rfc5681/3.1-reno-halves", "bbr/5.3.1-window-doubles"),
  proof("congestionAccounting", "octets", "rfc9406/4.2-longer-round-trips-end-slow-start"),
  proof("hystart", false, "rfc9406/4.2-longer-round-trips-end-slow-start"),
  proof("slowStartLimit", 1, "rfc3465/2.2-one-acknowledgment-of-many"),
  proof("initialWindow", 2, "rfc6928/2-initial-window", "rfc6928/2-initial-window-chosen"),
  proof("windowValidation", "none", "rfc7661/4.3-unused-window-does-not-grow"),
  proof("slowStartAfterIdle", false, "rfc5681/4.1-restart-after-idle"),
  proof("slowStartAfterIdle", true, "rfc5681/4.1-no-restart"),
  // Pacing spreads what otherwise goes in a burst.
  proof("pacing", true, "rfc5681/4.1-no-restart"),
  proof("maximumPacingRate", 1000, "rfc5681/4.1-no-restart"),
  proof("unpacedSegments", 0, "linux/so-max-pacing-rate"),
  proof("burstSegments", 0, "linux/so-max-pacing-rate"),
  proof("burstDivisor", 1, "rfc3042/2-then-fast-retransmit"),
  // ECN.
  proof(
    "ecn",
    "off",
    "rfc3168/6.1.1-agrees",
    "rfc3168/6.1.3-echo-until-reduced",
    "rfc9768/3.1.1-client-asks",
    "rfc9768/3.2.2-ace-counts-marks",
  ),
  proof("ecn", "on", "rfc9768/3.1.1-client-asks", "rfc9768/3.1.1-server-answers", "rfc9768/3.2.3-option-counts-octets"),
  proof("ecnFallback", false, "rfc3168/6.1.1.1-syn-without-after-loss", "rfc9768/3.1.4.1-syn-lost", "rfc9768/3.2.2.3-mangled-field"),
  proof("accurateEcnOption", false, "rfc9768/3.2.3-option-counts-octets"),
  proof("timeWaitFeedback", true, "linux/time-wait-forgets-marks"),
  // Handshake.
  proof("synCookies", "never", "rfc4987/3.6-cookie-completes-a-handshake", "rfc4987/3.6-nothing-is-kept", "rfc4987/3.6-under-pressure"),
  proof(
    "fastOpen",
    { client: false, server: false },
    "rfc7413/4.2.2-text-with-cookie",
    "rfc7413/4.2.1-client-sends-with-syn",
    "linux/tcp-fastopen-connect",
  ),
  proof("fastOpenKey", new Uint8Array(16), "rfc7413/4.1.2-cookie-on-request"),
  proof("synRetries", 0, "rfc6298/2.1-linux-handshake"),
  proof("synLinearTimeouts", 0, "rfc6298/2.1-linux-handshake"),
  proof("synAckRetries", 0, "rfc6928/2-lost-syn"),
  proof("challengeAcks", 0, "rfc5961/7-limited"),
  proof("challengeInterval", 100_000, "rfc5961/7-limited"),
  proof("challengeAcksPerSecond", 0, "rfc5961/5.2-acknowledgment-too-old"),
  // Life and end.
  proof("timeWait", 1000, "rfc9293/3.6.1-time-wait-length-linux"),
  proof("timeWaitReuse", "never", "rfc6191/2-newer-timestamp-reopens", "rfc6191/2-without-timestamps-by-number"),
  proof("finWait2", 600_000, "linux/fin-wait-2-orphan"),
  proof("userTimeout", 500, "rfc6298/2.4-linux-minimum"),
  proof("userTimeoutOption", 0, "rfc5482/3-option-is-sent", "rfc5482/3.1-peer-is-heard"),
  proof("userTimeoutChangeable", false, "rfc5482/3.1-peer-is-heard"),
  proof("retryCounting", "count", "linux/tcp-user-timeout-keepalive"),
  proof("retries", 1, "rfc6298/2.4-linux-minimum"),
  proof("orphanRetries", 15, "linux/orphan-retries"),
  proof("maxOrphans", 65_536, "linux/orphan-limit"),
  proof("linger", 0, "linux/fin-wait-2-waits"),
  proof("keepAlive", true, "rfc9293/3.8.4-keep-alive-off"),
  proof("keepAliveIdle", 1000, "rfc9293/3.8.4-keep-alive-default-time"),
  proof("keepAliveInterval", 1000, "linux/socket-options-defaults"),
  proof("keepAliveProbes", 1, "linux/socket-options-defaults"),
  proof("resetWithAck", false, "linux/close-with-unread-text"),
  proof("resetOnTimeout", true, "linux/orphan-retries"),
  // Windows, buffers, segments, acknowledgments.
  proof("receiveBuffer", 30_000, "rfc4987/3.6-options-in-timestamps"),
  proof("receiveBufferMaximum", 30_000, "rfc4987/3.6-options-in-timestamps"),
  proof("autoTuning", false, "rfc4987/3.6-options-in-timestamps"),
  proof("sendBuffer", 5000, "rfc6928/2-initial-window"),
  proof("windowGrowth", "full", "linux/so-rcvbuf"),
  proof("zeroWindowProbe", "octet", "linux/zero-window-probes"),
  proof("minimumSegmentSize", 2000, "rfc6928/2-initial-window-chosen"),
  proof("maximumSegmentSize", 500, "rfc6928/2-initial-window-chosen"),
  proof("noDelay", true, "rfc9293/3.7.4-linux-minshall"),
  proof("nagle", "rfc", "rfc9293/3.7.4-linux-minshall"),
  proof("cork", true, "linux/tcp-nodelay"),
  proof("delayedAck", 0, "linux/tcp-quickack"),
  proof("acknowledgments", "rfc", "linux/quick-acknowledgments"),
  proof("timeToLive", 7, "rfc9293/3.9.2-default-time-to-live"),
];

/** Switches that no script of ours can show, and what shows them instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  sendBufferMaximum: "what a sender may keep shows on no wire: transport/test/tcp/buffers.test.ts",
  quickAck: "chosen by TCP_QUICKACK for one socket, which wins over any default: linux/tcp-quickack",
  trafficClass: "chosen by IP_TOS for one socket, which wins over any default",
  unreachableEndsHandshake: "a socket gives up at soft errors in any case: transport/test/tcp/icmp.test.ts",
  synTimeout: "Linux counts instead (synRetries); three minutes by the clock: MUST-23 in transport/test/tcp",
  paws: "transport/test/tcp/paws.test.ts",
  timestampOffset: "the language takes the stack's timestamps wherever they begin: transport/test/tcp/timestamps.test.ts",
  memoryLimit: "megabytes: transport/test/tcp/buffers.test.ts",
  maxConnections: "transport/test/tcp/listening.test.ts",
  portRange: "a script does not see the stack's own port: transport/test/tcp/listening.test.ts",
  acceptSourceRoutes: "the language has no IP options: transport/test/tcp/source-route.test.ts",
};

const folder = new URL("../../scripts/", import.meta.url);

function text(script: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`${script}.pkt`, folder)), "utf8");
}

const runs = PROOFS.flatMap(({ name, off, scripts }) => scripts.map((script) => ({ name, off, script, value: JSON.stringify(off) })));

describe.for(["ipv4", "ipv6"] as const)("over %s", (ipVersion) => {
  const linux: DrillOptions = { ipVersion, personality: "linux" };

  test.for(runs)("$name=$value: $script fails, and passes without that", async ({ name, off, script }) => {
    const source = await text(script);
    expect((await runDrill(source, linux)).outcome).toBe("pass");
    const { outcome, message } = await runDrill(source, { ...linux, tcp: { [name]: off } });
    expect({ outcome, message }).toMatchObject({ outcome: "fail" });
  });

  test("personality: what only Linux does fails with the choices of the RFCs", async () => {
    const source = await text("linux/quick-acknowledgments");
    expect((await runDrill(source, { ipVersion, personality: "rfc" })).outcome).toBe("fail");
  });
});

test("every switch of the stack has its proof, or a reason why a script cannot be one", () => {
  const shown = new Set([...PROOFS.map(({ name }) => name), ...Object.keys(ELSEWHERE)]);
  expect([...OWN_OPTIONS].filter((name) => !shown.has(name))).toEqual([]);
  expect([...shown].filter((name) => !OWN_OPTIONS.has(name))).toEqual([]);
});
