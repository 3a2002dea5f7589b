// Two hosts behind a router with one address: both speak from the same port, the server sees the router twice; and one of them is reached from outside.
import { simulate } from "@netstrata/simnet";

const world = simulate({ seed: 1 });
const nat = world.router("nat", {
  nat: { outside: "wan", forward: [{ port: 8080, to: "192.168.1.2:80" }] },
  filter: { forward: ["accept state established,related", "accept out wan", "accept to 192.168.1.2 port 80", "reject"] },
});
const [alice, bob] = ["alice", "bob"].map((name) => world.host(name));
const lan = world.switch({ network: "192.168.1.0/24" });
lan.attach(nat, { address: "192.168.1.1/24", name: "lan" });
lan.attach(alice, { address: "192.168.1.2/24", gateway: "192.168.1.1" });
lan.attach(bob, { address: "192.168.1.3/24", gateway: "192.168.1.1" });
const server = world.host("server");
world.wire(nat, server, { network: "203.0.113.0/24", names: ["wan", "eth0"], latency: 10 });

await world.run(async () => {
  const visitors = server.listen({ port: 80 });
  for (const host of [alice, bob]) {
    const socket = host.connect("server:80", { localPort: 5000 });
    const visitor = await visitors.accept();
    console.log(`${host.name} as ${socket.local?.address} is ${visitor.remote?.address}:${visitor.remote?.port} to the server`);
    await Promise.all([socket.close(), visitor.close()]);
  }
  const shop = alice.listen({ port: 80 });
  const guest = server.connect("203.0.113.1:8080");
  const host = await shop.accept();
  console.log(`alice is visited by ${host.remote?.address}`);
  await Promise.all([guest.close(), host.close()]);
  const refused = server.connect("203.0.113.1:8081");
  console.log(await refused.opened.catch(({ code }) => `bob is not: ${code}`));
});
console.log(`${nat.layers.internet.gateway?.tracking.size} conversations, ${nat.layers.internet.gateway?.nat?.mappings.size} ports`);
