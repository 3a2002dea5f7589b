// The address a stack on raw sockets has to use: the host's own.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { formatIp, type Ipv4Address, parseIpv4 } from "@netstrata/core";

/** Any port: nothing is sent. */
const DISCARD_PORT = 9;

/**
 * The host's own address for talking to `destination`, as its routing table has it. Connecting a UDP socket looks up the route
 * and sends nothing.
 * @throws Node's own error, such as ENETUNREACH, when the host has no route
 */
export async function hostAddressToward(destination: Ipv4Address): Promise<Ipv4Address> {
  const socket = createSocket("udp4");
  try {
    socket.connect(DISCARD_PORT, formatIp(destination));
    await once(socket, "connect");
    return parseIpv4(socket.address().address) as Ipv4Address;
  } finally {
    socket.close();
  }
}
