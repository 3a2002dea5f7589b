// Our own echo requests (RFC 1122 §3.2.2.6): ping and traceroute.
import { formatIp, ip, type PacketBuffer, prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import type { EchoReceiver, IcmpError, IpHeader } from "../src/index.ts";
import { Bench, icmp, icmpOf, octets } from "./bench-host.ts";

class Diary implements EchoReceiver {
  readonly lines: string[] = [];

  reply(sequence: number, payload: PacketBuffer, header: IpHeader): void {
    this.lines.push(`${sequence} reply of ${payload.length} from ${formatIp(header.source)} ttl ${header.timeToLive}`);
  }

  error(error: IcmpError, sequence: number, header: IpHeader): void {
    this.lines.push(`${sequence} ${error.kind} from ${formatIp(error.from)} about ${formatIp(header.destination)}`);
  }
}

test("1122-3.2.2.6-2, 1122-3.2.2.6-6: a client's request goes out, and the reply comes back to it alone", () => {
  const bench = new Bench();
  const [diary, other] = [new Diary(), new Diary()];
  const client = bench.layer.echo.open(diary, 7);
  bench.layer.echo.open(other);
  expect(client.send({ destination: ip("192.0.2.2"), sequence: 65535, payload: octets(56), timeToLive: 9 })).toBe("sent");
  const [request] = bench.link.take();
  expect(request.header).toMatchObject({ timeToLive: 9, source: ip("192.0.2.1") });
  const message = icmpOf(request);
  expect(message).toEqual({ type: 8, code: 0, rest: 0x7ffff, body: octets(56) });
  bench.link.deliver(icmp({ ...message, type: 0 }, message.body, { timeToLive: 61 }));
  expect(diary.lines).toEqual(["65535 reply of 56 from 192.0.2.2 ttl 61"]);
  expect(other.lines).toEqual([]);
});

test("traceroute: routers on the way and the destination answer, each by its own error", () => {
  const bench = new Bench();
  bench.layer.routes.add({ prefix: prefix("0.0.0.0/0"), interface: bench.link, nextHop: ip("192.0.2.254") });
  const diary = new Diary();
  const client = bench.layer.echo.open(diary);
  const answers: [string, number, number][] = [
    ["192.0.2.254", 11, 0],
    ["198.51.100.1", 11, 0],
    ["198.51.100.9", 3, 13],
  ];
  for (const [index, [source, type, code]] of answers.entries()) {
    client.send({ destination: ip("203.0.113.9"), sequence: index, timeToLive: index + 1 });
    const [{ bytes }] = bench.link.take();
    bench.link.deliver(icmp({ type, code, rest: 0 }, bytes, { source }));
  }
  expect(diary.lines).toEqual([
    "0 time-exceeded from 192.0.2.254 about 203.0.113.9",
    "1 time-exceeded from 198.51.100.1 about 203.0.113.9",
    "2 prohibited from 198.51.100.9 about 203.0.113.9",
  ]);
});

test("a reply or error that nobody waits for is dropped", () => {
  const bench = new Bench();
  const diary = new Diary();
  const client = bench.layer.echo.open(diary, 1);
  client.send({ destination: ip("192.0.2.2"), sequence: 1 });
  const [{ bytes }] = bench.link.take();
  bench.link.deliver(icmp({ type: 0, code: 0, rest: 0x20001 }));
  client.close();
  bench.link.deliver(icmp({ type: 0, code: 0, rest: 0x10001 }));
  bench.link.deliver(icmp({ type: 3, code: 1, rest: 0 }, bytes));
  expect(diary.lines).toEqual([]);
  expect(bench.takeDrops()).toEqual(["echo-reply-unasked", "echo-reply-unasked", "error-unasked"]);
});

test("without a route a request is not sent", () => {
  const bench = new Bench();
  expect(bench.layer.echo.open(new Diary()).send({ destination: ip("203.0.113.9"), sequence: 1 })).toBe("network-unreachable");
});

test("an identifier is somebody's until he closes", () => {
  const bench = new Bench();
  const first = bench.layer.echo.open(new Diary(), 5);
  expect(() => bench.layer.echo.open(new Diary(), 5)).toThrow(RangeError);
  expect(() => bench.layer.echo.open(new Diary(), 65536)).toThrow(RangeError);
  first.close();
  const second = bench.layer.echo.open(new Diary(), 5);
  first.close();
  expect(() => bench.layer.echo.open(new Diary(), 5)).toThrow(RangeError);
  second.close();
});

test("there are 65536 identifiers, and one more client is refused", () => {
  const bench = new Bench();
  const identifiers = new Set<number>();
  for (let count = 0; count < 65536; count += 1) identifiers.add(bench.layer.echo.open(new Diary(), count).identifier);
  expect(identifiers.size).toBe(65536);
  expect(() => bench.layer.echo.open(new Diary())).toThrow(RangeError);
});

test("pinging ourselves works through the loopback", () => {
  const bench = new Bench();
  const diary = new Diary();
  const client = bench.layer.echo.open(diary);
  client.send({ destination: ip("127.0.0.1"), sequence: 1 });
  client.send({ destination: ip("192.0.2.1"), sequence: 2, payload: octets(9000) });
  expect(diary.lines).toEqual([]);
  bench.clock.runUntilIdle();
  expect(diary.lines).toEqual(["1 reply of 0 from 127.0.0.1 ttl 64", "2 reply of 9000 from 192.0.2.1 ttl 64"]);
});
