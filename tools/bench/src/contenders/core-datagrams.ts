// Datagrams one way, counted where they arrive, with UDP's user calls.
import type { Contender } from "../contender.ts";
import { must, openCorePair } from "./core-pair.ts";
import { DATAGRAMS_IN_FLIGHT, payload } from "./payload.ts";

/** @param size octets of payload */
export function openCoreDatagrams(mtu: number, size: number): Contender {
  const pair = openCorePair(mtu);
  const datagram = payload(size);
  let unsent = 0;
  let missing = 0;
  const send = (): void => {
    unsent -= 1;
    const error = client.send(datagram);
    if (error !== undefined) throw new Error(error);
  };
  const server = must(
    pair.b.udp.bind(
      { address: pair.b.address },
      {
        received: () => {
          missing -= 1;
          if (unsent > 0) send();
        },
      },
    ),
  );
  const client = must(pair.a.udp.bind({}, { received: () => {} }));
  client.connect(server.local);
  return {
    run: (amount) => {
      unsent = amount;
      missing = amount;
      for (let flight = 0; flight < DATAGRAMS_IN_FLIGHT && unsent > 0; flight += 1) send();
      pair.runUntil(() => missing === 0);
    },
    close: () => pair.close(),
  };
}
