import type { CapturedPacket } from "@netstrata/capture";
import { ip } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ConversationReport, type ReplayOptions, replay } from "../src/index.ts";
import { CLIENT, capturedPacket, exchange, record, SERVER, sampleBytes } from "./world-recording.ts";

async function replayed(
  packets: readonly CapturedPacket[],
  as: string,
  options: Omit<ReplayOptions, "as"> = {},
): Promise<ConversationReport[]> {
  const reports: ConversationReport[] = [];
  for await (const report of replay(packets, { ...options, as: ip(as) })) reports.push(report);
  return reports;
}

function verdicts(reports: readonly ConversationReport[]): string[] {
  return reports.map(
    ({ verdict, reason, divergence }) => reason ?? (divergence ? `${verdict}: ${divergence.expected} / ${divergence.found}` : verdict),
  );
}

/** Changes the octets of one packet. */
function tampered(packets: readonly CapturedPacket[], number: number, change: (bytes: Buffer) => void): CapturedPacket[] {
  return packets.map((packet) => {
    if (packet.number !== number) return packet;
    const bytes = Buffer.from(Uint8Array.from(packet.bytes));
    change(bytes);
    return { ...packet, bytes };
  });
}

/** Where the TCP header begins in the frames of these recordings. */
const TCP = 34;

function tcpFlags({ bytes }: CapturedPacket): number {
  return bytes[12] === 8 && bytes[13] === 0 && bytes[23] === 6 ? bytes[TCP + 13] : 0;
}

describe("a TCP conversation", () => {
  test("is the same when our stack plays either end of what it did itself", async () => {
    const packets = await record(exchange(3000, 5000));
    for (const [as, sent, received] of [
      [CLIENT, 3000, 5000],
      [SERVER, 5000, 3000],
    ] as const) {
      const [report] = await replayed(packets, as);
      expect(report).toMatchObject({ verdict: "same", protocol: "tcp", whole: true, octetsSent: sent, octetsReceived: received });
      expect(report.liberties).toEqual({ retransmissions: 0, acknowledgmentsSplit: 0, longestWait: 0 });
    }
  });

  test("is the same over networks that lose, double, reorder and delay, captured at either end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2 ** 31),
        fc.record({
          drop: fc.double({ min: 0, max: 0.12, noNaN: true }),
          duplicate: fc.double({ min: 0, max: 0.05, noNaN: true }),
          reorder: fc.double({ min: 0, max: 0.1, noNaN: true }),
        }),
        fc.constantFrom("client" as const, "server" as const),
        async (seed, faults, at) => {
          const packets = await record(exchange(20_000, 40_000), { seed, faults, at, medium: "ip" });
          for (const as of [CLIENT, SERVER]) expect(verdicts(await replayed(packets, as, { seed }))).toEqual(["same"]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("sequence numbers may wrap in the middle, in the recording and in the replay", async () => {
    const packets = await record(exchange(3000, 3000));
    for (const start of [0xfffffff0, 0x7ffffff0, 0xfffff800]) {
      const initialSequenceNumber = (): number => start;
      for (const as of [CLIENT, SERVER])
        expect(verdicts(await replayed(packets, as, { tcp: { initialSequenceNumber } }))).toEqual(["same"]);
    }
  });

  test("a refused connection is refused again", async () => {
    const packets = await record(async (client) => {
      await client.connect("server:81").opened.catch(() => {});
    });
    expect(verdicts(await replayed(packets, SERVER))).toEqual(["same"]);
    expect(verdicts(await replayed(packets, CLIENT))).toEqual(["same"]);
  });

  test("a connection that is reset is reset again", async () => {
    const packets = await record(async (client, server, world) => {
      const listener = server.listen({ port: 80 });
      const accepted = listener.accept();
      const socket = client.connect("server:80");
      await socket.write(sampleBytes(100));
      const other = await accepted;
      other.closed.catch(() => {});
      await other.read();
      await world.sleep(100);
      socket.closed.catch(() => {});
      socket.abort();
      await world.sleep(100);
      await listener.close();
    });
    for (const as of [CLIENT, SERVER]) expect(verdicts(await replayed(packets, as))).toEqual(["same"]);
  });

  test("the same ports used twice are two conversations", async () => {
    const packets = await record(async (client, server, world) => {
      const listener = server.listen({ port: 80 });
      for (let round = 0; round < 2; round += 1) {
        const accepted = listener.accept();
        const socket = client.connect("server:80", { localPort: 5000, timeWait: 10 });
        await socket.opened;
        await (await accepted).close().catch(() => {});
        await socket.close();
        await world.sleep(250_000);
      }
      await listener.close();
    });
    expect(verdicts(await replayed(packets, CLIENT))).toEqual(["same", "same"]);
  });

  test("a packet that the capture saw twice counts once", async () => {
    const packets = await record(exchange(100, 100));
    const twice = packets.flatMap((packet) => {
      const marked = { ...packet, bytes: Uint8Array.from(packet.bytes) };
      // An identification, as of hosts that count them.
      if (tcpFlags(packet) !== 0) marked.bytes.set([1, packet.number], 18);
      return [marked, marked];
    });
    const [report] = await replayed(twice, SERVER);
    expect([report.verdict, report.peerPackets + report.ownPackets]).toEqual([
      "same",
      packets.filter((packet) => tcpFlags(packet) !== 0).length,
    ]);
  });

  test("wrong checksums of an end whose packets were understood were made right behind the capture", async () => {
    const packets = await record(exchange(1000, 1000));
    const offloaded = packets.map((packet) => {
      const bytes = Uint8Array.from(packet.bytes);
      if (tcpFlags(packet) !== 0 && bytes[29] === 1) bytes[TCP + 16] ^= 0x55;
      return { ...packet, bytes };
    });
    for (const as of [CLIENT, SERVER]) expect(verdicts(await replayed(offloaded, as))).toEqual(["same"]);
  });
});

test("a broken packet that acknowledges octets of the future is waited for no longer than their turn", async () => {
  const packets = await record(exchange(3000, 3000));
  const first = packets.find(({ bytes }) => bytes.length > 1000) as CapturedPacket;
  const changed = tampered(packets, first.number, (bytes) => {
    bytes.writeUInt32BE((bytes.readUInt32BE(TCP + 8) + 0x60) >>> 0, TCP + 8);
  });
  expect(verdicts(await replayed(changed, SERVER))).toEqual(["same"]);
});

describe("a TCP stack that does something else", () => {
  test("does not acknowledge what the recorded host acknowledged", async () => {
    // One segment and nothing to say in return, so that the acknowledgment travels alone.
    const packets = await record(async (client, server, world) => {
      const listener = server.listen({ port: 80 });
      const accepted = listener.accept();
      const socket = client.connect("server:80");
      await socket.opened;
      await (await accepted).opened;
      await socket.write(sampleBytes(100));
      await world.sleep(1000);
      await socket.close();
      await listener.close();
    });
    // The segment comes two seconds after its acknowledgment: no stack can have answered it.
    const data = packets.find(({ bytes }) => bytes.length > 100) as CapturedPacket;
    const later = packets
      .filter((packet) => packet !== data)
      .map((packet) => (packet.number > data.number + 1 ? { ...packet, timestamp: packet.timestamp + 10n ** 10n } : packet));
    later.splice(data.number, 0, { ...data, timestamp: data.timestamp + 2n * 10n ** 9n });
    const [report] = await replayed(later, SERVER);
    expect(verdicts([report])).toEqual(["differs: an acknowledgment up to octet 100 within 500 ms / an acknowledgment up to the SYN"]);
    expect(report.divergence?.recorded?.number).toBe(data.number + 1);
    // The last that our stack had sent is its SYN,ACK.
    expect(report.divergence?.ours?.bytes[33]).toBe(0x12);
  });

  test("announces another MSS", async () => {
    const packets = await record(exchange(100, 100));
    expect(verdicts(await replayed(packets, CLIENT, { tcp: { maximumSegmentSize: 900 } }))).toEqual([
      "differs: MSS 1460 in the SYN / MSS 900",
    ]);
  });

  test("has too small a window for what the recorded host took", async () => {
    const packets = await record(exchange(30_000, 10));
    const [verdict] = verdicts(await replayed(packets, SERVER, { tcp: { receiveBuffer: 1000 } }));
    expect(verdict).toMatch(/^differs: an acknowledgment up to octet \d+ within 500 ms/);
  });

  test("does not offer window scaling where the recorded host did", async () => {
    const packets = await record(exchange(100, 100));
    const synAck = packets.find((packet) => (tcpFlags(packet) & 0x12) === 0x12) as CapturedPacket;
    const syn = packets.find((packet) => (tcpFlags(packet) & 0x12) === 0x02) as CapturedPacket;
    // Without the option in the SYN our stack must not answer with it, though the recorded host did.
    const changed = tampered(packets, syn.number, (bytes) => blank(bytes, 3));
    expect(synAck.bytes.length).toBeGreaterThan(TCP + 20);
    expect(verdicts(await replayed(changed, SERVER))).toEqual(["differs: window scaling in the SYN / none"]);
  });
});

/** Overwrites an option by no-operations; nobody verifies what the capture is then taken to have seen too early. */
function blank(bytes: Uint8Array, kind: number): void {
  const end = TCP + (bytes[TCP + 12] >>> 4) * 4;
  for (let at = TCP + 20; at < end; ) {
    const length = bytes[at] === 1 || bytes[at] === 0 ? 1 : bytes[at + 1];
    if (bytes[at] === kind) bytes.fill(1, at, at + length);
    at += length;
  }
}

describe("a recording that does not hold what is needed", () => {
  test("begins in the middle", async () => {
    const packets = (await record(exchange(100, 100))).filter((packet) => (tcpFlags(packet) & 2) === 0);
    expect(verdicts(await replayed(packets, SERVER))).toEqual(["it begins before the recording does: there is no SYN"]);
  });

  test("lacks octets that were acknowledged", async () => {
    const packets = await record(exchange(5000, 100));
    const missing = packets.find(({ bytes }) => bytes.length > 1400) as CapturedPacket;
    const rest = packets.filter((packet) => packet !== missing);
    expect(verdicts(await replayed(rest, SERVER))[0]).toMatch(/^\d+ octets of the peer are not in the recording$/);
    expect(verdicts(await replayed(rest, CLIENT))[0]).toMatch(/^\d+ octets of the end to play are not in the recording$/);
  });

  test("was cut off by the snap length", async () => {
    const packets = (await record(exchange(5000, 100))).map((packet) => ({ ...packet, bytes: packet.bytes.subarray(0, 96) }));
    expect(verdicts(await replayed(packets, SERVER))[0]).toMatch(
      /^packets of the (peer|end to play) were cut off by the capture's snap length$/,
    );
  });

  test("holds a SYN that nobody answered", async () => {
    const packets = (await record(exchange(100, 100))).filter((packet) => (tcpFlags(packet) & 0x12) === 0x02);
    expect(verdicts(await replayed(packets, CLIENT))).toEqual(["the SYN was never answered by the peer"]);
  });

  test("contradicts itself", async () => {
    const packets = await record(exchange(2000, 100));
    const data = packets.find(({ bytes }) => bytes.length > 1000) as CapturedPacket;
    const other = tampered(packets, data.number, (bytes) => (bytes[100] ^= 1)).find(
      ({ number }) => number === data.number,
    ) as CapturedPacket;
    // Checksums of both are believed, because the SYN's is wrong as well.
    const syn = packets.find((packet) => (tcpFlags(packet) & 0x12) === 0x02) as CapturedPacket;
    const changed = tampered(packets, syn.number, (bytes) => (bytes[TCP + 16] ^= 1)).flatMap((packet) =>
      packet.number === data.number ? [packet, other] : [packet],
    );
    expect(verdicts(await replayed(changed, SERVER))).toEqual(["packets of the peer contradict each other about the same octets"]);
  });

  test("has ends that cannot be", async () => {
    const packets = await record(exchange(100, 100));
    const changed = (at: number, ...octets: number[]): CapturedPacket[] =>
      packets.map((packet) => {
        const bytes = Uint8Array.from(packet.bytes);
        const fromClient = bytes[29] === 1;
        if (tcpFlags(packet) !== 0) bytes.set(octets, at + (fromClient ? 0 : at < TCP ? 4 : 2));
        return { ...packet, bytes };
      });
    expect(verdicts(await replayed(changed(TCP, 0, 0), SERVER))).toEqual(["an end has no port or no address"]);
    expect(verdicts(await replayed(changed(26, 0, 0, 0, 0), SERVER))).toEqual(["an end has no port or no address"]);
    expect(verdicts(await replayed(changed(26, 255, 255, 255, 255), SERVER))).toEqual(["the peer is no single host"]);
  });

  test("holds more packets than may be held", async () => {
    const packets = await record(exchange(5000, 100));
    await expect(replayed(packets, SERVER, { packetLimit: 5 })).rejects.toThrow("more than 5 packets in one recording");
  });

  test("is asked for an address that no host has", async () => {
    for (const address of ["0.0.0.0", "255.255.255.255", "224.0.0.1"])
      await expect(replayed([], address)).rejects.toThrow("is no host's address");
    await expect(replayed([], "2001:db8::1")).rejects.toThrow("only IPv4");
  });
});

describe("a UDP conversation", () => {
  const questions = async (port: number): Promise<CapturedPacket[]> =>
    record(async (client, server, world) => {
      const service = server.udp({ port: 53 });
      const echoing = (async () => {
        for await (const datagram of service) await service.send(datagram.data, datagram);
      })();
      const socket = client.udp();
      socket.connect(`server:${port}`);
      for (const size of [0, 1, 1472, 4000]) await socket.send(sampleBytes(size));
      await world.sleep(1000);
      await socket.close();
      await service.close();
      await echoing;
    });

  test("is the same at both ends, in fragments too", async () => {
    const packets = await questions(53);
    for (const as of [CLIENT, SERVER]) {
      const reports = await replayed(packets, as);
      expect(verdicts(reports)).toEqual(["same"]);
      expect(reports[0]).toMatchObject({ protocol: "udp", octetsSent: 5473, octetsReceived: 5473, peerPackets: 4, ownPackets: 4 });
    }
  });

  test("a port that nobody has is unreachable again", async () => {
    const packets = await questions(54);
    const [report] = await replayed(packets, SERVER);
    expect(report.verdict).toBe("same");
    expect(report.packetsSent).toBeGreaterThan(0);
    expect(verdicts(await replayed(packets, CLIENT))).toEqual(["same"]);
  });

  test("a datagram with a wrong checksum is dropped again", async () => {
    const packets = await questions(53);
    const wrong = tampered(
      packets,
      packets.find(({ bytes }) => bytes[23] === 17 && bytes.length > 1000)?.number ?? 0,
      (bytes) => (bytes[200] ^= 1),
    );
    expect(verdicts(await replayed(wrong, SERVER))).toEqual(["same"]);
  });

  test("differs when the recorded host took what our stack must drop", async () => {
    const packets = await questions(53);
    // 127/8 as a source is not of this world (RFC 1122 §3.2.1.3 g).
    const martian = packets.map((packet) => {
      const bytes = Uint8Array.from(packet.bytes);
      for (const at of [26, 30]) if (bytes[at + 3] === 1 && bytes[23] === 17) bytes.set([127, 9, 9, 9], at);
      return { ...packet, bytes };
    });
    const [report] = await replayed(martian, SERVER);
    expect(report.verdict).toBe("differs");
    expect(report.divergence).toMatchObject({ expected: "that the datagram is delivered", found: "it was dropped" });
  });
});

test("packets of other protocols, other hosts and other kinds are passed over", async () => {
  const packets = await record(exchange(100, 100));
  const strangers = [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(60), Uint8Array.from({ length: 90 }, () => 0x45)];
  const mixed = [...strangers.map((bytes, index) => capturedPacket(1000 + index, 0, bytes)), ...packets];
  expect(verdicts(await replayed(mixed, SERVER))).toEqual(["same"]);
  expect(await replayed(mixed, "192.0.2.77")).toEqual([]);
});

test("a recording with broken packets is replayed or not, and never throws", async () => {
  const whole = await record(exchange(3000, 3000));
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(1500), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(damage, fc.array(fc.nat(whole.length - 1), { maxLength: 5 }), async (hits, cuts) => {
      const packets = whole.map((packet) => ({ ...packet, bytes: Uint8Array.from(packet.bytes) }));
      for (const [index, at, mask] of hits) if (at < packets[index].bytes.length) packets[index].bytes[at] ^= mask;
      for (const index of cuts) packets[index].bytes = packets[index].bytes.subarray(0, packets[index].bytes.length >> 1);
      for (const as of [CLIENT, SERVER]) {
        for (const { verdict } of await replayed(packets, as)) expect(["same", "differs", "not-replayed"]).toContain(verdict);
      }
    }),
    { numRuns: 300 },
  );
});
