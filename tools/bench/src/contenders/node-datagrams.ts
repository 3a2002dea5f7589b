// Datagrams one way through the kernel's loopback, counted where they arrive, with node:dgram.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Contender } from "../contender.ts";
import { LOOPBACK } from "./node-pair.ts";
import { DATAGRAMS_IN_FLIGHT, payload } from "./payload.ts";

/** @param size octets of payload */
export async function openNodeDatagrams(size: number): Promise<Contender> {
  const server = createSocket("udp4").bind(0, LOOPBACK);
  await once(server, "listening");
  const client = createSocket("udp4");
  client.connect(server.address().port, LOOPBACK);
  await once(client, "connect");
  const datagram = payload(size);
  let unsent = 0;
  let missing = 0;
  let done = (): void => {};
  const send = (): void => {
    unsent -= 1;
    client.send(datagram);
  };
  server.on("message", () => {
    missing -= 1;
    if (unsent > 0) send();
    else if (missing === 0) done();
  });
  return {
    run: (amount) =>
      new Promise((resolve) => {
        done = resolve;
        unsent = amount;
        missing = amount;
        for (let flight = 0; flight < DATAGRAMS_IN_FLIGHT && unsent > 0; flight += 1) send();
      }),
    close: () => {
      client.close();
      server.close();
    },
  };
}
