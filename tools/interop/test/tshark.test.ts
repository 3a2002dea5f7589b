// Issue 2: `inspect --json` agrees with tshark on every capture in ../shared/captures.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { CaptureError, dissect, type JsonPacket, openCaptureBatches, toJson } from "@netstrata/capture/node";
import { expect, test } from "vitest";
import { describeWith } from "./harness/requirements.ts";
import { ASKED_FIELDS, compareFrame, type Difference } from "./tshark/compare-frame.ts";
import { EXCEPTIONS } from "./tshark/exceptions.ts";
import { Tshark } from "./tshark/tshark.ts";

const CAPTURES = resolve(import.meta.dirname, "../../../../shared/captures");
/** tshark takes a processor for itself while it starts, which is most of its time. */
const AT_ONCE = 2;

/** Every packet that can be read, as our JSON after a journey through text, and whether the file is whole. */
async function readOurs(path: string): Promise<{ packets: JsonPacket[]; complete: boolean }> {
  const packets: JsonPacket[] = [];
  try {
    // tshark does not mind records longer than the snap length; `inspect` refuses them unless it is told otherwise.
    for await (const batch of openCaptureBatches(path, { longRecords: "accept" })) {
      for (const packet of batch) {
        packets.push(JSON.parse(JSON.stringify(toJson(packet, dissect(packet.bytes, packet.linkType, packet)))) as JsonPacket);
      }
    }
    return { packets, complete: true };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { packets, complete: false };
  }
}

describeWith(["tshark"], "the dissection of real captures", () => {
  const isThere = existsSync(CAPTURES);
  if (!isThere) process.stderr.write(`skipped: the dissection of real captures: needs ${CAPTURES}\n`);

  test.skipIf(!isThere)("agrees with tshark, field by field, on every file", { timeout: 600_000 }, async () => {
    const files = readdirSync(CAPTURES, { recursive: true, encoding: "utf8" }).filter((name) => /\.pcap(ng)?$/.test(name));
    expect(files.length).toBeGreaterThan(1000);
    const tshark = new Tshark();
    const unexplained: string[] = [];
    const explained = new Map(EXCEPTIONS.map(({ reason }) => [reason, 0]));
    let frames = 0;

    const judge = (file: string, difference: Difference): void => {
      const exception = EXCEPTIONS.find(({ explains }) => explains(difference));
      if (exception !== undefined) explained.set(exception.reason, (explained.get(exception.reason) ?? 0) + 1);
      else {
        const { field, ours, theirs, packet, protocols } = difference;
        unexplained.push(`${file} packet ${packet.number} (${protocols}) ${field}: ours ${ours}, tshark's ${theirs}`);
      }
    };
    const compareFile = async (file: string): Promise<void> => {
      const path = join(CAPTURES, file);
      const [ours, theirs] = await Promise.all([readOurs(path), tshark.read(path, ASKED_FIELDS)]);
      expect({ file, packets: ours.packets.length, complete: ours.complete }).toEqual({
        file,
        packets: theirs.frames.length,
        complete: theirs.complete,
      });
      for (const [index, packet] of ours.packets.entries()) {
        frames += 1;
        for (const difference of compareFrame(packet, theirs.frames[index])) judge(file, difference);
      }
    };

    try {
      const queue = files.values();
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (const file of queue) await compareFile(file);
        }),
      );
    } finally {
      tshark.close();
    }
    expect(unexplained).toEqual([]);
    expect([...explained].filter(([, count]) => count === 0)).toEqual([]);
    expect(frames).toBeGreaterThan(18_000);
  });
});
