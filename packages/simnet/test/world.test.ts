// Driving a world: programs, time, deadlocks, leaks, and the same program in both worlds.
import { describe, expect, test } from "vitest";
import { realWorld, simulate, twoHosts, twoHostsTwoRouters, type World } from "../src/index.ts";

/** An exchange that every world must be able to carry. */
async function exchange(world: World): Promise<string> {
  const { client, server } = twoHostsTwoRouters(world, { wire: { latency: 1 } });
  return world.run(async () => {
    await using listener = server.listen({ port: 80 });
    const serving = (async () => {
      await using socket = await listener.accept();
      const request = await socket.read();
      await socket.write(new TextEncoder().encode(`${new TextDecoder().decode(request ?? undefined)}, world`));
    })();
    await using socket = client.connect("server:80");
    await socket.write(new TextEncoder().encode("hello"));
    const answer = new TextDecoder().decode((await socket.read()) ?? undefined);
    // Reading the end of the server's stream ends ours, which the server waits for.
    expect(await socket.read()).toBeNull();
    await serving;
    return answer;
  });
}

test("the same program runs in the simulated world and in the real one", async () => {
  for (const world of [simulate(), realWorld(), realWorld({ seed: 3 })]) {
    expect(await exchange(world)).toBe("hello, world");
    await world.close();
    expect(world.leaks()).toEqual([]);
  }
});

describe("a program in virtual time", () => {
  test("waits in no time", async () => {
    const world = simulate({ start: 5000 });
    const result = await world.run(async () => {
      await world.sleep(3_600_000);
      return world.now;
    });
    expect(result).toBe(3_605_000);
  });

  test("its rejection is the run's, and the world goes on", async () => {
    const world = simulate();
    await expect(world.run(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    await expect(
      world.run(() => {
        throw new Error("at once");
      }),
    ).rejects.toThrow("at once");
    expect(await world.run(async () => 7)).toBe(7);
  });

  test("every promise job has run before the clock goes on", async () => {
    const world = simulate();
    const times: number[] = [];
    await world.run(async () => {
      const other = world.sleep(10).then(async () => {
        for (let hop = 0; hop < 100; hop += 1) await undefined;
        times.push(world.now);
      });
      await world.sleep(10);
      await world.sleep(0.001);
      times.push(world.now);
      await other;
    });
    expect(times).toEqual([10, 10.001]);
  });

  test("that can never go on is an error with the time, the seed and what is left", async () => {
    const world = simulate({ seed: 42 });
    const { server } = twoHosts(world);
    const waiting = world.run(async () => {
      await world.sleep(100);
      const listener = server.listen({ port: 80 });
      await listener.accept();
    });
    await expect(waiting).rejects.toThrow(/^at [0-9.]+ ms, seed 42: nothing can happen any more.*server: 1 sockets open/);
    await world.close();
  });

  test("that takes too long is an error", async () => {
    const world = simulate();
    const timer = world.clock.timer(() => timer.arm(1000));
    timer.arm(0);
    const endless = (): Promise<void> => new Promise(() => {});
    await expect(world.run(endless, { limit: 60_000 })).rejects.toThrow(/at 60000 ms, seed 1: the program is not done/);
    await expect(world.run(endless)).rejects.toThrow(/at 86460000 ms/);
  });

  test("only one at a time", async () => {
    const world = simulate();
    await world.run(async () => {
      await expect(world.run(async () => 1)).rejects.toThrow(/running already/);
      await expect(async () => world.advance(1)).rejects.toThrow(/running already/);
    });
  });

  test("waits for the outer world while its own stands still", async () => {
    const world = simulate();
    await world.run(async () => {
      void world.sleep(5);
      const answer = await world.outside(new Promise((resolve) => setTimeout(() => resolve("real"), 2)));
      expect([answer, world.now]).toEqual(["real", 0]);
      await expect(world.outside(Promise.reject(new Error("no file")))).rejects.toThrow("no file");
    });
  });

  test("goes on where it waited for the outer world, before time does", async () => {
    const world = simulate();
    const later = <T>(value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), 2));
    await world.run(async () => {
      void world.sleep(5);
      await world.outside(later(1));
      for (let hop = 0; hop < 100; hop += 1) await undefined;
      expect(world.now).toBe(0);
    });
  });

  test("is done when it is done, whatever it has left outside", async () => {
    const world = simulate();
    const never = (): Promise<never> => world.outside(new Promise(() => {}));
    const soon = (): Promise<number> => world.outside(new Promise((resolve) => setTimeout(() => resolve(1), 2)));
    expect(await world.run(() => Promise.race([never(), soon()]))).toBe(1);
    expect(
      await world.run(async () => {
        await world.sleep(10);
        return world.now;
      }),
    ).toBe(10);
  });

  test("that waits for what the world does not know of is told how to", async () => {
    const world = simulate();
    const waiting = world.run(() => new Promise((resolve) => setTimeout(resolve, 5)));
    await expect(waiting).rejects.toThrow(/nothing can happen.*world\.outside\(promise\)/);
  });
});

describe("without a program", () => {
  test("advance lets time pass, settle lets everything end", async () => {
    const world = simulate();
    const { client, server } = twoHosts(world);
    const listener = server.listen({ port: 80 });
    const socket = client.connect("server:80");
    await world.advance(500);
    expect(world.now).toBe(500);
    expect(socket.info()?.state).toBe("ESTABLISHED");
    const accepted = await listener.accept();
    void Promise.all([socket.close(), accepted.close(), listener.close()]);
    expect(await world.settle(1000)).toBe(false);
    expect(world.leaks()).toEqual(expect.arrayContaining([expect.stringContaining("TCP connections")]));
    expect(await world.settle()).toBe(true);
    expect(world.leaks()).toEqual([]);
  });

  test("the real world advances and settles too", async () => {
    const world = realWorld();
    const start = world.now;
    await world.advance(3);
    expect(world.now - start).toBeGreaterThanOrEqual(3);
    world.clock.timer(() => {}).arm(4);
    expect(await world.settle(1000)).toBe(true);
    world.clock.timer(() => {}).arm(100_000);
    expect(await world.settle(1)).toBe(false);
    await expect(world.run(() => new Promise(() => {}), { limit: 5 })).rejects.toThrow(/not done after 5 ms/);
  });
});

test("close takes what is on the wires with it, the last words of hosts that went later too", async () => {
  const world = simulate();
  const { client, server } = twoHosts(world, { wire: { latency: 5 } });
  await world.run(async () => {
    const listener = server.listen({ port: 80 });
    await client.connect("server:80").opened;
    await listener.accept();
  });
  await world.close();
  expect(world.leaks()).toEqual([]);
});

describe("leaks", () => {
  test("name what is open, where", async () => {
    const world = simulate();
    const { client, server, wire } = twoHosts(world, { wire: { latency: 50, medium: "ip" } });
    server.listen({ port: 80 });
    server.udp({ port: 9 });
    const socket = client.connect("server:80");
    await world.advance(10);
    expect(wire.inFlight).toBe(1);
    expect(world.leaks()).toEqual([
      "client: 1 sockets open",
      "client: 1 TCP connections",
      "server: 2 sockets open",
      "server: 1 TCP listeners",
      "server: 1 UDP endpoints",
      "client – server: 1 packets on the wire",
      expect.stringMatching(/^world: \d timers armed$/),
    ]);
    await world.close();
    expect(world.leaks()).toEqual([]);
    await expect(socket.opened).rejects.toMatchObject({ code: "ECONNABORTED" });
  });
});
