// One way through two stacks, with TCP's user calls.
import type { Contender } from "../contender.ts";
import { connectCorePair, must, openCorePair } from "./core-pair.ts";
import { BULK_WRITE, payload } from "./payload.ts";

export function openCoreBulk(mtu: number): Contender {
  const pair = openCorePair(mtu);
  const { client, server } = connectCorePair(pair);
  const block = payload(BULK_WRITE);
  const target = new Uint8Array(BULK_WRITE);
  let left = 0;
  let rest: Uint8Array = block;
  let received = 0;
  const write = (): void => {
    while (left > 0) {
      const taken = must(client.send(rest));
      left -= taken;
      if (taken < rest.length) {
        rest = rest.subarray(taken);
        return;
      }
      rest = block;
    }
  };
  client.user = { writable: write };
  server.user = {
    readable: () => {
      while (server.readableLength > 0) received += server.receiveInto(target);
    },
  };
  return {
    run: (amount) => {
      left = amount;
      received = 0;
      write();
      pair.runUntil(() => received === amount);
    },
    close: () => pair.close(),
  };
}
