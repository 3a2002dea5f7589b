// Opening a connection (RFC 9293 §3.5, §3.7.1, §3.9.1.1, §3.9.2.3; RFC 7323 §2.2; RFC 2018 §2).
import { IPV4_ANY, IPV4_BROADCAST, type Ipv4Address, ip, prefix } from "@netstrata/core";
import { describe, expect } from "vitest";
import type { TcpConnection } from "../../src/index.ts";
import { dialogue, octets, type Peer, readText } from "./peer.ts";

describe("the three-way handshake", () => {
  dialogue("the stack opens (Figure 6)", (peer) => {
    const connection = peer.open();
    expect(connection.state).toBe("SYN-SENT");
    peer.expect({ flags: "S", seq: 0, ack: undefined, window: 65535, urgent: 0 });
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    expect(connection.state).toBe("ESTABLISHED");
    expect(peer.told).toEqual(["opened"]);
    expect(peer.transitions).toEqual(["CLOSED → SYN-SENT", "SYN-SENT → ESTABLISHED"]);
  });

  dialogue("the peer opens", (peer) => {
    const listener = peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1, window: 65535 });
    expect(listener.accept()).toBe(undefined);
    peer.send({ flags: "A", seq: 1, ack: 1 });
    expect(peer.accepted().state).toBe("ESTABLISHED");
    expect(peer.transitions).toEqual(["CLOSED → SYN-RECEIVED", "SYN-RECEIVED → ESTABLISHED"]);
  });

  dialogue("the acknowledgment that completes it may carry text and FIN", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "FPA", seq: 1, ack: 1, data: "all" });
    peer.expect({ flags: "A", seq: 1, ack: 5 });
    const connection = peer.accepted();
    expect([connection.state, readText(connection), connection.endOfStream]).toEqual(["CLOSE-WAIT", "all", true]);
  });

  dialogue("data that was given to SEND before goes out with the last acknowledgment", (peer) => {
    const connection = peer.open();
    peer.expect({ flags: "S", seq: 0 });
    expect(connection.send(octets(5))).toBe(5);
    peer.expectNothing();
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "PA", seq: 1, ack: 1, data: 5 });
  });

  dialogue("text that comes with a SYN is not delivered before the handshake is complete; the peer sends it again", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0, data: "early" });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    expect(peer.accepted().readableLength).toBe(0);
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "early" });
    peer.advance(40);
    peer.expect({ flags: "A", seq: 1, ack: 6 });
  });

  dialogue("a SYN,ACK may carry text and FIN (§3.10.7.3)", (peer) => {
    const connection = peer.open();
    peer.expect({ flags: "S", seq: 0 });
    peer.send({ flags: "SFA", seq: 0, ack: 1, data: "hello" });
    peer.expect({ flags: "A", seq: 1, ack: 7 });
    expect([connection.state, readText(connection)]).toEqual(["CLOSE-WAIT", "hello"]);
  });

  dialogue("a SYN,ACK that was lost is sent again when the peer repeats its SYN, without waiting for the timer", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.advance(500);
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.expectNothing();
  });
});

describe("simultaneous open", () => {
  dialogue("MUST-10: crossing SYNs and crossing SYN,ACKs make one connection (Figure 7)", (peer) => {
    const connection = peer.open();
    peer.expect({ flags: "S", seq: 0 });
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    expect(connection.state).toBe("SYN-RECEIVED");
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    expect(connection.state).toBe("ESTABLISHED");
    // The peer may not have taken our SYN,ACK for an acknowledgment, because its number is old (appendix A.2).
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    expect(peer.told).toEqual(["opened"]);
    expect([peer.transitions, peer.tcp.connectionCount]).toEqual([
      ["CLOSED → SYN-SENT", "SYN-SENT → SYN-RECEIVED", "SYN-RECEIVED → ESTABLISHED"],
      1,
    ]);
  });

  dialogue("MUST-10: a bare acknowledgment completes it as well, and text may come with the SYN,ACK", (peer) => {
    const connection = peer.reach("SYN-RECEIVED");
    peer.send({ flags: "A", seq: 1, ack: 1 });
    expect(connection.state).toBe("ESTABLISHED");
    const other = peer.open();
    peer.expect({ flags: "S", seq: 0 });
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "SPA", seq: 0, ack: 1, data: "text" });
    peer.advance(40);
    peer.expect({ flags: "A", seq: 1, ack: 5 });
    expect([other.state, readText(other)]).toEqual(["ESTABLISHED", "text"]);
  });

  dialogue("the SYN,ACK is repeated when it is lost", (peer) => {
    peer.reach("SYN-RECEIVED");
    peer.expectNothing(999);
    peer.advance(1);
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
  });

  dialogue("a CLOSE in SYN-RECEIVED waits for the handshake (§3.10.4)", (peer) => {
    const connection = peer.reach("SYN-RECEIVED");
    connection.close();
    peer.expectNothing();
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.expect({ flags: "FA", seq: 1, ack: 1 });
    expect(connection.state).toBe("FIN-WAIT-1");
  });
});

describe("where SYN-RECEIVED came from", () => {
  dialogue("MUST-11: a passive one returns to LISTEN at a RST, and nobody is told", (peer) => {
    const listener = peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "R", seq: 1 });
    expect([listener.accept(), peer.tcp.connectionCount]).toEqual([undefined, 0]);
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
  });

  dialogue("MUST-11: an active one was refused, and its user is told", (peer) => {
    const connection = peer.reach("SYN-RECEIVED");
    peer.send({ flags: "R", seq: 1 });
    expect([connection.state, connection.error, peer.told]).toEqual(["CLOSED", "ECONNREFUSED", ["readable", "closed ECONNREFUSED"]]);
  });
});

describe("ports and addresses", () => {
  dialogue("MUST-41: listening on the port of a connection does not disturb it", (peer) => {
    const connection = peer.connect();
    peer.listener?.close();
    peer.listen();
    peer.send({ flags: "PA", data: "hello" });
    expect(readText(connection)).toBe("hello");
    peer.advance(40);
    peer.expect({ flags: "A", ack: 6 });
  });

  dialogue("MUST-42: one can listen on a port that has connections in SYN-SENT and SYN-RECEIVED", (peer) => {
    const sent = peer.open({ local: { port: 80 } });
    peer.expect({ flags: "S", seq: 0, localPort: 80 });
    peer.listen();
    peer.send({ flags: "S", seq: 0, port: 6000 });
    peer.expect({ flags: "SA", seq: 0, ack: 1, port: 6000 });
    peer.listener?.close();
    peer.expect({ flags: "R", port: 6000 });
    peer.listen();
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    expect(sent.state).toBe("ESTABLISHED");
  });

  const secondAddress = ip("10.0.0.7") as Ipv4Address;

  function giveSecondAddress(peer: Peer): void {
    peer.internet.addAddress(peer.internet.interfaces[0], prefix("10.0.0.7/24"));
  }

  dialogue("MUST-43: an open may name the local address and port", (peer) => {
    giveSecondAddress(peer);
    peer.open({ local: { address: secondAddress, port: 1234 } });
    expect(peer.expect({ flags: "S", seq: 0, localPort: 1234 }).source).toBe(secondAddress);
    expect(peer.tcp.open({ address: peer.address, port: 1 }, {}, { local: { address: ip("10.9.9.9") } })).toBe("EADDRNOTAVAIL");
    expect(peer.tcp.open({ address: peer.address, port: 1 }, {}, { local: { address: ip("2001:db8::1") } })).toBe("EAFNOSUPPORT");
  });

  dialogue("MUST-44, MUST-45: else IP chooses one before the SYN, and the connection keeps it", (peer) => {
    const connection = peer.open();
    expect(peer.expect({ flags: "S", seq: 0 }).source).toBe(peer.stackAddress);
    giveSecondAddress(peer);
    peer.internet.routes.add({
      prefix: prefix("10.0.0.2/32"),
      interface: peer.internet.interfaces[0],
      source: secondAddress,
      origin: "static",
    });
    expect(peer.internet.sourceFor(peer.address)).toBe(secondAddress);
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    expect(peer.expect({ flags: "A", seq: 1, ack: 1 }).source).toBe(peer.stackAddress);
    connection.send(octets(3));
    expect(peer.expect({ flags: "PA", seq: 1, ack: 1, data: 3 }).source).toBe(peer.stackAddress);
  });

  dialogue("MUST-46: an open to many, to nobody or to port 0 is an error, and nothing is sent", (peer) => {
    const open = (address: string, port = 80): TcpConnection | string => peer.tcp.open({ address: ip(address), port }, {});
    expect(["255.255.255.255", "10.0.0.255", "224.0.0.1"].map((address) => open(address))).toEqual(["EACCES", "EACCES", "EACCES"]);
    expect([open("0.0.0.0"), open("10.0.0.2", 0)]).toEqual(["EADDRNOTAVAIL", "EADDRNOTAVAIL"]);
    expect(open("192.0.2.1")).toBe("ENETUNREACH");
    expect(peer.tcp.connectionCount).toBe(0);
  });

  dialogue("MUST-57: a SYN to a broadcast or multicast address is dropped in silence", (peer) => {
    const listener = peer.tcp.listen({ address: IPV4_ANY, port: 80 }, { acceptable: () => {} });
    peer.internet.joinGroup(ip("224.0.0.9"), peer.internet.interfaces[0]);
    for (const destination of [IPV4_BROADCAST, ip("10.0.0.255"), ip("224.0.0.9")]) {
      peer.send({ flags: "S", seq: 0, destination: destination as Ipv4Address });
    }
    peer.expectNothing();
    expect([peer.tcp.connectionCount, peer.tcp.drops.counters["bad-address"]]).toEqual([0, 3]);
    if (typeof listener !== "string") listener.close();
  });

  dialogue("MUST-63: a SYN from nobody, from many or from ourselves is dropped in silence", (peer) => {
    peer.listen();
    for (const source of ["0.0.0.0", "255.255.255.255", "10.0.0.255", "224.0.0.1", "127.0.0.1", "10.0.0.1"]) {
      peer.send({ flags: "S", seq: 0, source: ip(source) as Ipv4Address });
    }
    peer.expectNothing();
    expect(peer.tcp.connectionCount).toBe(0);
  });
});

describe("the maximum segment size", () => {
  dialogue("MUST-14, SHLD-5: a SYN says the largest that the link carries", (peer) => {
    peer.open();
    peer.expect({ flags: "S", seq: 0, options: { maximumSegmentSize: 1460 } });
  });

  dialogue("MUST-14: so does a SYN,ACK, and segments are no larger than the peer's", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: 700 } });
    peer.expect({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460 } });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.accepted().send(octets(1000));
    peer.expect({ flags: "A", seq: 1, data: 700 });
    peer.send({ flags: "A", ack: 701 });
    peer.expect({ flags: "PA", seq: 701, data: 300 });
  });

  dialogue("MUST-15: a peer that says none takes 536 octets", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.accepted().send(octets(1000));
    peer.expect({ flags: "A", seq: 1, data: 536 });
  });

  dialogue(
    "MUST-16: no segment is larger than what the path carries, less the headers",
    (peer) => {
      const connection = peer.connect({}, { mss: 8960 });
      connection.send(octets(2000));
      expect(peer.expect({ flags: "A", seq: 1, data: 960 }).dontFragment).toBe(true);
      peer.expect({ flags: "A", seq: 961, data: 960 });
    },
    { mtu: 1000 },
  );

  dialogue(
    "MUST-67: what is announced never exceeds what IP can reassemble, less 20",
    (peer) => {
      peer.open();
      peer.expect({ flags: "S", seq: 0, options: { maximumSegmentSize: 65495 } });
    },
    { mtu: 65535 },
  );

  dialogue(
    "MAY-3: it is said also where it is the default",
    (peer) => {
      peer.open();
      peer.expect({ flags: "S", seq: 0, options: { maximumSegmentSize: 536 } });
    },
    { mtu: 576 },
  );

  dialogue("MUST-65: it is on no segment without SYN", (peer) => {
    const connection = peer.connect();
    connection.send(octets(10));
    expect(peer.expect({ flags: "PA", data: 10 }).options).toEqual({});
    peer.send({ flags: "FA", ack: 11 });
    expect(peer.expect({ flags: "A", ack: 2 }).options).toEqual({});
    connection.close();
    expect(peer.expect({ flags: "FA", seq: 11 }).options).toEqual({});
    peer.send({ flags: "", port: 4000, seq: 0 });
    peer.send({ flags: "A", port: 4000, seq: 0, ack: 0 });
    expect(peer.expect({ flags: "R", port: 4000 }).options).toEqual({});
  });

  dialogue("one that is absurdly small is raised to 64, because else headers would be most of what is sent", (peer) => {
    peer.connect({}, { mss: 1 }).send(octets(100));
    peer.expect({ flags: "A", seq: 1, data: 64 });
    peer.send({ flags: "A", ack: 65 });
    peer.expect({ flags: "PA", seq: 65, data: 36 });
  });

  dialogue("the user may ask for less, and says so to the peer", (peer) => {
    const connection = peer.open({ maximumSegmentSize: 500 });
    peer.expect({ flags: "S", seq: 0, options: { maximumSegmentSize: 500 } });
    peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460 } });
    peer.expect({ flags: "A", seq: 1 });
    connection.send(octets(600));
    peer.expect({ flags: "A", seq: 1, data: 500 });
  });
});

describe("options of a SYN", () => {
  dialogue("MUST-4, MUST-6, MUST-64: unknown ones are skipped, and what follows at any octet is read", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0, options: Uint8Array.from([1, 254, 5, 7, 7, 7, 1, 2, 4, 2, 188, 0]) });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.accepted().send(octets(1000));
    peer.expect({ flags: "A", seq: 1, data: 700 });
  });

  dialogue("MUST-7: malformed ones neither crash nor loop: the SYN is answered as if it had none", (peer) => {
    peer.listen();
    for (const [index, options] of [
      [2, 0, 0, 0],
      [2, 1, 5, 180],
      [254, 0, 1, 1],
      [2, 255, 5, 180],
      [1, 1, 1, 2],
      [3, 3, 3, 3],
    ].entries()) {
      const port = 7000 + index;
      peer.send({ flags: "S", seq: 0, port, options: Uint8Array.from(options) });
      peer.expect({ flags: "SA", seq: 0, ack: 1, port });
    }
  });

  dialogue("MUST-5: options are accepted on any segment", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", data: "one", options: Uint8Array.from([254, 4, 0, 0]) });
    peer.send({ flags: "PA", data: "two", options: { maximumSegmentSize: 100, timestamps: { value: 1, echoReply: 2 } } });
    expect(readText(connection)).toBe("onetwo");
    peer.expect({ flags: "A", ack: 7 });
    // A maximum segment size counts on a SYN only.
    connection.send(octets(200));
    peer.expect({ flags: "PA", seq: 1, data: 200 });
  });
});

describe("window scaling (RFC 7323 §2.2)", () => {
  dialogue("both offer it: windows of segments without SYN are scaled, those of SYNs are not", (peer) => {
    const connection = peer.open({ receiveBuffer: 1_000_000 });
    peer.expect({ flags: "S", seq: 0, window: 65535, options: { windowScale: 4 } });
    peer.send({ flags: "SA", seq: 0, ack: 1, window: 1000, options: { maximumSegmentSize: 1460, windowScale: 2 } });
    peer.expect({ flags: "A", seq: 1, ack: 1, window: 62500 });
    expect(connection.info().sendWindow).toBe(1000);
    peer.send({ flags: "A", ack: 1, window: 1000 });
    expect(connection.info().sendWindow).toBe(4000);
  });

  dialogue("a SYN,ACK offers it only when the SYN did", (peer) => {
    peer.listen({ receiveBuffer: 1_000_000 });
    peer.send({ flags: "S", seq: 0, port: 5001, options: { windowScale: 0 } });
    peer.expect({ flags: "SA", seq: 0, port: 5001, window: 65535, options: { windowScale: 4 } });
    peer.send({ flags: "S", seq: 0, port: 5002 });
    expect(peer.expect({ flags: "SA", seq: 0, port: 5002, window: 65535 }).options.windowScale).toBe(undefined);
  });

  dialogue("the peer does not offer it: nothing is scaled either way", (peer) => {
    const connection = peer.connected({ receiveBuffer: 1_000_000 });
    expect(connection.info()).toMatchObject({ sendWindow: 65535, receiveWindow: 65535 });
    peer.send({ flags: "A", ack: 1, window: 65535 });
    expect(connection.info().sendWindow).toBe(65535);
  });

  dialogue("a shift count above 14 is taken for 14 (§2.3)", (peer) => {
    const connection = peer.connect({}, { windowScale: 200 });
    peer.send({ flags: "A", ack: 1, window: 65535 });
    expect(connection.info().sendWindow).toBe(65535 * 2 ** 14);
  });

  dialogue("MUST-1, REC-1: the largest window there can be is no negative one", (peer) => {
    const connection = peer.connect({}, { windowScale: 14 });
    peer.send({ flags: "A", ack: 1, window: 65535 });
    expect(connection.info().sendWindow).toBe(1_073_725_440);
    connection.send(octets(100));
    peer.expect({ flags: "PA", seq: 1, data: 100 });
  });
});

describe("selective acknowledgments (RFC 2018 §2)", () => {
  dialogue("a SYN offers them, a SYN,ACK only in answer to one that does", (peer) => {
    peer.open();
    peer.expect({ flags: "S", options: { sackPermitted: true } });
    peer.localPort = 80;
    peer.listen();
    peer.send({ flags: "S", seq: 0, port: 5001 });
    expect(peer.expect({ flags: "SA", port: 5001 }).options.sackPermitted).toBe(undefined);
    peer.send({ flags: "S", seq: 0, port: 5002, options: { sackPermitted: true } });
    peer.expect({ flags: "SA", port: 5002, options: { sackPermitted: true } });
  });

  dialogue("the user may do without", (peer) => {
    peer.open({ sack: false });
    expect(peer.expect({ flags: "S" }).options.sackPermitted).toBe(undefined);
  });
});
