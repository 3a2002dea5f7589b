// One seed, one world: two hosts that talk over a network as bad as the seed makes it. Everything about the run follows from the seed.
import { type Clock, type Host, randomBelow, randomFraction, SeededRandom, type Timer } from "@netstrata/core";
import { codel, FaultInjector, type FaultRates, type LinkDevice, type QueueDisciplineFactory, thresholdMarking } from "@netstrata/link";
import {
  CONGESTION_CONTROLS,
  type CongestionControlName,
  isArrow,
  type TcpConnection,
  type TcpEvent,
  type TcpStackOptions,
} from "../../src/index.ts";
import { type TwoHosts, twoHosts } from "../two-hosts.ts";
import { EcnMeddler } from "./ecn-meddler.ts";
import { StallWatch } from "./stall-watch.ts";

/** Simulated time without progress after which a conversation is stuck. Small buffers and slow readers may take days, but not stand still. */
const PATIENCE = 60 * 60 * 1000;
/** Longer than 2 MSL: of six repetitions a minute apart the worst of these networks may well lose every one. */
const TIME_WAIT = 3_600_000;
const LOSS_RECOVERIES = ["rack", "sack", "newreno"] as const;

class Talker {
  readonly connection: TcpConnection;
  ended: string | undefined;
  error: string | undefined;
  private readonly toSend: Uint8Array;
  private sent: number;
  private readonly expected: Uint8Array;
  private received = 0;
  private readonly random: SeededRandom;
  /** Closes its own stream only after it has read the peer's to the end. */
  private readonly closesLast: boolean;

  /** Longest time between the arrival of octets and their reading, in ms; 0 reads at once. */
  private readonly pause: number;
  private readonly reading: Timer;
  private readonly clock: Clock;
  /** When octets were last given or taken. */
  progressAt: number;

  constructor(
    clock: Clock,
    connection: TcpConnection,
    toSend: Uint8Array,
    expected: Uint8Array,
    random: SeededRandom,
    closesLast: boolean,
    sent = 0,
  ) {
    this.connection = connection;
    this.pause = randomBelow(random, 3) > 0 ? 0 : randomBelow(random, 3000);
    this.clock = clock;
    this.progressAt = clock.now();
    this.reading = clock.timer(() => this.read());
    this.toSend = toSend;
    this.sent = sent;
    this.expected = expected;
    this.random = random;
    this.closesLast = closesLast;
    connection.user = {
      opened: () => this.write(),
      writable: () => this.write(),
      readable: () => this.readSoon(),
      closed: (_connection, error) => {
        this.ended = error ?? "in order";
      },
    };
  }

  start(): void {
    if (this.connection.state !== "SYN-SENT") this.write();
    this.read();
  }

  get isComplete(): boolean {
    return this.received === this.expected.length;
  }

  /** A slow reader looks into its buffer only now and then, so that the window closes. */
  private readSoon(): void {
    if (this.pause === 0) this.read();
    else if (!this.reading.armed) this.reading.arm(this.pause * randomFraction(this.random));
  }

  private write(): void {
    while (this.sent < this.toSend.length) {
      const piece = 1 + randomBelow(this.random, randomBelow(this.random, 4) === 0 ? 10 : 20_000);
      const taken = this.connection.send(this.toSend.subarray(this.sent, this.sent + piece));
      if (typeof taken === "string") {
        this.error = `send: ${taken}`;
        return;
      }
      this.sent += taken;
      if (taken === 0) return;
      this.progressAt = this.clock.now();
    }
    this.maybeClose();
  }

  private read(): void {
    const limit = 1 + randomBelow(this.random, 100_000);
    for (let bytes = this.connection.receive(limit); bytes !== undefined; bytes = this.connection.receive(limit)) {
      for (let index = 0; index < bytes.length; index += 1) {
        if (bytes[index] !== this.expected[this.received + index]) {
          this.error ??= `octet ${this.received + index} differs`;
          return;
        }
      }
      this.received += bytes.length;
      this.progressAt = this.clock.now();
    }
    this.maybeClose();
  }

  private maybeClose(): void {
    if (this.sent === this.toSend.length && (!this.closesLast || this.connection.endOfStream)) this.connection.close();
  }
}

function randomBytes(random: SeededRandom, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = random.uint32();
  return bytes;
}

function randomRates(random: SeededRandom): FaultRates {
  const rate = (most: number): number => (randomBelow(random, 3) === 0 ? 0 : most * randomFraction(random) ** 2);
  return {
    drop: rate(0.3),
    duplicate: rate(0.2),
    reorder: rate(0.3),
    corrupt: rate(0.1),
    delay: rate(0.2),
    delayTime: [1, 1 + randomBelow(random, 500)],
  };
}

/** Each seed has its congestion control, and may have any other. */
function randomCongestionOptions(random: SeededRandom): TcpStackOptions {
  const names = Object.keys(CONGESTION_CONTROLS) as CongestionControlName[];
  const maybe = (): boolean => randomBelow(random, 2) === 0;
  return {
    congestionControl: names[randomBelow(random, names.length)],
    congestionAccounting: maybe() ? "octets" : "segments",
    hystart: maybe(),
    pacing: randomBelow(random, 4) === 0,
    maximumPacingRate: randomBelow(random, 8) === 0 ? 1e4 + randomBelow(random, 1e6) : undefined,
    slowStartAfterIdle: maybe(),
    windowValidation: (["rfc7661", "linux", "none"] as const)[randomBelow(random, 3)],
    initialWindow: maybe() ? undefined : 1 + randomBelow(random, 50),
  };
}

function randomStackOptions(random: SeededRandom): TcpStackOptions {
  // One start in three lies just before a place where signed or unsigned comparison goes wrong.
  const start = [random.uint32(), 2 ** 31 - randomBelow(random, 100_000), 2 ** 32 - 1 - randomBelow(random, 100_000)][
    randomBelow(random, 3)
  ];
  const buffer = (): number => 1 + Math.floor(2 ** (6 + 13 * randomFraction(random)));
  return {
    initialSequenceNumber: () => start,
    receiveBuffer: buffer(),
    sendBuffer: buffer(),
    noDelay: randomBelow(random, 2) === 0,
    sack: randomBelow(random, 4) > 0,
    lossRecovery: LOSS_RECOVERIES[randomBelow(random, 3)],
    dsack: randomBelow(random, 4) > 0,
    tailLossProbe: randomBelow(random, 4) > 0,
    limitedTransmit: randomBelow(random, 4) > 0,
    earlyRetransmit: randomBelow(random, 4) === 0,
    proportionalRateReduction: randomBelow(random, 4) > 0,
    frto: randomBelow(random, 4) > 0,
    undo: randomBelow(random, 4) > 0,
    delayedAck: randomBelow(random, 2) === 0 ? 0 : 40,
    rtoMinimum: randomBelow(random, 2) === 0 ? 1000 : 200,
    timeWait: TIME_WAIT,
    ...randomCongestionOptions(random.fork(`congestion ${start}`)),
    ...randomEcnOptions(random.fork(`ecn ${start}`)),
    ...randomMemoryOptions(random.fork(`memory ${start}`)),
    ...randomHandshakeOptions(random.fork(`handshake ${start}`)),
    // However bad the network is: nobody is to give up.
    userTimeout: PATIENCE,
    synTimeout: PATIENCE,
    retries: Number.POSITIVE_INFINITY,
    orphanRetries: 50,
    synRetries: Number.POSITIVE_INFINITY,
    synAckRetries: Number.POSITIVE_INFINITY,
  };
}

/** What only the first segments of a connection decide, and whose choices all the rest is. */
function randomHandshakeOptions(random: SeededRandom): TcpStackOptions {
  const maybe = (): boolean => randomBelow(random, 2) === 0;
  const optional = (): boolean => randomBelow(random, 4) > 0;
  return {
    personality: (["rfc", "rfc", "linux", "freebsd"] as const)[randomBelow(random, 4)],
    timestamps: optional(),
    timestampOffset: optional(),
    windowScaling: optional(),
    // Not "always": who answers with cookies refuses what overtakes the last segment of the handshake, as RFC 4987 §3.6 says.
    synCookies: maybe() ? "never" : "pressure",
    fastOpen: maybe() ? { backlog: maybe() ? 8 : 0, clientWithoutCookie: maybe(), serverWithoutCookie: maybe() } : undefined,
    nagle: maybe() ? "rfc" : "minshall",
    zeroWindowProbe: maybe() ? "octet" : "empty",
    rtoEstimator: maybe() ? "rfc" : "linux",
    acknowledgments: (["rfc", "linux", "freebsd"] as const)[randomBelow(random, 3)],
    burstSegments: maybe() ? 0 : 2,
  };
}

function randomEcnOptions(random: SeededRandom): TcpStackOptions {
  return {
    ecn: (["off", "passive", "on", "accurate", "accurate-answer", "accurate-passive"] as const)[randomBelow(random, 6)],
    ecnFallback: randomBelow(random, 4) > 0,
    accurateEcnOption: randomBelow(random, 4) > 0,
  };
}

/** Buffers that grow, windows that open slowly, and in one stack of four less memory than a conversation would like. */
function randomMemoryOptions(random: SeededRandom): TcpStackOptions {
  const high = 1 + Math.floor(2 ** (8 + 10 * randomFraction(random)));
  const scarce: TcpStackOptions = { memoryLimit: { low: Math.floor(high / 2), pressure: Math.floor((high * 2) / 3), high } };
  const grows: TcpStackOptions = { receiveBufferMaximum: 2 ** 21, sendBufferMaximum: 2 ** 20 };
  return {
    windowGrowth: randomBelow(random, 2) === 0 ? "full" : "gradual",
    ...(randomBelow(random, 2) === 0 ? grows : {}),
    ...(randomBelow(random, 4) === 0 ? scarce : {}),
  };
}

/** What a router on the way does before its queue is full. */
function randomQueue(random: SeededRandom): QueueDisciplineFactory | undefined {
  return [undefined, undefined, codel({ target: 1 + randomBelow(random, 20) }), thresholdMarking(2 + randomBelow(random, 20))][
    randomBelow(random, 4)
  ];
}

/** In one world of two the first text goes with the SYN, and in half of these the hosts have met: the client has a cookie, which may be an old one. */
function randomFastOpenText({ a, b }: TwoHosts, random: SeededRandom, text: Uint8Array): Uint8Array | undefined {
  if (randomBelow(random, 2) === 0) return undefined;
  if (randomBelow(random, 2) === 0) {
    const isOld = randomBelow(random, 4) === 0;
    const cookie = isOld
      ? randomBytes(random, 8)
      : b.tcp.fastOpen.cookies.cookieFor({ address: b.address, port: 80 }, { address: a.address, port: 0 });
    a.tcp.fastOpen.cache.answered(b.address, { cookie, experimental: false }, 1460);
  }
  return text.subarray(0, randomBelow(random, 3000));
}

/** Runs one world to its end; undefined when all is well, else what went wrong. */
export function runSeed(seed: number): string | undefined {
  const random = new SeededRandom(seed);
  const rates = [randomRates(random), randomRates(random)];
  let wrapped = 0;
  const wrap = (device: LinkDevice, host: Host): LinkDevice =>
    new EcnMeddler(
      new FaultInjector(device, { clock: host.clock, random: host.random }, { out: rates[wrapped++] }),
      new SeededRandom(seed).fork(`meddler ${wrapped}`),
    );
  const mtu = [1500, 576, 100 + randomBelow(random, 1400), 9000][randomBelow(random, 4)];
  const net = twoHosts({
    seed,
    wire: {
      mtu,
      latency: randomBelow(random, 100),
      rate: randomBelow(random, 2) === 0 ? undefined : 1e5 + random.uint32() / 10,
      queueLimit: 1 + randomBelow(random, 100),
      queue: randomQueue(random.fork("queue")),
    },
    a: randomStackOptions(random),
    b: randomStackOptions(random),
    wrap,
  });
  const problems: string[] = [];
  const watches: StallWatch[] = [];
  for (const host of [net.a.host, net.b.host]) {
    host.observer = {
      observe: (event) => {
        const tcp = event as TcpEvent;
        if (tcp.layer === "tcp") for (const watch of watches) watch.observed(tcp);
        if (tcp.layer === "tcp" && tcp.kind === "state" && !isArrow(tcp.from, tcp.to)) problems.push(`${tcp.from} -> ${tcp.to}`);
      },
    };
  }
  const size = (): number => (randomBelow(random, 5) === 0 ? 0 : Math.floor(2 ** (19 * randomFraction(random) ** 0.7)));
  const aToB = randomBytes(random, size());
  const bToA = randomBytes(random, size());
  // With both closing last nobody would ever close.
  const closers = randomBelow(random, 3);
  let b: Talker | undefined;
  const listener = net.b.tcp.listen(
    { address: net.b.address, port: 80 },
    {
      acceptable: (listening) => {
        const connection = listening.accept() as TcpConnection;
        // RFC 7413 §2.1: a copy of a SYN with text that comes late may open another connection, which repeats that text.
        if (b !== undefined) return connection.abort();
        b = new Talker(net.clock, connection, bToA, aToB, random.fork("b"), closers === 1);
        b.start();
      },
    },
  );
  const fastOpen = randomFastOpenText(net, random.fork("fast open"), aToB);
  const opened = net.a.tcp.open({ address: net.b.address, port: 80 }, {}, { fastOpen });
  if (typeof opened === "string" || typeof listener === "string") return `cannot open: ${String(opened)} ${String(listener)}`;
  // What of the text the send buffer takes counts as sent.
  const given = Math.min(fastOpen?.length ?? 0, opened.options.sendBuffer);
  const a = new Talker(net.clock, opened, aToB, bToA, random.fork("a"), closers === 2, given);
  watches.push(new StallWatch(opened));
  while (a.ended === undefined || b?.ended === undefined) {
    if (b !== undefined && watches.length === 1) watches.push(new StallWatch(b.connection));
    const stalled = watches.map((watch) => watch.problem()).find((problem) => problem !== undefined);
    if (stalled !== undefined) {
      problems.push(stalled);
      break;
    }
    const progressAt = Math.max(a.progressAt, b?.progressAt ?? 0);
    if (net.clock.now() - progressAt > PATIENCE || !net.clock.step()) {
      problems.push(`stuck at ${net.clock.now()}: a ${opened.state} b ${b?.connection.state}`);
      break;
    }
  }
  net.clock.advance(TIME_WAIT + 1000);
  for (const [name, talker] of [
    ["a", a],
    ["b", b],
  ] as const) {
    if (talker?.error !== undefined) problems.push(`${name}: ${talker.error}`);
    if (talker?.ended !== "in order") problems.push(`${name} ended: ${talker?.ended}`);
    if (talker?.isComplete === false) problems.push(`${name} did not get everything`);
  }
  net.clock.runUntil(net.clock.now() + PATIENCE);
  listener.close();
  const timers = net.clock.armedTimers;
  const connections = net.a.tcp.connectionCount + net.b.tcp.connectionCount;
  if (timers + connections > 0) problems.push(`left over: ${timers} timers, ${connections} connections`);
  return problems.length === 0 ? undefined : problems.join("; ");
}
