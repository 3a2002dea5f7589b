// ICMP errors about segments (RFC 9293 §3.9.2.2; RFC 5927; RFC 5461).
import { type Ipv4Address, ip } from "@netstrata/core";
import { describe, expect } from "vitest";
import { dialogue, octets, type Peer } from "./peer.ts";

/** ICMP type and code, what the user hears, and whether it may refuse an attempt to open. */
const ERRORS = [
  ["net unreachable", 3, 0, "ENETUNREACH", "soft"],
  ["host unreachable", 3, 1, "EHOSTUNREACH", "soft"],
  ["protocol unreachable", 3, 2, "ENOPROTOOPT", "hard"],
  ["port unreachable", 3, 3, "ECONNREFUSED", "hard"],
  ["source route failed", 3, 5, "EOPNOTSUPP", "soft"],
  ["prohibited", 3, 13, "EHOSTUNREACH", "soft"],
  ["time exceeded in transit", 11, 0, "EHOSTUNREACH", "soft"],
  ["time exceeded in reassembly", 11, 1, "EHOSTUNREACH", "soft"],
  ["parameter problem", 12, 0, "EINVAL", "soft"],
] as const;

const router = ip("10.0.0.254") as Ipv4Address;

describe("in SYN-SENT", () => {
  for (const [name, type, code, error, kind] of ERRORS) {
    if (kind === "soft") {
      dialogue(`MUST-54, MUST-56, SHLD-25: ${name} is told to the user, and the attempt goes on`, (peer) => {
        const connection = peer.reach("SYN-SENT");
        peer.sendIcmp({ type, code, rest: 0 }, { seq: 0, from: router });
        expect([peer.told, connection.state]).toEqual([[`soft error ${error}`], "SYN-SENT"]);
        peer.advance(1000);
        peer.expect({ flags: "S", seq: 0 });
        peer.send({ flags: "SA", seq: 0, ack: 1 });
        peer.expect({ flags: "A", seq: 1, ack: 1 });
      });
    } else {
      dialogue(`MUST-54, SHLD-26: ${name} aborts the attempt`, (peer) => {
        const connection = peer.reach("SYN-SENT");
        peer.sendIcmp({ type, code, rest: 0 }, { seq: 0 });
        expect([peer.told, connection.state]).toEqual([["readable", `closed ${error}`], "CLOSED"]);
        expect(peer.clock.armedTimers).toBe(0);
      });
    }
  }

  dialogue("SHLD-25: a soft error tells why, when the attempt fails in the end", (peer) => {
    const connection = peer.reach("SYN-SENT");
    peer.sendIcmp({ type: 3, code: 1, rest: 0 }, { seq: 0, from: router });
    peer.advance(180_000);
    peer.takeAll();
    expect(connection.error).toBe("EHOSTUNREACH");
  });
});

describe("in SYN-RECEIVED", () => {
  dialogue("a listener's half-open connection is not refused by a hard error, an active one is", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0 });
    peer.sendIcmp({ type: 3, code: 3, rest: 0 }, { seq: 0 });
    expect(peer.tcp.connectionCount).toBe(1);
    peer.send({ flags: "A", seq: 1, ack: 1 });
    expect(peer.accepted().state).toBe("ESTABLISHED");
    const active = peer.open();
    peer.expect({ flags: "S", seq: 0 });
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0 });
    peer.sendIcmp({ type: 3, code: 3, rest: 0 }, { seq: 0 });
    expect(active.error).toBe("ECONNREFUSED");
  });
});

describe("in synchronized states", () => {
  for (const [name, type, code, error] of ERRORS) {
    dialogue(`MUST-54, MUST-56: ${name} is told to the user, and the connection goes on (RFC 5927 §6 for the hard ones)`, (peer) => {
      const connection = peer.connect();
      connection.send(octets(10));
      peer.expect({ flags: "PA", seq: 1, data: 10 });
      peer.sendIcmp({ type, code, rest: 0 }, { seq: 1, from: router });
      expect([peer.told, connection.state, connection.error]).toEqual([[`soft error ${error}`], "ESTABLISHED", undefined]);
      peer.send({ flags: "A", ack: 11 });
      expect(connection.info().unacknowledged).toBe(0);
    });
  }

  dialogue("SHLD-25: and it tells why, when nothing comes back any more", (peer) => {
    const connection = peer.connect({ userTimeout: 5000 });
    connection.send(octets(10));
    peer.sendIcmp({ type: 3, code: 0, rest: 0 }, { seq: 1, from: router });
    peer.advance(5000);
    expect(peer.takeAll().at(-1)?.flags).toBe("R");
    expect(connection.error).toBe("ENETUNREACH");
  });

  dialogue("but it is forgotten as soon as something is acknowledged", (peer) => {
    const connection = peer.connect({ userTimeout: 5000 });
    connection.send(octets(10));
    peer.sendIcmp({ type: 3, code: 0, rest: 0 }, { seq: 1, from: router });
    peer.send({ flags: "A", ack: 11 });
    connection.send(octets(10));
    peer.advance(5000);
    peer.takeAll();
    expect(connection.error).toBe("ETIMEDOUT");
  });

  dialogue("SHLD-20: who does not want to hear of soft errors does not ask", (peer) => {
    const connection = peer.connect();
    connection.user = {};
    connection.send(octets(10));
    peer.expect({ flags: "PA", seq: 1, data: 10 });
    peer.sendIcmp({ type: 3, code: 0, rest: 0 }, { seq: 1, from: router });
    expect(peer.told).toEqual([]);
  });

  dialogue("MUST-47: soft errors are reported asynchronously, by a notification of their own", (peer) => {
    const connection = peer.connect();
    const heard: string[] = [];
    connection.user = { softError: (about, error) => heard.push(`${about === connection} ${error}`) };
    connection.send(octets(10));
    peer.expect({ flags: "PA", seq: 1, data: 10 });
    peer.sendIcmp({ type: 11, code: 0, rest: 0 }, { seq: 1, from: router });
    expect(heard).toEqual(["true EHOSTUNREACH"]);
  });
});

describe("errors that are not believed", () => {
  const port = (peer: Peer): void => peer.sendIcmp({ type: 3, code: 3, rest: 0 }, { seq: 0, port: 4999 });

  dialogue("RFC 5927 §4.1: about a number that is not in flight", (peer) => {
    const connection = peer.reach("SYN-SENT");
    for (const seq of [-1, 1, 1000, 2 ** 31]) peer.sendIcmp({ type: 3, code: 3, rest: 0 }, { seq });
    port(peer);
    expect([connection.state, peer.told]).toEqual(["SYN-SENT", []]);
  });

  dialogue("MUST-55: a source quench is dropped in silence", (peer) => {
    const connection = peer.connect();
    connection.send(octets(10_000));
    const before = connection.info();
    expect(peer.takeAll().length).toBeGreaterThan(1);
    peer.sendIcmp({ type: 4, code: 0, rest: 0 }, { seq: 1, from: router });
    peer.expectNothing();
    expect([connection.info(), peer.told]).toEqual([before, []]);
  });

  dialogue("a code that nobody knows", (peer) => {
    const connection = peer.reach("SYN-SENT");
    peer.sendIcmp({ type: 3, code: 77, rest: 0 }, { seq: 0 });
    expect([connection.state, peer.told]).toEqual(["SYN-SENT", []]);
  });
});

for (const unreachableEndsHandshake of [false, true]) {
  dialogue(`RFC 5461 §2.2: a soft error ${unreachableEndsHandshake ? "ends" : "does not end"} a handshake`, (peer) => {
    const connection = peer.open({ unreachableEndsHandshake });
    peer.expect({ flags: "S" });
    peer.sendIcmp({ type: 3, code: 1, rest: 0 }, { seq: 5000 });
    expect([connection.state, peer.tcp.counters.OutOfWindowIcmps]).toEqual(["SYN-SENT", 1]);
    peer.sendIcmp({ type: 3, code: 1, rest: 0 }, { seq: 0 });
    expect(connection.state).toBe(unreachableEndsHandshake ? "CLOSED" : "SYN-SENT");
    if (unreachableEndsHandshake) expect(connection.error).toBe("EHOSTUNREACH");
  });
}
