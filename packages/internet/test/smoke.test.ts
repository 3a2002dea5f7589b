import { ip, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import { createWire, IpInterface, LoopbackDevice } from "@netstrata/link";
import { expect, test } from "vitest";
import { InternetLayer } from "../src/index.ts";

test("1122-3.2.2.6-1: two hosts on a wire: an echo request is answered with all its data", () => {
  const clock = new VirtualClock();
  const wire = createWire(clock, { medium: "ip", latency: 5 });
  const make = (name: string, device: (typeof wire)["a"], address: string): InternetLayer => {
    const host = { name, clock, random: new SeededRandom(1) };
    const layer = new InternetLayer(host);
    const lo = new IpInterface(host, new LoopbackDevice(clock));
    lo.addAddress(prefix("127.0.0.1/8"));
    layer.addInterface(lo, { loopback: true });
    const link = new IpInterface(host, device);
    layer.addInterface(link);
    layer.addAddress(link, prefix(address));
    return layer;
  };
  const a = make("a", wire.a, "192.0.2.1/24");
  make("b", wire.b, "192.0.2.2/24");
  const replies: number[] = [];
  const echo = a.echo.open({ reply: (sequence, payload) => replies.push(sequence, payload.length), error: () => {} });
  expect(echo.send({ destination: ip("192.0.2.2"), sequence: 7, payload: new Uint8Array(3000) })).toBe("sent");
  expect(echo.send({ destination: ip("127.0.0.5"), sequence: 8, payload: new Uint8Array(10) })).toBe("sent");
  clock.advance(20);
  expect(replies).toEqual([8, 10, 7, 3000]);
  expect(clock.armedTimers).toBe(0);
});
