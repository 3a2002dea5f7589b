// netstrata listen: waits for one TCP connection, and joins it to standard input and output.

import { readPort } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import { attach, TUN_OPTIONS } from "./attachment.ts";
import { pipe } from "./pipe.ts";

export const listen: Command = defineCommand({
  name: "listen",
  summary: "wait for one TCP connection, then as connect",
  usage: "PORT (--tun NAME | --tap NAME)",
  examples: [["netstrata listen 9000 --tun ns0 --address 10.9.0.2/24 --host-address 10.9.0.1/24 > received", ""]],
  options: TUN_OPTIONS,
  notes: "Raw sockets make no sense here: the host's kernel would refuse the connection before our stack could take it.",
  words: [1, 1],
  run: async (values, [portText], io) => {
    const port = readPort(portText, "PORT");
    const attachment = await attach(values);
    try {
      const server = attachment.stack.listen({ port, allowHalfOpen: true, signal: io.signal });
      io.stderr.write(`${attachment.description}; listening on port ${port}\n`);
      const socket = await server.accept().catch((error: unknown) => {
        if (io.signal.aborted) return undefined;
        throw error;
      });
      if (socket === undefined) return 0;
      await server.close();
      socket.closed.catch(() => {});
      io.stderr.write(`connection from ${(await socket.opened).remoteAddress}\n`);
      await pipe(socket, io);
      return 0;
    } finally {
      await attachment.close();
    }
  },
});
