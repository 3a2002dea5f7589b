// A new SYN for a connection in TIME-WAIT (RFC 9293 §3.6.1, RFC 1122 §4.2.2.13).
import { expect } from "vitest";
import { dialogue, type Peer } from "./peer.ts";

function timeWait(peer: Peer): void {
  peer.listen();
  peer.reach("TIME-WAIT");
  // The peer's FIN was its number 1, so it goes on at 2.
}

dialogue("MAY-2: a SYN beyond all that was received opens the connection anew, with numbers beyond the former one's", (peer) => {
  timeWait(peer);
  peer.send({ flags: "S", seq: 70_000 });
  const answer = peer.expect({ flags: "SA", ack: 70_001 });
  expect(answer.seq).toBeGreaterThan(2);
  peer.send({ flags: "A", seq: 70_001, ack: answer.seq + 1 });
  expect(peer.accepted().state).toBe("ESTABLISHED");
  expect(peer.tcp.connectionCount).toBe(1);
});

dialogue("MAY-2: an old SYN is answered with an ACK, and TIME-WAIT goes on", (peer) => {
  timeWait(peer);
  peer.send({ flags: "S", seq: -5000, ack: 0 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  expect(peer.transitions.at(-1)).toBe("FIN-WAIT-2 → TIME-WAIT");
});

dialogue("MAY-2: without a listener TIME-WAIT stays as it is", (peer) => {
  timeWait(peer);
  peer.listener?.close();
  peer.send({ flags: "S", seq: 70_000 });
  expect(peer.transitions.at(-1)).toBe("FIN-WAIT-2 → TIME-WAIT");
  peer.takeAll();
});
