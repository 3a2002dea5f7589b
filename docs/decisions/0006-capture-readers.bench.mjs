// Measures what docs/decisions/0006-capture-readers.md says: node docs/decisions/0006-capture-readers.bench.mjs
// For each format: writes a file of 1 GiB into the folder for temporary files, reads it in a process of its own, removes it.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaptureFile, compileFilter, dissect, openCaptureBatches, PcapngWriter, PcapWriter, TcpConversations } from "@netstrata/capture/node";

const FILE_LENGTH = 2 ** 30;
const [, script, mode, path] = process.argv;

/** A TCP segment of 1,460 octets in IPv4, the next one each time. */
function* segments() {
  const bytes = new Uint8Array(1500);
  bytes.set([0x45, 0, 0x05, 0xdc, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0xcb, 0x20, 0, 80]);
  bytes.set([0x50, 0x10, 0xff, 0xff], 32);
  for (let sequence = 1; ; sequence += 1460) {
    new DataView(bytes.buffer).setUint32(24, sequence);
    yield bytes;
  }
}

function write(format) {
  const file = new CaptureFile(path);
  let writer;
  if (format === "pcapng") {
    writer = new PcapngWriter(file.sink);
    writer.addInterface({ linkType: 101 });
  } else writer = new PcapWriter(file.sink, { linkType: 101, resolution: format });
  let written = 0;
  for (const bytes of segments()) {
    const packet = { timestamp: BigInt(written), bytes };
    if (format === "pcapng") writer.packet(0, packet);
    else writer.packet(packet);
    written += bytes.length;
    if (written >= FILE_LENGTH) break;
  }
  file.close();
}

async function read(isDissecting) {
  const begin = process.hrtime.bigint();
  const filter = compileFilter("tcp port 80");
  const conversations = new TcpConversations();
  let packets = 0;
  for await (const batch of openCaptureBatches(path)) {
    packets += batch.length;
    if (!isDissecting) continue;
    for (const packet of batch) {
      const dissection = dissect(packet.bytes, packet.linkType, { originalLength: packet.originalLength, verifyChecksums: false });
      if (filter(dissection)) conversations.packet(dissection, packet.number, packet.timestamp);
    }
  }
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  process.stdout.write(`${packets} packets in ${seconds.toFixed(1)} s, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB of memory\n`);
}

if (mode === "read" || mode === "dissect") await read(mode === "dissect");
else if (mode !== undefined) write(mode);
else {
  for (const format of ["microseconds", "nanoseconds", "pcapng"]) {
    const file = join(tmpdir(), `netstrata-bench-${process.pid}.${format}`);
    spawnSync(process.execPath, [script, format, file], { stdio: "inherit" });
    for (const job of ["read", "dissect"]) {
      process.stdout.write(`${format.padEnd(14)} ${job.padEnd(8)} `);
      spawnSync(process.execPath, [script, job, file], { stdio: "inherit" });
    }
    rmSync(file);
  }
}
