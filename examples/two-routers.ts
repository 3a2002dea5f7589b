// The picture everything hangs on: two hosts, two routers. Every state that TCP goes through, at both ends, as it happens.
import { simulate, twoHostsTwoRouters } from "@netstrata/simnet";
import type { TcpStateEvent } from "@netstrata/transport";

const world = simulate({ seed: 1 });
const { client, server } = twoHostsTwoRouters(world, { wire: { latency: 5 }, core: { latency: 20, rate: 10e6 } });

world.observe(({ time, host, event }) => {
  if (event.layer !== "tcp" || event.kind !== "state") return;
  const { from, to } = event as TcpStateEvent;
  console.log(`${time.toFixed(1).padStart(7)} ms  ${host.padEnd(6)}  ${from} -> ${to}`);
});

await world.run(async () => {
  const listener = server.listen({ port: 80 });
  const serving = listener.accept().then(async (peer) => {
    const request = new TextDecoder().decode((await peer.read()) ?? undefined);
    await peer.write(new TextEncoder().encode(`you said: ${request}`));
    await peer.close();
  });
  const socket = client.connect("server:80");
  await socket.write(new TextEncoder().encode("hello through two routers"));
  for await (const bytes of socket) console.log(`            client  ${new TextDecoder().decode(bytes)}`);
  await Promise.all([socket.close(), serving]);
});
// The one that closed first stays in TIME-WAIT for two maximum segment lifetimes: four minutes, which cost nothing here.
await world.settle();
