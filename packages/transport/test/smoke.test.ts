import { expect, test } from "vitest";
import type { TcpConnection } from "../src/index.ts";
import { twoHosts } from "./two-hosts.ts";

test("a megabyte goes both ways and both ends close", () => {
  const net = twoHosts();
  const data = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7) >> 3);
  const got: Uint8Array[] = [];
  const closed: unknown[] = [];
  const pump = (connection: TcpConnection, state: { at: number }) => {
    while (state.at < data.length) {
      const n = connection.send(data.subarray(state.at));
      if (typeof n === "string") throw new Error(n);
      if (n === 0) return;
      state.at += n;
    }
    connection.close();
  };
  const listener = net.b.tcp.listen(
    { address: net.b.address, port: 80 },
    {
      acceptable: (l) => {
        const c = l.accept() as TcpConnection;
        c.user = {
          readable: (c) => {
            for (let x = c.receive(); x !== undefined; x = c.receive()) got.push(x);
            if (c.endOfStream) c.close();
          },
          closed: (_c, e) => closed.push(["b", e]),
        };
      },
    },
  );
  if (typeof listener === "string") throw new Error(listener);
  const state = { at: 0 };
  const c = net.a.tcp.open(
    { address: net.b.address, port: 80 },
    {
      opened: (c) => pump(c, state),
      writable: (c) => pump(c, state),
      closed: (_c, e) => closed.push(["a", e]),
    },
  );
  if (typeof c === "string") throw new Error(c);
  net.clock.advance(60000);
  expect(c.info()).toMatchObject({ state: "TIME-WAIT", segmentsRetransmitted: 0 });
  expect(Buffer.concat(got).equals(Buffer.from(data))).toBe(true);
  expect(closed.sort()).toEqual([
    ["a", undefined],
    ["b", undefined],
  ]);
  net.clock.advance(300000);
  expect(c.state).toBe("CLOSED");
  listener.close();
  expect(net.close()).toEqual({ timers: 0, connections: 0 });
});
