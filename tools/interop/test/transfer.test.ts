// 100 MB each way between our stack and the kernel, with matching hashes, over good networks and bad ones.
import { randomFillSync } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import type { FaultRates } from "@netstrata/link";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { HostPair, OURS, PAIR, type PairSettings } from "./harness/host-pair.ts";
import { describeWith } from "./harness/requirements.ts";
import { TemporaryFolder } from "./harness/temporary-folder.ts";

const MEGABYTE = 1_000_000;
const COLLECT = 9;
const FILE = 19;
/** How long 100 MB may take: not what they should take. */
const PATIENCE = 300_000;

/** Room for many packets in flight, and the retransmission timeout as short as the kernel's own. */
const TCP = { receiveBuffer: 2 ** 20, sendBuffer: 2 ** 20, rtoMinimum: 200 };

const GOOD: readonly (readonly [title: string, settings: PairSettings])[] = [
  ["TUN", { mode: "tun" }],
  ["TAP", { mode: "tap" }],
  ["TUN at an MTU of 9000", { mode: "tun", mtu: 9000 }],
];

/** Each direction loses 2 % of its packets and delivers 2 % out of order. */
const LOSS: FaultRates = { drop: 0.02, reorder: 0.02 };
/** Everything that can go wrong, on a link where ARP suffers as well. */
const WORST: FaultRates = { drop: 0.01, corrupt: 0.01, duplicate: 0.01, reorder: 0.01, delay: 0.01, delayTime: [1, 20] };

interface Content {
  readonly path: string;
  readonly octets: number;
}

describeWith([...PAIR, "nc", "sha256sum"], "100 MB", () => {
  let folder: TemporaryFolder;
  let large: Content;
  let smaller: Content;
  let pair: HostPair;

  beforeAll(() => {
    folder = new TemporaryFolder();
    large = create("large", 100);
    smaller = create("smaller", 10);
  });
  afterAll(() => folder[Symbol.dispose]());
  afterEach(() => pair.close());

  /** A file of random octets. */
  function create(name: string, megabytes: number): Content {
    const path = folder.pathOf(name);
    const file = openSync(path, "w");
    for (let count = 0; count < megabytes; count += 1) writeSync(file, randomFillSync(new Uint8Array(MEGABYTE)));
    closeSync(file);
    return { path, octets: megabytes * MEGABYTE };
  }

  async function open(settings: PairSettings): Promise<void> {
    pair = await HostPair.open({ tcp: TCP, ...settings });
  }

  async function shell(command: string): Promise<string> {
    const { code, stdout, stderr } = await pair.network.run("sh", "-c", command);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout.split(" ")[0].trim();
  }

  /** The kernel sends by nc, we collect. */
  async function toUs({ path, octets }: Content): Promise<void> {
    await pair.ours.call("serve", { service: "collect", port: COLLECT });
    expect(await shell(`nc -N ${OURS} ${COLLECT} < ${path}`)).toBe(String(octets));
    const received = await pair.ours.event("served", ({ service }) => service === "collect");
    expect(received.sha256).toBe(await shell(`sha256sum ${path}`));
  }

  /** We send, the kernel collects by nc. */
  async function fromUs({ path }: Content): Promise<void> {
    await pair.ours.call("serve", { service: "file", port: FILE, path });
    expect(await shell(`nc -N ${OURS} ${FILE} < /dev/null | sha256sum`)).toBe(await shell(`sha256sum ${path}`));
  }

  describe.each(GOOD)("over %s", (_, settings) => {
    test("from the kernel to us", { timeout: PATIENCE }, async () => {
      await open(settings);
      await toUs(large);
    });

    test("from us to the kernel", { timeout: PATIENCE }, async () => {
      await open(settings);
      await fromUs(large);
    });
  });

  test("both ways at once, with 2 % loss and reordering in each", { timeout: PATIENCE }, async () => {
    await open({ mode: "tun", faults: { seed: 2, in: LOSS, out: LOSS } });
    await Promise.all([toUs(large), fromUs(large)]);
    const { tcp, interfaces } = await pair.ours.call("counters");
    for (const direction of ["in", "out"] as const) {
      expect(interfaces[0].faults?.[direction].drop).toBeGreaterThan(1000);
      expect(interfaces[0].faults?.[direction].reorder).toBeGreaterThan(1000);
    }
    expect(tcp.InCsumErrors).toBe(0);
  });

  test("10 MB of it both ways at once, with every fault there is", { timeout: PATIENCE }, async () => {
    await open({ mode: "tap", faults: { seed: 3, in: WORST, out: WORST } });
    await Promise.all([toUs(smaller), fromUs(smaller)]);
    const { interfaces } = await pair.ours.call("counters");
    for (const direction of ["in", "out"] as const) expect(interfaces[0].faults?.[direction].corrupt).toBeGreaterThan(50);
  });
});
