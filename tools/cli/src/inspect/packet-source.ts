// Packets from a file or from standard input, dissected and filtered, with a progress bar where somebody waits for it.
import { stat } from "node:fs/promises";
import { type CapturedPacket, CaptureError, compileFilter, type Dissection, dissect, FilterError } from "@netstrata/capture";
import { openCaptureBatches, readStreamBatches } from "@netstrata/capture/node";
import type { Io } from "../terminal/io.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { UsageError } from "../usage-error.ts";

export interface InspectedPacket {
  readonly packet: CapturedPacket;
  readonly dissection: Dissection;
}

/** Packets of a capture, batch by batch. @param file a path, or `-` for standard input */
export async function* readBatches(file: string, io: Io): AsyncGenerator<readonly CapturedPacket[], void, void> {
  if (file === "-") return yield* readStreamBatches(io.stdin, { name: "standard input" });
  const bar = new ProgressBar(io.stderr, file, await sizeOf(file));
  const onProgress = (octets: number): void => bar.update(octets);
  try {
    yield* openCaptureBatches(file, { onProgress });
  } catch (error) {
    if (!(error instanceof CaptureError) || error.code !== "record-too-long") throw error;
    // The file breaks its own rule, but what follows can be read, as libpcap does: everything is shown, and then the fault is told.
    const { packetNumber } = error;
    for await (const batch of openCaptureBatches(file, { onProgress, longRecords: "accept" })) {
      yield batch.filter((packet) => packet.number >= packetNumber);
    }
    throw error;
  } finally {
    bar.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  const status = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new UsageError(`${file}: no such file`) : error;
  });
  if (status.isDirectory()) throw new UsageError(`${file} is a directory, not a capture`);
  return status.size;
}

/** Those that the filter lets through. @param filter in tcpdump's language; empty takes all */
export async function* inspectedBatches(file: string, filter: string, io: Io): AsyncGenerator<InspectedPacket[], void, void> {
  const matches = compile(filter);
  for await (const batch of readBatches(file, io)) {
    if (io.signal.aborted) return;
    const taken: InspectedPacket[] = [];
    for (const packet of batch) {
      const dissection = dissect(packet.bytes, packet.linkType, { originalLength: packet.originalLength });
      if (matches(dissection)) taken.push({ packet, dissection });
    }
    yield taken;
  }
}

function compile(filter: string): (dissection: Dissection) => boolean {
  try {
    return compileFilter(filter);
  } catch (error) {
    if (error instanceof FilterError) throw new UsageError(`filter: ${error.message}`);
    throw error;
  }
}
