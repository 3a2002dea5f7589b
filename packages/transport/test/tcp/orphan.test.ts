// Connections that nobody holds any more (orphan.ts): linger, FIN-WAIT-2, limits.
import { expect } from "vitest";
import { dialogue } from "./peer.ts";

dialogue("SO_LINGER of 0: closing both ways throws away what is unsent and resets", (peer) => {
  const connection = peer.connect({ linger: 0 });
  connection.send(new Uint8Array(10));
  peer.expect({ flags: "PA", data: 10 });
  connection.closeRead();
  connection.close();
  peer.expect({ flags: "R", seq: 11 });
  expect(connection.isClosed).toBe(true);
});

dialogue(
  "linux and FreeBSD reset with an ACK",
  (peer) => {
    const connection = peer.connect();
    connection.abort();
    peer.expect({ flags: "RA", seq: 1, ack: 1 });
  },
  { resetWithAck: true },
);

dialogue(
  "RFC 6429 §4: one orphan more than the limit is reset, and counts no longer when it has ended",
  (peer) => {
    peer.connect().abort();
    peer.takeAll();
    const close = (port: number): void => {
      peer.send({ flags: "S", seq: 0, port });
      peer.expect({ flags: "SA", port });
      peer.send({ flags: "A", seq: 1, ack: 1, port });
      const connection = peer.accepted();
      connection.closeRead();
      connection.close();
    };
    close(6001);
    peer.expect({ flags: "FA", port: 6001 });
    expect(peer.tcp.orphans).toBe(1);
    close(6002);
    peer.expect({ flags: "R", port: 6002 });
    expect(peer.tcp.counters.TCPAbortOnMemory).toBe(1);
    peer.send({ flags: "R", seq: 1, port: 6001 });
    expect(peer.tcp.orphans).toBe(0);
    close(6003);
    peer.expect({ flags: "FA", port: 6003 });
  },
  { maxOrphans: 1 },
);

dialogue("TCP_LINGER2: FIN-WAIT-2 lasts as long as `finWait2` says once nobody holds the connection", (peer) => {
  const connection = peer.reach("FIN-WAIT-2", { finWait2: 5000 });
  peer.advance(100_000);
  expect(connection.state).toBe("FIN-WAIT-2");
  connection.closeRead();
  peer.advance(4999);
  expect(connection.state).toBe("FIN-WAIT-2");
  peer.advance(1);
  expect(connection.state).toBe("CLOSED");
});

dialogue("TCP_LINGER2 below zero: FIN-WAIT-2 is left by a reset at once", (peer) => {
  const connection = peer.reach("FIN-WAIT-1", { finWait2: -1 });
  connection.closeRead();
  peer.send({ flags: "A", seq: 1, ack: 2 });
  peer.expect({ flags: "R", seq: 2 });
  expect(peer.tcp.counters.TCPAbortOnLinger).toBe(1);
});

dialogue("SHLD-3: text for an orphan is answered by a reset with the number that the peer waits for", (peer) => {
  const connection = peer.connect();
  connection.send(new Uint8Array(100));
  peer.expect({ flags: "PA", data: 100 });
  connection.close();
  connection.closeRead();
  peer.expect({ flags: "FA", seq: 101 });
  peer.send({ flags: "A", seq: 1, ack: 51, data: 10 });
  peer.expect({ flags: "R", seq: 51 });
  expect(peer.tcp.counters.TCPAbortOnData).toBe(1);
});
