// Source routes (RFC 9293 §3.9.2.1, RFC 1122 §4.2.3.8).
import { ip, ipToBytes } from "@netstrata/core";
import { expect, test } from "vitest";
import { dialogue, octets, Peer } from "./peer.ts";

const ROUTERS = ["10.0.0.7", "10.0.0.8"].map(ip);
const ACCEPTING = { acceptSourceRoutes: true };

/** A loose source route option of these addresses, padded; `travelled` says that its end was reached. */
function looseRoute(addresses: readonly string[], travelled: boolean): number[] {
  const length = 3 + 4 * addresses.length;
  const option = [131, length, travelled ? length + 1 : 4, ...addresses.flatMap((address) => [...ipToBytes(ip(address))])];
  while (option.length % 4 !== 0) option.push(0);
  return option;
}

dialogue("MUST-51: an active open takes a source route, and every segment goes by it", (peer) => {
  const connection = peer.open({ sourceRoute: ROUTERS });
  const route = looseRoute(["10.0.0.8", "10.0.0.2"], false);
  expect(peer.expect({ flags: "S", seq: 0 })).toMatchObject({ hop: ROUTERS[0], ipOptions: route });
  peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460 } });
  expect(peer.expect({ flags: "A", seq: 1, ack: 1 })).toMatchObject({ hop: ROUTERS[0], ipOptions: route });
  // MUST-16: the options take their place from the text.
  connection.send(octets(2000));
  expect(peer.expect({ flags: "A", seq: 1, data: 1460 - route.length })).toMatchObject({ hop: ROUTERS[0], ipOptions: route });
  peer.takeAll();
});

dialogue(
  "MUST-52: a route that the user gave is not replaced by one that a segment came by",
  (peer) => {
    peer.open({ sourceRoute: [ROUTERS[0]] });
    peer.expect({ flags: "S", seq: 0 });
    peer.send({ flags: "SA", seq: 0, ack: 1, ipOptions: Uint8Array.from(looseRoute(["10.0.0.9"], true)) });
    expect(peer.expect({ flags: "A" })).toMatchObject({ hop: ROUTERS[0], ipOptions: looseRoute(["10.0.0.2"], false) });
  },
  ACCEPTING,
);

dialogue(
  "MUST-53, SHLD-24: a passive connection answers along the reverse of the latest route it heard from",
  (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0, ipOptions: Uint8Array.from(looseRoute(["10.0.0.7", "10.0.0.8"], true)) });
    expect(peer.expect({ flags: "SA" })).toMatchObject({ hop: ip("10.0.0.8"), ipOptions: looseRoute(["10.0.0.7", "10.0.0.2"], false) });
    peer.send({ flags: "A", seq: 1, ack: 1, ipOptions: Uint8Array.from(looseRoute(["10.0.0.9"], true)) });
    peer.accepted().send(octets(10));
    expect(peer.expect({ flags: "PA", seq: 1, data: 10 })).toMatchObject({
      hop: ip("10.0.0.9"),
      ipOptions: looseRoute(["10.0.0.2"], false),
    });
  },
  ACCEPTING,
);

dialogue(
  "a segment outside the window does not divert a connection",
  (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", seq: 500_000, ack: 1, ipOptions: Uint8Array.from(looseRoute(["10.0.0.9"], true)) });
    peer.takeAll();
    connection.send(octets(10));
    expect(peer.expect({ flags: "PA", data: 10 })).toMatchObject({ hop: peer.address, ipOptions: [] });
  },
  ACCEPTING,
);

dialogue("a route that segments came by is not followed unless that is wanted: it would let anyone speak for anyone", (peer) => {
  peer.listen();
  peer.send({ flags: "S", seq: 0, ipOptions: Uint8Array.from(looseRoute(["10.0.0.7"], true)) });
  expect(peer.expect({ flags: "SA" })).toMatchObject({ hop: peer.address, ipOptions: [] });
});

test("a route that no header can hold is refused", () => {
  const { tcp, address } = new Peer();
  const open = (sourceRoute: string[]): unknown => tcp.open({ address, port: 80 }, {}, { sourceRoute: sourceRoute.map(ip) });
  expect(open(new Array(10).fill("10.0.0.7"))).toBe("EINVAL");
  expect(open([])).toBe("EINVAL");
  expect(open(["2001:db8::1"])).toBe("EINVAL");
  tcp.close();
});
