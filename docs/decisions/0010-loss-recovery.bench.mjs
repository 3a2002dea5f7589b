// Goodput of 10 MB over a wire of 100 Mbit/s with and without SACK, on the virtual clock: the table of decision 10.
// npm run build && node docs/decisions/0010-loss-recovery.bench.mjs
import { ip, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import { InternetLayer } from "@netstrata/internet";
import { createWire, FaultInjector, IpInterface } from "@netstrata/link";
import { Tcp } from "@netstrata/transport";

const OCTETS = 10e6;
const chunk = new Uint8Array(65536);

function goodput(sack, faults, latency) {
  const clock = new VirtualClock();
  const wire = createWire(clock, { medium: "ip", latency, rate: 1e8, queueLimit: 200 });
  const host = (name, device, address, options) => {
    const self = { name, clock, random: new SeededRandom(5).fork(name) };
    const internet = new InternetLayer(self);
    const networkInterface = new IpInterface(self, new FaultInjector(device, self, options));
    networkInterface.addAddress(prefix(address));
    internet.addInterface(networkInterface);
    return new Tcp(self, internet, { sack, sendBuffer: 2 ** 20, receiveBuffer: 2 ** 20 });
  };
  const sender = host("sender", wire.a, "10.0.0.1/24", { out: faults });
  const receiver = host("receiver", wire.b, "10.0.0.2/24", {});
  let given = 0;
  let received = 0;
  const read = (connection) => {
    for (let bytes = connection.receive(); bytes !== undefined; bytes = connection.receive()) received += bytes.length;
  };
  const write = (connection) => {
    for (let taken = -1; taken !== 0 && given < OCTETS; ) {
      taken = connection.send(chunk.subarray(0, Math.min(chunk.length, OCTETS - given)));
      given += taken;
    }
  };
  receiver.listen({ address: ip("10.0.0.2"), port: 80 }, { acceptable: (listener) => (listener.accept().user = { readable: read }) });
  const connection = sender.open({ address: ip("10.0.0.2"), port: 80 }, { opened: write, writable: write });
  while (received < OCTETS) clock.step();
  return { rate: (received * 8) / clock.now() / 1e3, timeouts: sender.counters.TCPTimeouts, again: connection.info().segmentsRetransmitted };
}

console.log("loss   reordering  round trip   NewReno (timeouts)   RACK-TLP (timeouts)");
for (const [drop, reorder] of [
  [0, 0],
  [0.01, 0],
  [0.05, 0],
  [0, 0.05],
  [0.02, 0.02],
]) {
  for (const latency of [1, 20]) {
    const [reno, rack] = [false, true].map((sack) => goodput(sack, { drop, reorder }, latency));
    const shown = ({ rate, timeouts }) => `${rate.toFixed(1).padStart(7)} Mbit/s (${timeouts})`.padEnd(21);
    console.log(`${`${drop * 100} %`.padEnd(6)} ${`${reorder * 100} %`.padEnd(11)} ${`${2 * latency} ms`.padEnd(9)} ${shown(reno)} ${shown(rack)}`);
  }
}
