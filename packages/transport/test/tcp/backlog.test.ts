// The backlog of half-open connections, and closing with text unread.
import { expect } from "vitest";
import { dialogue } from "./peer.ts";

dialogue(
  "a SYN beyond the backlog of half-open connections waits for the peer to repeat it",
  (peer) => {
    peer.listen({ backlog: 2 });
    for (const port of [6001, 6002]) {
      peer.send({ flags: "S", seq: 0, port });
      peer.expect({ flags: "SA", port });
    }
    peer.send({ flags: "S", seq: 0, port: 6003 });
    peer.expectNothing();
    expect(peer.tcp.drops.counters["backlog-full"]).toBe(1);
    // The handshake of another one is complete, so there is room.
    peer.send({ flags: "A", seq: 1, ack: 1, port: 6001 });
    peer.send({ flags: "S", seq: 0, port: 6003 });
    peer.expect({ flags: "SA", port: 6003 });
  },
  { synCookies: "never" },
);

dialogue(
  "RFC 4987 §3.3: a peer that left our SYN,ACK unanswered makes room for a newcomer, without a RST",
  (peer) => {
    peer.listen({ backlog: 1 });
    peer.send({ flags: "S", seq: 0, port: 6001 });
    peer.expect({ flags: "SA", port: 6001 });
    peer.advance(1000);
    peer.expect({ flags: "SA", port: 6001 });
    peer.send({ flags: "S", seq: 0, port: 6002 });
    peer.expect({ flags: "SA", port: 6002 });
    expect(peer.tcp.connectionCount).toBe(1);
    expect(peer.tcp.counters.ListenDrops).toBe(1);
  },
  { synCookies: "never" },
);

dialogue("SHLD-3: text that arrived for a user who stopped reading, and then closes, is answered with a RST", (peer) => {
  const connection = peer.connect({ delayedAck: 0 });
  connection.closeRead();
  peer.send({ flags: "A", data: "unwanted" });
  peer.expect({ flags: "A", ack: 9 });
  connection.close();
  peer.expect({ flags: "R", seq: 1 });
  expect(peer.tcp.counters.TCPAbortOnClose).toBe(1);
});

dialogue("SHLD-3: so is text that was waiting when the user stopped reading; a user who had read all of it closes with a FIN", (peer) => {
  const connection = peer.connect({ delayedAck: 0 });
  peer.send({ flags: "A", data: "wanted" });
  peer.expect({ flags: "A", ack: 7 });
  connection.receive();
  connection.closeRead();
  connection.close();
  peer.expect({ flags: "FA", seq: 1, ack: 7 });
});
