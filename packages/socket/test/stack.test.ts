// The whole: assembly from descriptions, and an end that leaves nothing.
import { ip, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import { createWire, IpInterface, LoopbackDevice } from "@netstrata/link";
import { describe, expect, test } from "vitest";
import { constants as c, createStack, RealTimeClock, type Stack } from "../src/index.ts";
import { rejection, twoStacks } from "./two-stacks.ts";

function host(name: string, clock: VirtualClock) {
  return { name, clock, random: new SeededRandom(1).fork(name) };
}

describe("assembly", () => {
  test("every stack has a loopback interface with 127.0.0.1/8 and ::1/128 (RFC 4291 §2.5.3)", () => {
    const stack = createStack({ host: host("h", new VirtualClock()) });
    const [loopback] = stack.layers.internet.interfaces;
    expect([loopback.name, loopback.addresses]).toEqual(["lo", [prefix("127.0.0.1/8"), prefix("::1/128")]]);
    expect(stack.name).toBe("h");
  });

  test("addresses, gateway, MAC, MTU and name of an interface; Ethernet or IP by its device", async () => {
    const clock = new VirtualClock();
    const wire = createWire(clock);
    const stack = createStack({
      host: host("h", clock),
      interfaces: [
        {
          device: wire.a,
          address: ["10.0.0.1/24", "10.0.1.1/24"],
          gateway: "10.0.0.254",
          mac: "02:00:00:00:00:01",
          mtu: 1400,
          name: "lan",
        },
        { networkInterface: new IpInterface(host("x", clock), new LoopbackDevice(clock, { name: "tun0" })), address: "10.9.0.1/32" },
      ],
      routes: [
        { to: "10.2.0.0/16", via: "10.0.1.7" },
        { to: "10.3.0.0/16", interface: "tun0" },
      ],
    });
    const [, lan, tun] = stack.layers.internet.interfaces;
    expect([lan.name, lan.mtu, lan.addresses.length, lan.resolvesNeighbours, tun.name]).toEqual(["lan", 1400, 2, true, "tun0"]);
    const routes = stack.layers.internet.routes;
    expect(routes.lookup(ip("192.0.2.1"))).toMatchObject({ nextHop: ip("10.0.0.254"), interface: lan });
    expect(routes.lookup(ip("10.2.3.4"))).toMatchObject({ nextHop: ip("10.0.1.7"), interface: lan });
    expect(routes.lookup(ip("10.3.3.4"))).toMatchObject({ nextHop: undefined, interface: tun });
    await stack.close();
    wire.close();
    expect(clock.armedTimers).toBe(0);
  });

  test.each([
    [{}, /needs a device/],
    [{ address: "10.0.0.1/33", device: true }, /not an address with prefix length/],
    [{ mac: "02:00", device: true }, /not a MAC address/],
    [{ address: "10.0.0.1/24", gateway: "10.1.0.1", device: true }, /no interface eth0/],
    [{ mtu: 9000, device: true }, /mtu 9000/],
  ])("misuse throws at once: %j", (options, message) => {
    const clock = new VirtualClock();
    const { device, ...rest } = options as Record<string, unknown>;
    const described = device ? { ...rest, name: "eth0", device: createWire(clock).a } : rest;
    const build = (): Stack => createStack({ host: host("h", clock), interfaces: [described] });
    if ("gateway" in rest) expect(build).not.toThrow();
    else expect(build).toThrow(message);
  });

  test("a route through nothing is refused", () => {
    const stack = createStack({ host: host("h", new VirtualClock()) });
    expect(() => stack.addRoute({ to: "default", via: "10.0.0.1" })).toThrow(/no interface leads to 10.0.0.1/);
    expect(() => stack.addRoute({ to: "10.0.0.0/8", interface: "eth7" })).toThrow(/no interface eth7/);
    expect(() => stack.addRoute({ to: "here", via: "127.0.0.2" })).toThrow(/not a prefix/);
    expect(() => createStack({ hosts: { web: "here" } })).toThrow(/hosts entry web/);
  });
});

describe("the end", () => {
  test("close settles everything that waits, resets peers, and leaves no timer, connection, listener or endpoint", async () => {
    const stacks = twoStacks();
    const { client, server, run, sleep, clock } = stacks;
    await run(async () => {
      const listener = server.listen({ port: 80 });
      const socket = client.connect("10.0.0.2:80");
      const peer = await listener.accept();
      const connecting = client.connect("10.0.0.3:80");
      const udp = client.udp();
      const { posix } = client;
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
      posix.bind(fd, { address: "0.0.0.0", port: 99 });
      posix.listen(fd);
      const datagrams = posix.socket(c.AF_INET, c.SOCK_DGRAM);
      const polling = posix.poll([{ fd, events: c.POLLIN, revents: 0 }]);
      const idle = posix.poll([], -1);
      const waiting = [
        socket.read(),
        socket.closed,
        connecting.opened,
        udp.receive(),
        posix.accept(fd),
        posix.recv(datagrams, new Uint8Array(1)),
      ].map(rejection);
      const accepting = rejection(client.listen({ port: 81 }).accept());
      await sleep(20);
      await client.close();
      const codes = (await Promise.all(waiting)).map((error) => (error as { code: string }).code);
      expect(codes).toEqual(["ECONNABORTED", "ECONNABORTED", "ECONNABORTED", "ECANCELED", "EBADF", "EBADF"]);
      expect(await accepting).toMatchObject({ code: "ECANCELED" });
      expect(await polling).toBe(1);
      expect(await idle).toBe(0);
      // The descriptors have gone with the stack.
      expect(() => posix.bind(datagrams, { address: "0.0.0.0", port: 5 })).toThrow("bind EBADF");
      expect(await rejection(posix.close(fd))).toMatchObject({ code: "EBADF" });
      expect(await rejection(peer.read())).toMatchObject({ code: "ECONNRESET" });
      await server.close();
    });
    expect(clock.armedTimers).toBe(0);
    for (const stack of [client, server]) {
      const { tcp, udp } = stack.layers;
      expect([stack.openSockets, tcp.connectionCount, tcp.listenerCount, [...udp.endpoints].length, stack.isClosed]).toEqual([
        0,
        0,
        0,
        0,
        true,
      ]);
    }
  });

  test("TIME-WAIT does not outlive the stack", async () => {
    const { client, server, run, clock } = twoStacks();
    await run(async () => {
      const listener = server.listen({ port: 80 });
      const socket = client.connect("10.0.0.2:80");
      const peer = await listener.accept();
      await socket.closeWrite();
      await peer.close();
      await socket.closed;
    });
    expect(client.layers.tcp.connectionCount).toBe(1);
    await Promise.all([client.close(), server.close()]);
    expect(clock.armedTimers).toBe(0);
  });

  test("a real clock holds the process while something is open, unless told otherwise", async () => {
    let holds = 0;
    class CountingClock extends RealTimeClock {
      override hold(): void {
        holds += 1;
        super.hold();
      }
      override release(): void {
        holds -= 1;
        super.release();
      }
    }
    const stack = createStack({ host: { name: "h", clock: new CountingClock(), random: new SeededRandom(1) } });
    expect(holds).toBe(0);
    const listener = stack.listen();
    const socket = stack.connect({ hostname: "localhost", port: listener.address.port });
    const peer = await listener.accept();
    expect(holds).toBe(1);
    stack.unref();
    expect(holds).toBe(0);
    stack.ref();
    expect(holds).toBe(1);
    await Promise.all([socket.close(), peer.close()]);
    expect(holds).toBe(1);
    await listener.close();
    // TIME-WAIT is left, and no reason to wait for it.
    expect([holds, stack.layers.tcp.connectionCount]).toEqual([0, 2]);
    await stack.close();
  });
});
