// tshark as a second opinion on every packet that we send: well formed, and every checksum right.
import { afterEach, describe, expect, test } from "vitest";
import { pattern } from "../src/calls/digest.ts";
import { HostPair, KERNEL, MODES, OURS, PAIR } from "./harness/host-pair.ts";
import { describeWith } from "./harness/requirements.ts";
import { TemporaryFolder } from "./harness/temporary-folder.ts";

const MAC = "02:00:5e:10:18:02";
const SEVERAL_WINDOWS = 3_000_000;

const CHECKSUMS = ["ip", "icmp", "udp", "tcp"].map((protocol) => `${protocol}.checksum.status`);
const SETTINGS = [
  ...["ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE"].flatMap((preference) => ["-o", preference]),
  // It takes for headers what follows a gap in a page.
  ...["--disable-protocol", "http"],
];

/** Sequence analysis calls a loss what is one: the network was bad. What concerns the packets themselves is what is asked for. */
const REPROACHES =
  "_ws.malformed || _ws.short || _ws.expert.group == checksum || _ws.expert.group == malformed || _ws.expert.group == protocol";

describeWith([...PAIR, "tshark", "ping", "curl"], "what we send, as tshark sees it", () => {
  let pair: HostPair;
  afterEach(() => pair.close());

  /** Something of everything that our stack can say, except what would wait for ever where it may be lost. */
  async function sayEverything(upload: string): Promise<void> {
    const { network, ours, kernel } = pair;
    await network.run("ping", "-c", "3", "-A", "-W", "20", OURS);
    await network.run("ping", "-c", "1", "-W", "1", "-s", "20000", OURS);
    await network.run("ping", "-c", "1", "-W", "1", "-R", OURS);
    await network.run("ping", "-c", "1", "-W", "1", "-T", "tsandaddr", OURS);
    await ours.call("serve", { service: "http", port: 80 });
    await network.run("curl", "--silent", "--upload-file", upload, `http://${OURS}/`, "--next", `http://${OURS}/octets/${SEVERAL_WINDOWS}`);
    await ours.call("serveUdpEcho", { port: 7 });
    await kernel.call("serveUdpEcho", { port: 7 });
    await kernel.call("serve", { service: "echo", port: 7 });
    await kernel.call("serve", { service: "reset", port: 8 });
    await ours.call("converse", { to: { address: KERNEL, port: 7 }, octets: SEVERAL_WINDOWS });
    await ours.call("converseAndReset", { to: { address: KERNEL, port: 7 } });
    await ours.errorOf("converse", { to: { address: KERNEL, port: 8 }, octets: 1 });
    await ours.errorOf("connect", { to: { address: KERNEL, port: 9 } });
    await kernel.errorOf("connect", { to: { address: OURS, port: 9 } });
  }

  /** The rest. */
  async function sayDatagrams(): Promise<void> {
    const { ours, kernel } = pair;
    for (const octets of [0, 1, 1472, 20_000]) {
      await ours.call("askUdp", { to: { address: KERNEL, port: 7 }, octets });
      await kernel.call("askUdp", { to: { address: OURS, port: 7 }, octets });
    }
    await kernel.errorOf("askUdp", { to: { address: OURS, port: 9 }, octets: 100 });
  }

  describe.each(MODES)("over %s", (mode) => {
    test.each([
      ["a good network", 0],
      ["a bad one", 0.02],
    ])("on %s", async (_, rate) => {
      using folder = new TemporaryFolder();
      const capture = folder.pathOf("capture.pcapng");
      const faults = { seed: 5, in: { drop: rate, reorder: rate }, out: { drop: rate, reorder: rate } };
      pair = await HostPair.open({ mode, mac: MAC, capture, faults });
      await sayEverything(folder.write("upload", pattern(SEVERAL_WINDOWS)));
      if (rate === 0) await sayDatagrams();
      await pair.endOurs();

      const tshark = async (filter: string, fields: readonly string[]): Promise<string[]> => {
        const isOurs = mode === "tap" ? `eth.src == ${MAC}` : `ip.src == ${OURS}`;
        const columns = fields.flatMap((field) => ["-e", field]);
        const args = ["-n", "-r", capture, ...SETTINGS, "-Y", `(${filter}) && ${isOurs}`, "-T", "fields", ...columns];
        const { code, stdout, stderr } = await pair.network.run("tshark", ...args);
        expect({ code, stderr: stderr.replace(/^Running as user "root".*\n/, "") }).toEqual({ code: 0, stderr: "" });
        return stdout.split("\n").slice(0, -1);
      };
      expect(await tshark(REPROACHES, ["frame.number", "_ws.col.Info", "_ws.expert.message"])).toEqual([]);

      // 1: good. A fragment has no verdict of its own, what it belongs to has.
      const verdicts = await tshark("frame", CHECKSUMS);
      expect(verdicts.length).toBeGreaterThan(1000);
      for (const [index, checksum] of CHECKSUMS.entries()) {
        const values = new Set(verdicts.flatMap((line) => line.split("\t")[index].split(",")));
        values.delete("");
        if (checksum !== "udp.checksum.status" || rate === 0) expect([checksum, ...values]).toEqual([checksum, "1"]);
      }
    });
  });
});
