// netstrata demo: two hosts, two routers, an HTTP request and its answer, as a ladder with the states of TCP at both ends.
import { readFraction, readInteger } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import type { Io } from "../terminal/io.ts";
import { styleFor } from "../terminal/style.ts";
import { UsageError } from "../usage-error.ts";
import { DemoCapture } from "./demo-capture.ts";
import { createDemo, type DemoOptions } from "./demo-world.ts";
import type { Ladder } from "./ladder.ts";
import { renderLadder } from "./ladder-view.ts";
import { renderPicture } from "./picture.ts";

export const DEFAULT_SIZE = 12000;
/** With more packets there is more to lose. */
const LOSSY_SIZE = 24000;
const LARGEST_SIZE = 1_000_000;

export interface DemoCaptureOptions {
  readonly path: string;
  readonly host: string;
}

export const demo: Command = defineCommand({
  name: "demo",
  summary: "two hosts joined by two routers: ARP, handshake, HTTP, close, as a ladder",
  usage: "",
  examples: [
    ["netstrata demo", "everything goes well"],
    ["netstrata demo --loss 5% --seed 7", "packets are lost, and TCP recovers"],
    ["netstrata demo --size 100000 --loss 2%", "a larger page"],
    ["netstrata demo --capture demo.pcapng", "what passes the client, for Wireshark or netstrata inspect"],
  ],
  options: {
    seed: { kind: "value", argument: "N", help: "the world's chance: the same seed, the same packets (default 1)" },
    loss: { kind: "value", argument: "P", help: "the share of packets that each wire loses: 5% or 0.05" },
    size: { kind: "value", argument: "N", help: `octets of the page (default ${DEFAULT_SIZE}, with loss ${LOSSY_SIZE})` },
    capture: { kind: "value", argument: "FILE", help: "write pcapng" },
    "capture-at": { kind: "value", argument: "HOST", help: "client, left, right or server (default client)" },
  },
  notes: "Nothing here is random but by the seed: time is virtual, and the four minutes of TIME-WAIT take no time.",
  words: [0, 0],
  run: async (values, _words, io) => {
    const loss = values.loss === undefined ? 0 : readFraction(values.loss, "--loss");
    const options: DemoOptions = {
      seed: values.seed === undefined ? 1 : readInteger(values.seed, "--seed", 0, 2 ** 32 - 1),
      loss,
      size: values.size === undefined ? (loss === 0 ? DEFAULT_SIZE : LOSSY_SIZE) : readInteger(values.size, "--size", 1, LARGEST_SIZE),
    };
    const host = values["capture-at"] ?? "client";
    const capture = values.capture === undefined ? undefined : { path: values.capture, host };
    return runDemo(options, capture, io);
  },
});

/** @returns the exit code: 0 when the page arrived as it was sent */
export async function runDemo(options: DemoOptions, captureOptions: DemoCaptureOptions | undefined, io: Io): Promise<number> {
  const created = createDemo(options);
  const { world, hosts, ladder } = created;
  const style = styleFor(io.stdout, io.environment);
  let capture: DemoCapture | undefined;
  if (captureOptions !== undefined) {
    if (!hosts.some(({ name }) => name === captureOptions.host))
      throw new UsageError(`--capture-at: there is no host ${captureOptions.host}`);
    const watching = new DemoCapture(captureOptions.host);
    world.observe((event) => watching.take(event));
    capture = watching;
  }
  const picture = renderPicture(hosts);
  const arrived = await created.run();
  const lines = [
    style.bold("Two hosts, two routers, three Ethernets of 5 ms; every layer is netstrata's own"),
    "",
    ...picture,
    "",
    `seed ${options.seed}, ${options.loss === 0 ? "no loss" : `each wire loses ${100 * options.loss}% of its packets`}`,
    "",
    ...renderLadder(ladder, style),
    "",
    summaryOf(ladder, options, arrived),
  ];
  await io.stdout.write(`${lines.join("\n")}\n`);
  if (captureOptions !== undefined) {
    capture?.write(captureOptions.path, created);
    io.stderr.write(`${captureOptions.path}: what passed ${captureOptions.host}\n`);
  }
  return arrived ? 0 : 1;
}

function summaryOf({ rows }: Ladder, { size }: DemoOptions, arrived: boolean): string {
  const segments = rows.filter((row) => row.kind === "segment");
  const lost = segments.filter((segment) => segment.lost !== undefined).length;
  const again = segments.filter((segment) => segment.again !== undefined).length;
  const page = arrived ? `The page of ${size} octets arrived as it was sent` : "The page did not arrive";
  return `${page}: ${segments.length} segments, ${lost} lost, ${again} sent again.`;
}
