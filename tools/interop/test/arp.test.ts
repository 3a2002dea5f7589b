// ARP with the kernel as the peer (RFC 826, RFC 5227, RFC 1122 §2.3.2): both caches, and each side's questions.
import { afterEach, expect, test } from "vitest";
import { digestOf, pattern } from "../src/calls/digest.ts";
import { HostPair, INTERFACE, KERNEL, OURS, PAIR, type PairSettings } from "./harness/host-pair.ts";
import { describeWith } from "./harness/requirements.ts";
import { until } from "./harness/until.ts";

const MAC = "02:00:5e:10:18:02";
const NEW_MAC = "02:00:5e:10:18:99";
const ECHO = { address: KERNEL, port: 7 };
/** Our neighbours are doubted soon, and asked for in quick succession. */
const DOUBTFUL = { reachableTime: 20, delayFirstProbeTime: 10, retransmitTime: 50 };

describeWith([...PAIR, "ping"], "ARP over a TAP device", () => {
  let pair: HostPair;
  afterEach(() => pair.close());

  async function open(settings: Partial<PairSettings> = {}): Promise<void> {
    pair = await HostPair.open({ mode: "tap", mac: MAC, tellNeighbours: true, ...settings });
  }

  /** The kernel's entry for us, such as `10.18.0.2 dev ns0 lladdr … REACHABLE`. */
  const kernelEntry = (): Promise<string> => pair.network.ip(`neighbour show ${OURS}`);

  async function ping(): Promise<void> {
    expect((await pair.network.run("ping", "-c", "1", "-W", "20", OURS)).code).toBe(0);
  }

  const ourEntry = (state: string): Promise<unknown> =>
    pair.ours.event("neighbour", (event) => event.address === KERNEL && event.state === state);

  async function kernelMac(): Promise<string> {
    return (JSON.parse(await pair.network.ip(`-json link show dev ${INTERFACE}`)) as [{ address: string }])[0].address;
  }

  test("the kernel asks, we answer", async () => {
    await open();
    expect(await kernelEntry()).toBe("");
    await ping();
    expect(await kernelEntry()).toMatch(`${OURS} dev ${INTERFACE} lladdr ${MAC} REACHABLE`);
  });

  test("the kernel learns our address from our announcement alone", async () => {
    await open({ kernelSettings: { "ipv4/conf/default/arp_accept": 1 } });
    expect(await kernelEntry()).toMatch(`${OURS} dev ${INTERFACE} lladdr ${MAC} STALE`);
  });

  test("the kernel doubts its entry and asks us alone; we answer", async () => {
    await open();
    await ping();
    await pair.network.ip(`neighbour replace ${OURS} lladdr ${MAC} dev ${INTERFACE} nud probe`);
    // Only an answer leads from PROBE to REACHABLE.
    await until(async () => (await kernelEntry()).includes("REACHABLE"));
  });

  test("we ask, the kernel answers", async () => {
    await open();
    expect(await pair.ours.call("ping", { to: KERNEL })).toMatchObject({ from: KERNEL });
    expect(await ourEntry("REACHABLE")).toMatchObject({ linkAddress: await kernelMac() });
  });

  test("an entry that nobody confirms grows stale and is probed", async () => {
    await open({ neighbours: DOUBTFUL });
    await pair.kernel.call("serveUdpEcho", { port: ECHO.port });
    const ask = (): Promise<unknown> => pair.ours.call("askUdp", { to: ECHO, octets: 1 });
    await ask();
    await ourEntry("REACHABLE");
    // UDP's answers confirm nothing, so this ends when the entry is old enough.
    let probe: unknown;
    void ourEntry("PROBE").then((event) => (probe = event));
    while (probe === undefined) await ask();
    await ourEntry("REACHABLE");
  });

  test("a neighbour that has changed its link address is found again", async () => {
    await open({ neighbours: DOUBTFUL });
    await pair.kernel.call("serve", { service: "echo", port: ECHO.port });
    const converse = (): Promise<unknown> => pair.ours.call("converse", { to: ECHO, octets: 1000 });
    expect(await converse()).toEqual(digestOf(pattern(1000)));
    await pair.network.ip(`link set ${INTERFACE} address ${NEW_MAC}`);
    expect(await converse()).toEqual(digestOf(pattern(1000)));
    await ourEntry("FORGOTTEN");
    expect(await pair.ours.event("neighbour", (event) => event.linkAddress === NEW_MAC)).toMatchObject({ address: KERNEL });
  });

  describeWith(["arping", "tcpdump"], "arping", () => {
    test("whoever asks whether our address is free hears that it is not (RFC 5227 §2.1.1)", async () => {
      await open();
      const { code, stdout } = await pair.network.run("arping", "-D", "-c", "1", "-w", "20", "-I", INTERFACE, OURS);
      expect(stdout).toContain("Received 1 response");
      expect(code).toBe(1);
    });

    test("whoever claims our address is contradicted (RFC 5227 §2.4)", async () => {
      await open({ kernelSettings: { "ipv4/ip_nonlocal_bind": 1 } });
      const filter = `arp and ether src ${MAC} and ether broadcast`;
      const tcpdump = pair.network.start("tcpdump", "-n", "-l", "--immediate-mode", "-c", "1", "-i", INTERFACE, filter);
      await tcpdump.errorLine((line) => line.startsWith("listening"));
      await pair.network.run("arping", "-U", "-c", "1", "-I", INTERFACE, "-s", OURS, OURS);
      await tcpdump.line((line) => line.includes(`ARP, Request who-has ${OURS} tell ${OURS}`));
    });
  });
});
