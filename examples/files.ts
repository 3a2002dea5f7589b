// A socket as a file that one opens, reads, writes and closes: server and client each hold their descriptor.
import { simulate } from "@netstrata/simnet";
import { constants } from "@netstrata/socket";

const { AF_INET, SHUT_WR, SOCK_STREAM } = constants;
const world = simulate({ seed: 3 });
const { posix: server } = world.host("server");
const { posix: client } = world.host("client");
const [a, b] = world.all;
world.wire(a, b, { addresses: ["10.0.0.1/24", "10.0.0.2/24"] });

async function serve(): Promise<void> {
  const listening = server.socket(AF_INET, SOCK_STREAM);
  server.bind(listening, { address: "0.0.0.0", port: 13 });
  server.listen(listening);
  const { fd, address, port } = await server.accept(listening);
  console.log(`server: accepted ${address}:${port} as file ${fd}`);
  const buffer = new Uint8Array(512);
  for (let count = await server.read(fd, buffer); count > 0; count = await server.read(fd, buffer)) {
    await server.write(fd, buffer.slice(0, count).reverse());
  }
  await server.close(fd);
  await server.close(listening);
}

async function ask(): Promise<void> {
  const fd = client.socket(AF_INET, SOCK_STREAM);
  await client.connect(fd, { address: "10.0.0.1", port: 13 });
  console.log(`client: connected from ${JSON.stringify(client.getsockname(fd))} as file ${fd}`);
  await client.write(fd, new TextEncoder().encode("?siht si tahw"));
  client.shutdown(fd, SHUT_WR);
  const buffer = new Uint8Array(512);
  const count = await client.read(fd, buffer);
  console.log(`client: read ${JSON.stringify(new TextDecoder().decode(buffer.subarray(0, count)))}`);
  await client.close(fd);
}

await world.run(() => Promise.all([serve(), ask()]));
