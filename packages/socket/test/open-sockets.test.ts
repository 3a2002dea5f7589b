import { VirtualClock } from "@netstrata/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Closable, OpenSockets } from "../src/open-sockets.ts";
import { RealTimeClock } from "../src/real-time-clock.ts";

test("holds what was added and not deleted, in whatever order that happens", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), (numbers) => {
      const open = new OpenSockets("host", new VirtualClock());
      const destroyed: Closable[] = [];
      const sockets = Array.from({ length: 10 }, () => {
        const socket: Closable = { destroy: () => void destroyed.push(socket) };
        return socket;
      });
      const model = new Set<Closable>();
      for (const number of numbers) {
        const socket = sockets[number];
        if (model.delete(socket)) {
          open.delete(socket);
          // Deleting what is not there is harmless.
          open.delete(socket);
        } else {
          open.add(socket);
          model.add(socket);
        }
        expect(open.size).toBe(model.size);
      }
      open.close();
      expect(new Set(destroyed)).toEqual(model);
      expect(destroyed.length).toBe(model.size);
    }),
  );
});

test("what is destroyed may delete itself and others meanwhile", () => {
  const open = new OpenSockets("host", new VirtualClock());
  const sockets: Closable[] = [0, 1, 2].map(() => ({ destroy: () => sockets.forEach((socket) => void open.delete(socket)) }));
  for (const socket of sockets) open.add(socket);
  open.close();
  expect(open.size).toBe(0);
});

test("the clock is held while something is open, unless it is not referenced", () => {
  const clock = new RealTimeClock();
  const calls: string[] = [];
  clock.hold = () => void calls.push("hold");
  clock.release = () => void calls.push("release");
  const open = new OpenSockets("host", clock);
  const [a, b]: Closable[] = [{ destroy: () => {} }, { destroy: () => {} }];
  open.add(a);
  open.add(b);
  open.delete(a);
  expect(calls).toEqual(["hold"]);
  open.setReferenced(false);
  open.setReferenced(true);
  expect(calls).toEqual(["hold", "release", "hold"]);
  open.delete(b);
  expect(calls).toEqual(["hold", "release", "hold", "release"]);
});
