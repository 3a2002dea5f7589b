// Where each connection's timestamp clock starts (RFC 7323 §5.4: the function of RFC 6528 §3 with a secret of its own).
import { type Host, randomSipKey, sipHash } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
import { connectionBytes } from "./initial-sequence-number.ts";

export type TimestampOffsetSource = (local: Endpoint, remote: Endpoint) => number;

/**
 * The same for every connection between the same two ends, so that a later one is known to be later (RFC 6191 §3). With a secret
 * apart from that of the sequence numbers, because what is learnt of the one must not help with the other.
 */
export function createTimestampOffsets(host: Host): TimestampOffsetSource {
  const key = randomSipKey(host.random);
  return (local, remote) => sipHash(key, connectionBytes(local, remote))[0];
}
