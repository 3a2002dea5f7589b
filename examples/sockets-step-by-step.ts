// The classic flow of server and client, call by call: which segments each call caused, and which state each end is in afterwards.
import { dissect, formatLine, RelativeSequence } from "@netstrata/capture";
import { simulate } from "@netstrata/simnet";
import { constants } from "@netstrata/socket";
import type { TcpStateEvent } from "@netstrata/transport";

const { AF_INET, SOCK_STREAM } = constants;
const world = simulate({ seed: 1 });
const { posix: server } = world.host("server");
const { posix: client } = world.host("client");
const [a, b] = world.all;
world.wire(a, b, { medium: "ip", addresses: ["10.0.0.1/24", "10.0.0.2/24"], latency: 10 });

const states: Record<string, string> = { server: "CLOSED", client: "CLOSED" };
world.observe(({ host, event }) => {
  if (event.layer === "tcp" && event.kind === "state") states[host] = (event as TcpStateEvent).to;
});
const segments: string[] = [];
const relativeSequence = new RelativeSequence();
// Whatever passes the client's end of the wire is seen once.
world.capture(({ host }) => {
  if (host !== "client") return undefined;
  const LINKTYPE_RAW = 101;
  return {
    packet: (bytes, time) =>
      segments.push(`${time.toFixed(0).padStart(6)} ms  ${formatLine(dissect(bytes, LINKTYPE_RAW), { relativeSequence })}`),
  };
});

/** Makes one call, lets a second pass, and tells what came of it. */
async function step<T>(call: string, run: () => T | Promise<T>): Promise<T> {
  const result = run();
  await world.sleep(1000);
  console.log(`\n${call}\n  server ${states.server}, client ${states.client}`);
  for (const line of segments.splice(0)) console.log(`  ${line}`);
  return result;
}

await world.run(async () => {
  const listening = await step("server: socket()", () => server.socket(AF_INET, SOCK_STREAM));
  await step("server: bind(0.0.0.0:7)", () => server.bind(listening, { address: "0.0.0.0", port: 7 }));
  await step("server: listen()", () => {
    server.listen(listening);
    // A listener is no connection, and tells of no change of state.
    states.server = "LISTEN";
  });
  const fd = await step("client: socket()", () => client.socket(AF_INET, SOCK_STREAM));
  await step("client: connect(10.0.0.1:7)", () => client.connect(fd, { address: "10.0.0.1", port: 7 }));
  const { fd: peer } = await step("server: accept()", () => server.accept(listening));
  await step('client: write("hello")', () => client.write(fd, new TextEncoder().encode("hello")));
  const buffer = new Uint8Array(100);
  const count = await step("server: read()", () => server.read(peer, buffer));
  await step('server: write("HELLO")', () =>
    server.write(peer, new TextEncoder().encode(new TextDecoder().decode(buffer.subarray(0, count)).toUpperCase())),
  );
  await step("client: read()", () => client.read(fd, buffer));
  await step("client: close()", () => client.close(fd));
  await step("server: read() = 0, the end", () => server.read(peer, buffer));
  await step("server: close()", () => server.close(peer));
  await server.close(listening);
});
