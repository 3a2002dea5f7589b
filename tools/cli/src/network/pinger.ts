// Echo requests at an interval, and what comes back (RFC 792; RFC 1122 §3.2.2.6), told as ping(8) tells it.
import { formatIp, type Ipv4Address, type Milliseconds } from "@netstrata/core";
import { ICMP_HEADER_LENGTH, type IcmpErrorKind, IPV4_HEADER_LENGTH } from "@netstrata/internet";
import type { Stack } from "@netstrata/socket";

export interface PingOptions {
  /** As the user wrote it. */
  readonly name: string;
  readonly destination: Ipv4Address;
  /** Requests to send; then it waits for the last answer. */
  readonly count: number;
  readonly interval: Milliseconds;
  /** How long the last request waits for its answer. */
  readonly timeout: Milliseconds;
  /** Octets behind the ICMP header. */
  readonly size: number;
  readonly timeToLive: number | undefined;
}

export const UNREACHABLE_TEXT: Readonly<Record<IcmpErrorKind, string>> = {
  "network-unreachable": "Destination Net Unreachable",
  "host-unreachable": "Destination Host Unreachable",
  "protocol-unreachable": "Destination Protocol Unreachable",
  "port-unreachable": "Destination Port Unreachable",
  "packet-too-big": "Frag needed",
  "source-route-failed": "Source Route Failed",
  prohibited: "Packet filtered",
  "time-exceeded": "Time to live exceeded",
  "parameter-problem": "Parameter problem",
  unknown: "Unknown error",
};

/** Sends, prints and sums up. @returns how many answers came; ends early, but with its summary, when `signal` is aborted */
export async function ping(stack: Stack, options: PingOptions, print: (line: string) => void, signal: AbortSignal): Promise<number> {
  const pinger = new Pinger(stack, options, print);
  print(
    `PING ${options.name} (${formatIp(options.destination)}) ${options.size}(${options.size + ICMP_HEADER_LENGTH + IPV4_HEADER_LENGTH}) bytes of data.`,
  );
  await pinger.run(signal);
  for (const line of pinger.summary()) print(line);
  return pinger.received;
}

class Pinger {
  received = 0;
  private readonly stack: Stack;
  private readonly options: PingOptions;
  private readonly print: (line: string) => void;
  private readonly sentAt = new Map<number, Milliseconds>();
  private readonly answered = new Set<number>();
  private readonly roundTrips: Milliseconds[] = [];
  private sent = 0;
  private duplicates = 0;
  private errors = 0;
  private started: Milliseconds = 0;
  private ended: Milliseconds = 0;

  constructor(stack: Stack, options: PingOptions, print: (line: string) => void) {
    this.stack = stack;
    this.options = options;
    this.print = print;
  }

  run(signal: AbortSignal): Promise<void> {
    const { clock } = this.stack.host;
    const { count, interval, timeout, destination, timeToLive } = this.options;
    const payload = Uint8Array.from({ length: this.options.size }, (_, index) => index);
    this.started = clock.now();
    return new Promise((resolve) => {
      const end = (): void => {
        next.disarm();
        client.close();
        signal.removeEventListener("abort", end);
        this.ended = clock.now();
        resolve();
      };
      const settle = (): void => {
        if (this.sent === count && this.answered.size === count) end();
      };
      const client = this.stack.layers.internet.echo.open({
        reply: (sequence, bytes, header) => {
          this.replied(sequence, bytes.length, formatIp(header.source), header.timeToLive);
          settle();
        },
        error: (error, sequence) => {
          this.errors += 1;
          this.print(`From ${formatIp(error.from)} icmp_seq=${sequence} ${UNREACHABLE_TEXT[error.kind]}`);
        },
      });
      const next = clock.timer(() => {
        if (this.sent === count) return end();
        this.sent += 1;
        this.sentAt.set(this.sent & 0xffff, clock.now());
        const result = client.send({ destination, sequence: this.sent, payload, timeToLive });
        if (result !== "sent") this.print(`icmp_seq=${this.sent}: ${result.replaceAll("-", " ")}`);
        next.arm(this.sent === count ? timeout : interval);
      });
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
      else next.arm(0);
    });
  }

  summary(): string[] {
    const { sent, received, duplicates, errors, roundTrips } = this;
    const lost = sent === 0 ? 0 : Math.round((100 * (sent - received)) / sent);
    const extra = `${duplicates > 0 ? `, +${duplicates} duplicates` : ""}${errors > 0 ? `, +${errors} errors` : ""}`;
    const lines = [
      "",
      `--- ${this.options.name} ping statistics ---`,
      `${sent} packets transmitted, ${received} received${extra}, ${lost}% packet loss, time ${Math.round(this.ended - this.started)}ms`,
    ];
    if (roundTrips.length === 0) return lines;
    const mean = roundTrips.reduce((sum, time) => sum + time, 0) / roundTrips.length;
    const meanSquare = roundTrips.reduce((sum, time) => sum + time * time, 0) / roundTrips.length;
    const figures = [Math.min(...roundTrips), mean, Math.max(...roundTrips), Math.sqrt(Math.max(0, meanSquare - mean * mean))];
    return [...lines, `rtt min/avg/max/mdev = ${figures.map((figure) => figure.toFixed(3)).join("/")} ms`];
  }

  private replied(sequence: number, length: number, source: string, timeToLive: number): void {
    const sentAt = this.sentAt.get(sequence);
    if (sentAt === undefined) return;
    const time = this.stack.host.clock.now() - sentAt;
    const isDuplicate = this.answered.has(sequence);
    this.answered.add(sequence);
    if (isDuplicate) this.duplicates += 1;
    else {
      this.received += 1;
      this.roundTrips.push(time);
    }
    this.print(
      `${length + ICMP_HEADER_LENGTH} bytes from ${source}: icmp_seq=${sequence} ttl=${timeToLive} time=${time.toFixed(3)} ms${isDuplicate ? " (DUP!)" : ""}`,
    );
  }
}
