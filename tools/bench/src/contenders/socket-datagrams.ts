// Datagrams one way, counted where they arrive, with promises.
import type { Contender } from "../contender.ts";
import { DATAGRAMS_IN_FLIGHT, payload } from "./payload.ts";
import { openSocketPair, SERVER } from "./socket-pair.ts";

/** @param size octets of payload */
export function openSocketDatagrams(mtu: number, size: number): Contender {
  const pair = openSocketPair(mtu);
  const server = pair.b.udp({ hostname: SERVER });
  const client = pair.a.udp();
  client.connect({ hostname: SERVER, port: server.address.port });
  const datagram = payload(size);
  return {
    run: async (amount) => {
      let unsent = amount;
      for (let flight = 0; flight < DATAGRAMS_IN_FLIGHT && unsent > 0; flight += 1, unsent -= 1) await client.send(datagram);
      for (let missing = amount; missing > 0; missing -= 1) {
        await server.receive();
        if (unsent <= 0) continue;
        unsent -= 1;
        await client.send(datagram);
      }
    },
    close: () => pair.close(),
  };
}
