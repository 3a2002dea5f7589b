// Measures what docs/decisions/0003-link-devices-and-clock.md says: node docs/decisions/0003-link-devices-and-clock.bench.mjs
import { PacketBuffer, VirtualClock } from "../../packages/core/dist/index.js";
import { createWire } from "../../packages/link/dist/index.js";

const BATCH = 64;
const ROUNDS = 9;

/** The fastest of several rounds, in million packets a second; `work` answers how many packets it moved. */
function millionsPerSecond(work) {
  let best = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.hrtime.bigint();
    const packets = work();
    best = Math.max(best, (packets * 1000) / Number(process.hrtime.bigint() - start));
  }
  return best.toFixed(0);
}

const packet = PacketBuffer.allocate(0, 1514);

for (const options of [{}, { latency: 1 }, { latency: 1, rate: 1e9 }]) {
  const clock = new VirtualClock();
  const oneWay = createWire(clock, options);
  let received = 0;
  oneWay.b.attach({ receive: () => void (received += 1) });
  const batches = millionsPerSecond(() => {
    received = 0;
    for (let batch = 0; batch < 5000; batch += 1) {
      for (let index = 0; index < BATCH; index += 1) oneWay.a.transmit(packet);
      clock.runUntilIdle();
    }
    return received;
  });
  const bothWays = createWire(clock, options);
  let left = 0;
  bothWays.b.attach({ receive: (returned) => bothWays.b.transmit(returned) });
  bothWays.a.attach({
    receive: (returned) => {
      left -= 1;
      if (left > 0) bothWays.a.transmit(returned);
    },
  });
  const alternating = millionsPerSecond(() => {
    left = 200_000;
    bothWays.a.transmit(packet);
    clock.runUntilIdle();
    return 400_000;
  });
  console.log(`${JSON.stringify(options).padEnd(32)} batches ${batches} M/s, one back and forth ${alternating} M/s`);
}
