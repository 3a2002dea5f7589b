// The README's fifteen lines: an echo over a wire that loses and reorders packets.
import { simulate } from "@netstrata/simnet";

const world = simulate({ seed: 7 });
const client = world.host("client");
const server = world.host("server");
world.wire(client, server, { latency: 10, faults: { drop: 0.05, reorder: 0.1 } });

await world.run(async () => {
  const listener = server.listen({ port: 7 });
  void listener.accept().then(async (peer) => {
    for await (const bytes of peer) await peer.write(bytes);
  });

  const socket = client.connect("server:7");
  await socket.write(new TextEncoder().encode("hello"));
  console.log(new TextDecoder().decode((await socket.read()) ?? undefined), `after ${world.now} simulated ms`);
  await socket.close();
});
