// Linux's own packetdrill scripts, from Debian's source package, on the three IP versions, as their runner plays them.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type DrillIpVersion, type DrillReport, IP_VERSIONS, renderDrillReport } from "@netstrata/testing";
import { runDrillFile } from "@netstrata/testing/node";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
/** `.ci/debian-source linux sid .cache/sources/linux …`, as `.ci/run` calls it. */
const source = join(root, ".cache/sources/linux/tools/testing/selftests/net/packetdrill");
/** What passes: the script's name, the SHA-256 of its text, the versions. NETSTRATA_ENTER=1 writes it anew. */
const list = join(import.meta.dirname, "linux-scripts/expected.tsv");
const isThere = existsSync(source);
if (!isThere) process.stderr.write(`skipped: Linux's packetdrill scripts: no ${source}\n`);

interface Expected {
  readonly hash: string;
  readonly versions: readonly string[];
}

function readExpected(): Map<string, Expected> {
  const lines = readFileSync(list, "utf8").split("\n");
  const rows = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.split("\t"));
  return new Map(rows.map(([name, hash, versions]) => [name, { hash, versions: versions === "" ? [] : versions.split(" ") }] as const));
}

/** A script that says for which version it is runs in no other. */
function versionsOf(text: string): readonly DrillIpVersion[] {
  const own = /^--ip_version=(\S+)/m.exec(text)?.[1];
  return own === undefined ? IP_VERSIONS : IP_VERSIONS.filter((version) => version === own);
}

function play(name: string, ipVersion: DrillIpVersion): Promise<DrillReport> {
  // The longer header takes nothing from the segments.
  return runDrillFile(join(source, name), { personality: "linux", ipVersion, ...(ipVersion === "ipv6" && { mtu: 1520 }) });
}

const note = (text: string): boolean => process.stderr.write(`Linux's scripts: ${text}\n`);

describe.skipIf(!isThere)("Linux's own packetdrill scripts", () => {
  const names = isThere
    ? readdirSync(source)
        .filter((name) => name.endsWith(".pkt"))
        .sort()
    : [];
  const expected = readExpected();
  const rows: string[] = [];
  let [runs, passes] = [0, 0];

  test.for(names)("%s", async (name) => {
    const text = readFileSync(join(source, name), "utf8");
    const hash = createHash("sha256").update(text).digest("hex");
    const reports: DrillReport[] = [];
    for (const version of versionsOf(text)) reports.push(await play(name, version));
    const passed = reports.filter(({ outcome }) => outcome === "pass").map(({ ipVersion }) => ipVersion);
    runs += reports.length;
    passes += passed.length;
    rows.push(`${name}\t${hash}\t${passed.join(" ")}`);
    const entry = expected.get(name);
    if (entry?.hash !== hash) {
      // Of another kernel: it may ask for what that kernel does.
      note(`${name} is ${entry === undefined ? "new" : "another one"}: ${passed.length} of ${reports.length} versions pass`);
      return;
    }
    const better = passed.filter((version) => !entry.versions.includes(version));
    if (better.length > 0) note(`${name} passes now on ${better.join(", ")}: enter it (NETSTRATA_ENTER=1)`);
    const broken = reports.filter(({ ipVersion, outcome }) => outcome !== "pass" && entry.versions.includes(ipVersion));
    expect(broken.flatMap(renderDrillReport).join("\n")).toBe("");
  });

  test("are those that were listed", () => {
    note(`${passes} of ${runs} runs pass`);
    if (process.env["NETSTRATA_ENTER"] === "1") {
      const head =
        "# Scripts of Linux that pass: name, SHA-256 of the text, IP versions. Written by NETSTRATA_ENTER=1 (linux-scripts.test.ts).";
      writeFileSync(list, `${[head, ...rows.sort()].join("\n")}\n`);
      return;
    }
    const gone = [...expected.keys()].filter((name) => !names.includes(name));
    if (gone.length > 0) note(`no longer there: ${gone.join(", ")}`);
    // Whatever the kernel: an empty directory, or a tool that runs nothing, proves nothing.
    expect(runs).toBeGreaterThan(100);
  });
});
