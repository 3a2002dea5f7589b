// Runs tshark over a capture file and gives its opinion of every frame, field by field.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One frame: for each field asked for, its values in the order of the headers. */
export type TsharkFrame = ReadonlyMap<string, readonly string[]>;

/** No reassembly, because a frame is compared for itself; absolute numbers; every checksum verified. */
const PREFERENCES = [
  "ip.defragment:FALSE",
  "ipv6.defragment:FALSE",
  "tcp.desegment_tcp_streams:FALSE",
  "tcp.relative_sequence_numbers:FALSE",
  "ip.check_checksum:TRUE",
  "udp.check_checksum:TRUE",
  "tcp.check_checksum:TRUE",
];

const FIELD_SEPARATOR = "\t";
/** Stands in none of the fields' values. */
const VALUE_SEPARATOR = ";";
/** Octets of output for one file. */
const LARGEST_OUTPUT = 256 * 1024 * 1024;

/** Starts tshark with an empty configuration of its own, so that the user's preferences do not matter. */
export class Tshark {
  private readonly configuration = mkdtempSync(join(tmpdir(), "netstrata-tshark-"));

  /** Reads a whole file. `complete` is false when tshark says that the file is cut short or damaged. */
  read(path: string, fields: readonly string[]): Promise<{ readonly frames: readonly TsharkFrame[]; readonly complete: boolean }> {
    const args = ["-n", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", `aggregator=${VALUE_SEPARATOR}`];
    for (const preference of PREFERENCES) args.push("-o", preference);
    for (const field of fields) args.push("-e", field);
    const options = { maxBuffer: LARGEST_OUTPUT, env: { ...process.env, WIRESHARK_CONFIG_DIR: this.configuration } };
    return new Promise((resolve, reject) => {
      execFile("tshark", args, options, (error, stdout) => {
        // 2: the file is faulty, and what could be read of it has been printed.
        if (error !== null && error.code !== 2) return reject(error);
        const lines = stdout.split("\n").slice(0, -1);
        resolve({ frames: lines.map((line) => readFrame(line, fields)), complete: error === null });
      });
    });
  }

  close(): void {
    rmSync(this.configuration, { recursive: true });
  }
}

function readFrame(line: string, fields: readonly string[]): TsharkFrame {
  const columns = line.split(FIELD_SEPARATOR);
  return new Map(fields.map((field, index) => [field, columns[index] === "" ? [] : columns[index].split(VALUE_SEPARATOR)]));
}
