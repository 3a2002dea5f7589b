// The routers on the way to a host: echo requests whose time to live runs out at each of them in turn (RFC 792, "Time Exceeded").
import { formatIp, type Ipv4Address, type Milliseconds } from "@netstrata/core";
import { ICMP_HEADER_LENGTH, type IcmpErrorKind, IPV4_HEADER_LENGTH } from "@netstrata/internet";
import type { Stack } from "@netstrata/socket";

export interface TraceOptions {
  readonly name: string;
  readonly destination: Ipv4Address;
  readonly mostHops: number;
  readonly probes: number;
  /** How long each hop's probes wait for their answers. */
  readonly timeout: Milliseconds;
}

interface Answer {
  readonly from: string;
  readonly time: Milliseconds;
  /** The destination itself, or somebody who says that there is no way. */
  readonly isLast: boolean;
  readonly mark: string;
}

/** Octets behind the ICMP header, as traceroute(8) sends. */
const SIZE = 32;

/** Marks as traceroute(8) prints them. */
const MARKS: Partial<Readonly<Record<IcmpErrorKind, string>>> = {
  "network-unreachable": " !N",
  "host-unreachable": " !H",
  "protocol-unreachable": " !P",
  prohibited: " !X",
  "source-route-failed": " !S",
  "packet-too-big": " !F",
};

/** @returns true when the destination itself has answered */
export async function traceRoute(
  stack: Stack,
  options: TraceOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { name, destination, mostHops, probes } = options;
  const length = SIZE + ICMP_HEADER_LENGTH + IPV4_HEADER_LENGTH;
  print(`traceroute to ${name} (${formatIp(destination)}), ${mostHops} hops max, ${length} byte packets`);
  for (let hop = 1; hop <= mostHops && !signal.aborted; hop += 1) {
    const answers = await askHop(stack, options, hop, signal);
    print(`${String(hop).padStart(2)}  ${describe(answers, probes)}`);
    const last = answers.find((answer) => answer?.isLast);
    if (last !== undefined) return last.mark === "";
  }
  return false;
}

function askHop(
  stack: Stack,
  { destination, probes, timeout }: TraceOptions,
  hop: number,
  signal: AbortSignal,
): Promise<(Answer | undefined)[]> {
  const { clock } = stack.host;
  const answers: (Answer | undefined)[] = new Array(probes).fill(undefined);
  const sentAt = clock.now();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.disarm();
      client.close();
      signal.removeEventListener("abort", end);
      resolve(answers);
    };
    const note = (sequence: number, answer: Omit<Answer, "time">): void => {
      const index = sequence - (hop - 1) * probes;
      if (index < 0 || index >= probes) return;
      answers[index] ??= { ...answer, time: clock.now() - sentAt };
      if (!answers.includes(undefined)) end();
    };
    const client = stack.layers.internet.echo.open({
      reply: (sequence, _payload, { source }) => note(sequence, { from: formatIp(source), isLast: true, mark: "" }),
      error: ({ kind, from }, sequence) =>
        note(sequence, {
          from: formatIp(from),
          isLast: kind !== "time-exceeded",
          mark: MARKS[kind] ?? (kind === "time-exceeded" ? "" : " !"),
        }),
    });
    const timer = clock.timer(end);
    timer.arm(timeout);
    signal.addEventListener("abort", end);
    for (let index = 0; index < probes; index += 1) {
      const sequence = (hop - 1) * probes + index;
      client.send({ destination, sequence, payload: new Uint8Array(SIZE), timeToLive: hop });
    }
  });
}

/** `10.0.1.2  10.123 ms  10.090 ms  *`: an address stands once in front of the times of its answers. */
function describe(answers: readonly (Answer | undefined)[], probes: number): string {
  if (answers.every((answer) => answer === undefined)) return new Array(probes).fill("*").join(" ");
  let from = "";
  return answers
    .map((answer) => {
      if (answer === undefined) return "*";
      const address = answer.from === from ? "" : `${answer.from}  `;
      from = answer.from;
      return `${address}${answer.time.toFixed(3)} ms${answer.mark}`;
    })
    .join("  ");
}
