// One octet there, one octet back, with TCP's user calls.
import type { Contender } from "../contender.ts";
import { connectCorePair, openCorePair } from "./core-pair.ts";
import { payload } from "./payload.ts";

export function openCorePingPong(mtu: number): Contender {
  const pair = openCorePair(mtu);
  const { client, server } = connectCorePair(pair, { noDelay: true });
  const ball = payload(1);
  let left = 0;
  client.user = {
    readable: () => {
      client.receive();
      left -= 1;
      if (left > 0) client.send(ball);
    },
  };
  server.user = {
    readable: () => {
      const bytes = server.receive();
      if (bytes !== undefined) server.send(bytes);
    },
  };
  return {
    run: (amount) => {
      left = amount;
      client.send(ball);
      pair.runUntil(() => left === 0);
    },
    close: () => pair.close(),
  };
}
