import type { Ipv4Address } from "@netstrata/core";
import { ACK, FIN, RST, SYN } from "@netstrata/transport";
import { describe, expect, test } from "vitest";
import { type ConversationLimits, dissect, type Side, type TcpConversation, TcpConversations } from "../src/index.ts";
import { A, B, type Segment, tcpDatagram, udpDatagram } from "./packets.ts";

/** Feeds segments, and writes down what is told: `1 client "abc"`. */
class Onlooker {
  readonly events: string[] = [];
  readonly seen: TcpConversation[] = [];
  readonly conversations: TcpConversations;
  private number = 0;

  constructor(limits?: ConversationLimits) {
    const tell = (text: string) => this.events.push(text);
    this.conversations = new TcpConversations(
      {
        begin: (conversation) => {
          this.seen.push(conversation);
          tell(`${conversation.number} begin`);
        },
        data: ({ number }, side: Side, bytes) => tell(`${number} ${side} ${JSON.stringify(new TextDecoder().decode(bytes))}`),
        gap: ({ number }, side, length) => tell(`${number} ${side} gap ${length}`),
        end: ({ number, end }) => tell(`${number} end ${end}`),
      },
      limits,
    );
  }

  /** From the client, 10.0.0.1:52000. */
  client(seq: number, ack: number | undefined, flags: number, payload = "", more: Segment = {}): ReturnType<TcpConversations["packet"]> {
    const segment = { seq: seq >>> 0, ack: (ack ?? 0) >>> 0, flags: flags | (ack === undefined ? 0 : ACK), payload, ...more };
    this.number += 1;
    return this.conversations.packet(dissect(tcpDatagram(segment), 101), this.number, BigInt(this.number));
  }

  /** From the server, 10.0.0.2:80. */
  server(seq: number, ack: number | undefined, flags: number, payload = ""): ReturnType<TcpConversations["packet"]> {
    return this.client(seq, ack, flags, payload, { source: B, destination: A, sourcePort: 80, destinationPort: 52000 });
  }
}

describe.each([100, 2 ** 31 - 2, 2 ** 32 - 2])("with the client's first number at %i", (c) => {
  test("a whole conversation", () => {
    const net = new Onlooker();
    const s = 7000;
    net.client(c, undefined, SYN);
    expect(net.seen[0]).toMatchObject({
      state: "opening",
      client: { endpoint: { address: A, port: 52000 } },
      server: { endpoint: { address: B, port: 80 } },
    });
    net.server(s, c + 1, SYN);
    net.client(c + 1, s + 1, 0);
    expect(net.seen[0].state).toBe("established");
    expect(net.client(c + 1, s + 1, 0, "GET /")).toMatchObject({ side: "client", conversation: { number: 1 } });
    expect(net.server(s + 1, c + 6, 0, "200 OK")).toMatchObject({ side: "server" });
    net.server(s + 7, c + 6, FIN);
    expect(net.seen[0].state).toBe("closing");
    net.client(c + 6, s + 8, FIN);
    net.server(s + 8, c + 7, 0);
    net.conversations.finish();
    expect(net.events).toEqual(["1 begin", '1 client "GET /"', '1 server "200 OK"', "1 end closed"]);
    expect(net.seen[0]).toMatchObject({
      state: "closed",
      isWhole: true,
      firstPacket: 1,
      lastPacket: 8,
      firstTimestamp: 1n,
      lastTimestamp: 8n,
    });
    expect(net.seen[0].client).toMatchObject({ packets: 4, initialSequence: c >>> 0, finSeen: true, stream: { deliveredBytes: 5 } });
    expect(net.seen[0].server).toMatchObject({ packets: 4, stream: { deliveredBytes: 6 } });
  });

  test("a retransmitted SYN and SYN-ACK begin nothing new", () => {
    const net = new Onlooker();
    net.client(c, undefined, SYN);
    net.client(c, undefined, SYN);
    net.server(7000, c + 1, SYN);
    net.server(7000, c + 1, SYN);
    net.client(c + 1, 7001, 0, "x");
    expect(net.events).toEqual(["1 begin", '1 client "x"']);
  });
});

test("a reset ends the conversation, and its own octets are no part of the stream (RFC 9293 §3.10.7)", () => {
  const net = new Onlooker();
  net.client(100, undefined, SYN);
  net.server(0, 101, RST, "refused");
  expect(net.events).toEqual(["1 begin", "1 end reset"]);
  expect(net.seen[0]).toMatchObject({ state: "reset", end: "reset", server: { resetSeen: true } });
  net.client(101, 1, 0, "late");
  expect(net.events.length).toBe(2);
  expect(net.seen[0].client.packets).toBe(2);
});

test("a new SYN on the same ports is a new conversation", () => {
  const net = new Onlooker();
  net.client(100, undefined, SYN);
  net.client(101, 7001, 0, "old");
  net.client(90_000, undefined, SYN);
  net.client(90_001, 5, 0, "new");
  net.conversations.finish();
  expect(net.events).toEqual(["1 begin", '1 client "old"', "1 end replaced", "2 begin", '2 client "new"', "2 end capture-end"]);
});

test("also when the ports' owner has become the server, and when the number is the same after a reset", () => {
  const net = new Onlooker();
  net.client(100, undefined, SYN);
  net.server(0, 101, RST);
  net.client(100, undefined, SYN);
  net.server(5, undefined, SYN);
  net.conversations.finish();
  // The last SYN crosses the one before it: that is a simultaneous open.
  expect(net.events).toEqual(["1 begin", "1 end reset", "2 begin", "2 end capture-end"]);
  net.client(200, undefined, SYN);
  net.server(300, 201, SYN);
  net.client(201, 301, 0);
  net.server(999, undefined, SYN);
  expect(net.events.slice(4)).toEqual(["3 begin", "3 end replaced", "4 begin"]);
  expect(net.seen[3].client.endpoint.port).toBe(80);
});

test("a SYN-ACK captured before or instead of the SYN tells who the server is, and the late SYN is none of another conversation", () => {
  const net = new Onlooker();
  net.server(7000, 101, SYN);
  net.client(101, 7001, 0, "x");
  expect(net.events).toEqual(["1 begin", '1 client "x"']);
  expect(net.seen[0]).toMatchObject({ isWhole: false, client: { endpoint: { port: 52000 } }, server: { initialSequence: 7000 } });
  net.client(100, undefined, SYN);
  expect(net.seen.length).toBe(1);
});

test("a SYN-ACK captured behind the acknowledgment that answers it", () => {
  const net = new Onlooker();
  net.client(100, undefined, SYN);
  net.client(101, 7001, 0);
  net.server(7000, 101, SYN);
  net.server(7001, 101, 0, "x");
  expect(net.events).toEqual(["1 begin", '1 server "x"']);
});

test("a capture that begins in the middle", () => {
  const net = new Onlooker();
  net.server(7004, 150, 0, "def");
  net.server(7001, 150, 0, "abc");
  net.client(150, 7007, 0, "ok");
  net.conversations.finish();
  expect(net.events).toEqual(
    ["1 begin", '1 server "abc"', '1 server "def"', '1 client "ok"', "1 end capture-end"].map((event) =>
      // Who spoke first is taken for the client: nothing better is known.
      event.replace(/server|client/, (side) => (side === "server" ? "client" : "server")),
    ),
  );
  expect(net.seen[0]).toMatchObject({ state: "established", isWhole: false });
});

test("octets that are missing are a gap when the capture ends", () => {
  const net = new Onlooker();
  net.client(100, undefined, SYN);
  net.client(101, 1, 0, "ab");
  net.client(106, 1, 0, "fg");
  net.conversations.finish();
  expect(net.events).toEqual(["1 begin", '1 client "ab"', "1 client gap 3", '1 client "fg"', "1 end capture-end"]);
  expect(net.seen[0].isWhole).toBe(false);
});

test("data in a SYN is the beginning of the stream (RFC 7413)", () => {
  const net = new Onlooker();
  net.client(100, undefined, SYN, "early");
  net.client(106, 1, 0, "!");
  expect(net.events).toEqual(["1 begin", '1 client "early"', '1 client "!"']);
});

test("other packets are none of its business", () => {
  const net = new Onlooker();
  expect(net.conversations.packet(dissect(udpDatagram("x"), 101), 1, 0n)).toBeUndefined();
  expect(net.conversations.packet(dissect(new Uint8Array(3), 101), 2, 0n)).toBeUndefined();
  expect(net.events).toEqual([]);
});

test("of too many conversations the one that was silent longest gives way", () => {
  const net = new Onlooker({ maxConversations: 2 });
  const from = (port: number): void => void net.client(100, undefined, SYN, "", { sourcePort: port });
  from(1);
  from(2);
  from(1);
  from(3);
  expect(net.events).toEqual(["1 begin", "2 begin", "2 end evicted", "3 begin"]);
});

test("a conversation that is over keeps its place until others need it", () => {
  const net = new Onlooker();
  net.client(100, undefined, SYN);
  net.server(0, 101, RST);
  net.server(1, 101, RST);
  expect(net.seen.length).toBe(1);
});

test("a flood of SYNs from made-up addresses stays within the limit", () => {
  const net = new TcpConversations({}, { maxConversations: 100 });
  let last: TcpConversation | undefined;
  for (let host = 0; host < 1000; host += 1) {
    const bytes = tcpDatagram({ source: (0x0b000000 + host) as Ipv4Address, flags: SYN });
    last = net.packet(dissect(bytes, 101), host, 0n)?.conversation;
  }
  expect(last?.number).toBe(1000);
});

test("all conversations together may let only so many octets wait", () => {
  const net = new Onlooker({ maxBuffered: 10 });
  net.client(100, undefined, SYN);
  net.client(102, 1, 0, "12345678");
  net.client(100, undefined, SYN, "", { sourcePort: 2 });
  net.client(102, 1, 0, "abc", { sourcePort: 2 });
  expect(net.events).toEqual(["1 begin", "2 begin", "2 client gap 1", '2 client "abc"']);
  net.client(101, 1, 0, "0");
  expect(net.events.slice(4)).toEqual(['1 client "0"', '1 client "12345678"']);
});
