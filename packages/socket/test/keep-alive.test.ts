// Keep-alives at times that are no whole milliseconds.
import { SeededRandom } from "@netstrata/core";
import { expect, test } from "vitest";
import { twoStacks } from "./two-stacks.ts";

test("MUST-26: a remainder of the idle time that is too small for the clock does not stop time", async () => {
  // Found by the soak (seed 35): now + remainder was now, again and again.
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = new SeededRandom(seed);
    const fraction = (): number => random.uint32() / 3_000_000;
    const { client, server, clock, run, sleep } = twoStacks({ seed, wire: { medium: "ip", latency: fraction() / 100 } });
    await run(async () => {
      // Beyond 32,768 ms the clock is coarser than the differences of 20,000 ms.
      await sleep(40_000 + fraction());
      const listener = server.listen({ port: 80 });
      const socket = client.connect("10.0.0.2:80", { keepAlive: true, keepAliveIdle: 20_000 });
      const peer = await listener.accept();
      for (let count = 0; count < 5; count += 1) {
        await sleep(fraction());
        await peer.write(new Uint8Array(1));
        await socket.read();
      }
    });
    const end = clock.now() + 100_000;
    let steps = 0;
    for (; clock.now() < end && steps < 1000; steps += 1) clock.step();
    expect([seed, steps < 1000]).toEqual([seed, true]);
  }
});
