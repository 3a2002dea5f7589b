// A bottleneck that marks: with ECN nothing is lost and the sender slows down all the same; without, the same queue drops.
import { codel, type QueueDisciplineFactory, thresholdMarking } from "@netstrata/link";
import { expect, test } from "vitest";
import { simulate, twoHosts, type WorldEvent } from "../src/index.ts";

interface Outcome {
  readonly retransmissions: number;
  readonly answers: number;
  readonly reductions: number;
  /** Octets a second. */
  readonly goodput: number;
}

const LENGTH = 4_000_000;

/** 10 Mbit/s and 20 ms there and back; a queue of 200 packets would be 240 ms long. */
async function transfer(ecn: "off" | "on" | "accurate", queue: QueueDisciplineFactory): Promise<Outcome> {
  const world = simulate();
  const { client, server } = twoHosts(world, {
    wire: { latency: 10, rate: 10_000_000, queueLimit: 200, aToB: { queue } },
    host: { tcp: { ecn, receiveBuffer: 1_000_000, sendBuffer: 1_000_000 } },
  });
  let answers = 0;
  let reductions = 0;
  world.observe((event: WorldEvent) => {
    const { kind, reason } = event.event as { kind: string; reason?: string };
    if (kind !== "congestion") return;
    if (reason === "marked") answers += 1;
    if (reason === "enter-recovery" || reason === "timeout") reductions += 1;
  });
  return await world.run(async () => {
    const listener = server.listen({ port: 80 });
    const socket = client.connect("server:80");
    const peer = await listener.accept();
    const started = world.now;
    void (async () => {
      await socket.write(new Uint8Array(LENGTH));
      await socket.close();
    })();
    let length = 0;
    for await (const piece of peer) length += piece.length;
    expect(length).toBe(LENGTH);
    return {
      retransmissions: client.layers.tcp.counters.RetransSegs,
      answers,
      reductions,
      goodput: (LENGTH * 1000) / (world.now - started),
    };
  });
}

for (const [name, queue] of [
  ["CoDel (RFC 8289)", codel()],
  ["threshold marking (RFC 8257 §3.1)", thresholdMarking(20)],
] as const) {
  test(`RFC 3168 §6.1: through ${name} nothing is lost with ECN, and the window follows the marks`, async () => {
    for (const ecn of ["on", "accurate"] as const) {
      const { retransmissions, answers, reductions, goodput } = await transfer(ecn, queue);
      expect({ ecn, retransmissions, reductions }).toEqual({ ecn, retransmissions: 0, reductions: 0 });
      expect(answers).toBeGreaterThan(2);
      // 1.25 MB/s less headers.
      expect(goodput).toBeGreaterThan(1_000_000);
    }
  });

  test(`through ${name} the same sender loses without ECN`, async () => {
    const { retransmissions, answers, reductions } = await transfer("off", queue);
    expect(answers).toBe(0);
    expect(retransmissions).toBeGreaterThan(0);
    expect(reductions).toBeGreaterThan(0);
  });
}
