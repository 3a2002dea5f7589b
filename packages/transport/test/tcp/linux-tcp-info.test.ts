// TCP_INFO: the fields of Linux's struct tcp_info, with true values (tcp(7)).
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { LinuxTcpInfo } from "../../src/index.ts";
import { dialogue, octets, Peer } from "./peer.ts";

const HEADER = "/usr/include/linux/tcp.h";

/** Names in the order of the structure. */
function fieldsOf(header: string): string[] {
  const structure = /struct tcp_info \{([^}]*)\}/.exec(header)?.[1].replace(/\/\*[\s\S]*?\*\//g, "") ?? "";
  return [...structure.matchAll(/tcpi_[a-z0-9_]+/g)].map(([name]) => name);
}

/** Fields of Linux 6.19 and later that the headers of a distribution may not have yet. */
const NEWER = [
  "tcpi_rcv_wnd",
  "tcpi_rehash",
  "tcpi_total_rto",
  "tcpi_total_rto_recoveries",
  "tcpi_total_rto_time",
  "tcpi_received_ce",
  "tcpi_delivered_e1_bytes",
  "tcpi_delivered_e0_bytes",
  "tcpi_delivered_ce_bytes",
  "tcpi_received_e1_bytes",
  "tcpi_received_e0_bytes",
  "tcpi_received_ce_bytes",
  "tcpi_ecn_mode",
  "tcpi_accecn_opt_seen",
  "tcpi_accecn_fail_mode",
  "tcpi_options2",
];

test.skipIf(!existsSync(HEADER))("has the fields of struct tcp_info in its order", () => {
  const peer = new Peer();
  const ours = Object.keys(peer.open().tcpInfo());
  const theirs = fieldsOf(readFileSync(HEADER, "utf8"));
  expect(theirs.length).toBeGreaterThan(50);
  expect(ours.slice(0, theirs.length)).toEqual(theirs);
  expect(ours.slice(ours.length - NEWER.length)).toEqual(NEWER);
  expect(new Set([...theirs, ...NEWER])).toEqual(new Set(ours));
  peer.tcp.close();
});

const TIMESTAMPS = { value: 100, echoReply: 0 };

dialogue("what the handshake agreed on", (peer) => {
  peer.listen({ receiveBuffer: 6 * 2 ** 20 });
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: 1460, sackPermitted: true, windowScale: 5, timestamps: TIMESTAMPS } });
  const { value } = peer.expect({ flags: "SA" }).options.timestamps ?? TIMESTAMPS;
  peer.advance(30);
  peer.send({ flags: "A", seq: 1, ack: 1, window: 1000, options: { timestamps: { value: 130, echoReply: value } } });
  const info = peer.accepted().tcpInfo();
  expect(info).toMatchObject({
    tcpi_state: 1,
    tcpi_ca_state: 0,
    tcpi_options: 1 | 2 | 4,
    tcpi_snd_wscale: 5,
    tcpi_rcv_wscale: 7,
    tcpi_snd_mss: 1448,
    tcpi_advmss: 1448,
    tcpi_pmtu: 1500,
    tcpi_rtt: 30_000,
    tcpi_rttvar: 15_000,
    tcpi_min_rtt: 30_000,
    tcpi_rto: 1_000_000,
    tcpi_snd_cwnd: 10,
    tcpi_snd_ssthresh: 2 ** 31 - 1,
    tcpi_snd_wnd: 32_000,
    tcpi_delivered: 1,
    tcpi_unacked: 0,
    tcpi_reordering: 3,
  });
});

dialogue("octets and segments, sent, acknowledged and received", (peer) => {
  const connection = peer.connect({ delayedAck: 0 });
  const before = connection.tcpInfo();
  connection.send(octets(3000));
  peer.expect({ flags: "A", data: 1460 });
  peer.expect({ flags: "A", data: 1460 });
  // Nagle keeps the rest.
  expect(connection.tcpInfo()).toMatchObject({ tcpi_unacked: 2, tcpi_notsent_bytes: 80, tcpi_data_segs_out: 2, tcpi_bytes_sent: 2920 });
  peer.advance(250);
  expect(connection.tcpInfo().tcpi_last_data_sent).toBe(250);
  peer.send({ flags: "A", ack: 2921, data: 700 });
  peer.expect({ flags: "AP", data: 80 });
  const info = connection.tcpInfo();
  expect(info).toMatchObject({
    tcpi_unacked: 1,
    tcpi_notsent_bytes: 0,
    tcpi_bytes_acked: 2920,
    tcpi_bytes_received: 700,
    tcpi_data_segs_in: 1,
    tcpi_delivered: 3,
    tcpi_last_data_recv: 0,
    tcpi_rcv_mss: 700,
  });
  expect(info.tcpi_segs_in - before.tcpi_segs_in).toBe(1);
  expect(info.tcpi_segs_out - before.tcpi_segs_out).toBe(3);
  peer.send({ flags: "A", seq: 2001, data: 10 });
  peer.takeAll();
  expect(connection.tcpInfo().tcpi_rcv_ooopack).toBe(1);
});

dialogue("a timeout: lost, sent again, counted, and over when it is acknowledged", (peer) => {
  const connection = peer.connect();
  connection.send(octets(100));
  peer.expect({ flags: "AP", data: 100 });
  peer.advance(1000);
  peer.expect({ flags: "AP", data: 100 });
  expect(connection.tcpInfo()).toMatchObject({
    tcpi_ca_state: 4,
    tcpi_retransmits: 1,
    tcpi_backoff: 1,
    tcpi_lost: 1,
    tcpi_retrans: 1,
    tcpi_total_retrans: 1,
    tcpi_bytes_retrans: 100,
    tcpi_bytes_sent: 200,
    tcpi_rto: 2_000_000,
    tcpi_total_rto: 1,
    tcpi_total_rto_recoveries: 1,
    tcpi_snd_cwnd: 1,
  });
  peer.advance(50);
  expect(connection.tcpInfo().tcpi_total_rto_time).toBe(50);
  peer.send({ flags: "A", ack: 101 });
  peer.advance(50);
  expect(connection.tcpInfo()).toMatchObject({
    tcpi_retransmits: 0,
    tcpi_backoff: 0,
    tcpi_lost: 0,
    tcpi_retrans: 0,
    tcpi_total_rto_time: 50,
  });
});

dialogue("SACK: what the peer holds, and what it got twice", (peer) => {
  const connection = peer.connect({}, { sackPermitted: true });
  connection.send(octets(3 * 1460));
  peer.takeAll();
  peer.send({ flags: "A", ack: 1, options: peer.sack([1461, 2921]) });
  expect(connection.tcpInfo()).toMatchObject({ tcpi_unacked: 3, tcpi_sacked: 1, tcpi_delivered: 2 });
  peer.send({ flags: "A", ack: 4381, options: peer.sack([1, 1461]) });
  expect(connection.tcpInfo()).toMatchObject({ tcpi_unacked: 0, tcpi_sacked: 0, tcpi_delivered: 4, tcpi_dsack_dups: 1 });
  peer.takeAll();
});

/** The three clocks of the sending side, in ms. */
function times({ tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited }: LinuxTcpInfo): number[] {
  return [tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited].map((time) => Math.round(time / 1000));
}

dialogue("the time that the peer's window, or our own buffer, held the sender back", (peer) => {
  const connection = peer.connect({ sendBuffer: 1000 });
  peer.advance(100);
  expect(times(connection.tcpInfo())).toEqual([0, 0, 0]);
  expect(connection.send(octets(3000))).toBe(1000);
  peer.expect({ flags: "AP", data: 1000 });
  peer.advance(20);
  expect(times(connection.tcpInfo())).toEqual([20, 0, 20]);
  peer.send({ flags: "A", ack: 1001, window: 0 });
  expect(connection.send(octets(500))).toBe(500);
  peer.advance(30);
  expect(times(connection.tcpInfo())).toEqual([50, 30, 20]);
  peer.send({ flags: "A", ack: 1001, window: 5000 });
  peer.expect({ flags: "AP", data: 500 });
  peer.advance(10);
  expect(times(connection.tcpInfo())).toEqual([60, 30, 20]);
  peer.send({ flags: "A", ack: 1501 });
  peer.advance(10);
  expect(times(connection.tcpInfo())).toEqual([60, 30, 20]);
});

dialogue("the states have Linux's numbers, and TIME-WAIT looks closed, as it has no socket there", (peer) => {
  const states = ["SYN-SENT", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "LAST-ACK", "CLOSING", "TIME-WAIT"] as const;
  const numbers = states.map((state) => {
    const other = new Peer();
    const { tcpi_state } = other.reach(state).tcpInfo();
    other.listener?.close();
    other.tcp.close();
    return tcpi_state;
  });
  expect(numbers).toEqual([2, 4, 5, 8, 9, 11, 7]);
  const connection = peer.connect();
  connection.abort();
  peer.takeAll();
  expect(connection.tcpInfo().tcpi_state).toBe(7);
});
