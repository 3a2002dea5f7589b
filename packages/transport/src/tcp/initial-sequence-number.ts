// Initial sequence numbers (RFC 6528 §3, RFC 9293 §3.4.1): ISN = M + F(local end, remote end, secret key).
import { type Host, ipToBytes, randomSipKey, type SequenceNumber, sipHash } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";

export type InitialSequenceNumberSource = (local: Endpoint, remote: Endpoint) => SequenceNumber;

/** MUST-8: the clock M ticks every 4 microseconds. */
const TICKS_PER_MILLISECOND = 250;

export function createInitialSequenceNumbers(host: Host): InitialSequenceNumberSource {
  // MUST-9: drawn at start, so that outsiders cannot compute F.
  const key = randomSipKey(host.random);
  return (local, remote) => {
    const [hash] = sipHash(key, connectionBytes(local, remote));
    return (hash + Math.floor(host.clock.now() * TICKS_PER_MILLISECOND)) >>> 0;
  };
}

/** The four numbers that name a connection. */
export function connectionBytes(local: Endpoint, remote: Endpoint): Uint8Array {
  const localAddress = ipToBytes(local.address);
  const remoteAddress = ipToBytes(remote.address);
  const bytes = new Uint8Array(localAddress.length + remoteAddress.length + 4);
  bytes.set(localAddress, 0);
  bytes.set(remoteAddress, localAddress.length);
  bytes.set([local.port >>> 8, local.port, remote.port >>> 8, remote.port], bytes.length - 4);
  return bytes;
}
