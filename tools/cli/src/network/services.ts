// What `up` offers: pages over HTTP, and the echo service (RFC 862) over TCP and UDP.
import type { Server, Socket, Stack, UdpSocket } from "@netstrata/socket";
import { serveHttp } from "../http/http-server.ts";
import { createSite } from "../http/site.ts";

/** Told of what happens, in one line each. */
export type Log = (line: string) => void;

/** Serves each connection by itself, until the server is closed. */
async function serve(server: Server, name: string, log: Log, service: (socket: Socket) => Promise<void>): Promise<void> {
  for await (const socket of server) {
    const remote = socket.remote;
    const who = `${name}: ${remote?.address}:${remote?.port}`;
    log(`${who} connected`);
    socket.closed.catch(() => {});
    service(socket).then(
      () => log(`${who} closed${summaryOf(socket)}`),
      (error: Error) => {
        log(`${who} ended: ${error.message}`);
        socket.abort();
      },
    );
  }
}

export function serveSite(stack: Stack, port: number, log: Log): Server {
  const server = stack.listen({ port, allowHalfOpen: true });
  const site = createSite(stack);
  void serve(server, "http", log, (socket) => serveHttp(socket, site));
  return server;
}

export function serveEcho(stack: Stack, port: number, log: Log): Server {
  const server = stack.listen({ port, allowHalfOpen: true });
  void serve(server, "echo", log, async (socket) => {
    for await (const bytes of socket) await socket.write(bytes, { given: true });
    await socket.close();
  });
  return server;
}

export function serveUdpEcho(stack: Stack, port: number, log: Log): UdpSocket {
  const socket = stack.udp({ port });
  const answer = async (): Promise<void> => {
    for await (const datagram of socket) {
      // What cannot be sent back is lost, as datagrams are.
      await socket.send(datagram.data, datagram).catch((error: Error) => log(`echo: ${error.message}`));
    }
  };
  void answer();
  return socket;
}

function summaryOf(socket: Socket): string {
  const info = socket.info();
  if (info === undefined) return "";
  const again = info.segmentsRetransmitted === 0 ? "" : `, ${info.segmentsRetransmitted} segments sent again`;
  return `: ${info.bytesReceived} octets received, ${info.bytesSent} sent${again}`;
}
