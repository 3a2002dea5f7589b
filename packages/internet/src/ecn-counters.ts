// How many datagrams came in with each ECN field (RFC 3168 §5), under the names of Linux's `IpExt` in `/proc/net/netstat`.

const ECN_FIELD = 0b11;
/** By the value of the field. */
const ECN_COUNTERS = ["InNoECTPkts", "InECT1Pkts", "InECT0Pkts", "InCEPkts"] as const;

type EcnCounter = (typeof ECN_COUNTERS)[number];

export function countEcnField(counters: Record<EcnCounter, number>, trafficClass: number): void {
  counters[ECN_COUNTERS[trafficClass & ECN_FIELD]] += 1;
}
