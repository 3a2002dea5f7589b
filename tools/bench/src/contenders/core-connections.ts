// Connect, accept, close both ways, with TCP's user calls.
import type { TcpUser } from "@netstrata/transport";
import type { Contender } from "../contender.ts";
import { must, openCorePair } from "./core-pair.ts";
import { CONNECTIONS_AT_ONCE } from "./payload.ts";

export function openCoreConnections(mtu: number): Contender {
  const pair = openCorePair(mtu);
  const local = { address: pair.b.address, port: 7 };
  let unopened = 0;
  let unclosed = 0;
  const serverUser: TcpUser = {
    readable: (connection) => {
      if (connection.endOfStream) connection.close();
    },
  };
  const clientUser: TcpUser = {
    opened: (connection) => connection.close(),
    closed: (_connection, error) => {
      if (error !== undefined) throw new Error(error);
      unclosed -= 1;
      open();
    },
  };
  const open = (): void => {
    if (unopened === 0) return;
    unopened -= 1;
    must(pair.a.tcp.open(local, clientUser));
  };
  must(
    pair.b.tcp.listen(local, {
      acceptable: (listener) => {
        const connection = must(listener.accept());
        connection.user = serverUser;
        serverUser.readable?.(connection);
      },
    }),
  );
  return {
    run: (amount) => {
      unopened = amount;
      unclosed = amount;
      for (let lane = 0; lane < CONNECTIONS_AT_ONCE; lane += 1) open();
      pair.runUntil(() => unclosed === 0);
    },
    close: () => pair.close(),
  };
}
