// Source routes of connections (RFC 9293 §3.9.2.1): given by the user, or the reverse of the one that a passive connection came by.
import { type IpAddress, type Ipv4Address, isIpv4, type PacketBuffer } from "@netstrata/core";
import {
  type IpHeader,
  looseSourceRoute,
  MAX_SOURCE_ROUTE_HOPS,
  type ReturnRoute,
  receivedOptions,
  returnRoute,
} from "@netstrata/internet";
import { updateSegmentSize } from "./segment-size.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** MUST-51: the way through `hops`; undefined where no header can say it. */
export function chosenRoute(hops: readonly IpAddress[], destination: IpAddress): ReturnRoute | undefined {
  const [first, ...rest] = hops;
  if (first === undefined || hops.length > MAX_SOURCE_ROUTE_HOPS || !isIpv4(destination) || !hops.every(isIpv4)) return undefined;
  return looseSourceRoute([first as Ipv4Address, ...(rest as Ipv4Address[])], destination);
}

/** MUST-53: the way back along the route that a segment came by; undefined when it came by none. */
export function reversedRoute(segment: PacketBuffer, header: IpHeader): ReturnRoute | undefined {
  const options = receivedOptions(segment, header);
  if (options === undefined || !isIpv4(header.source) || !isIpv4(header.destination)) return undefined;
  const route = returnRoute(options, header.source, header.destination);
  return route.destination === header.source ? undefined : route;
}

export function followRoute(tcb: TransmissionControlBlock, route: ReturnRoute): void {
  tcb.ipOptions = { ...tcb.ipOptions, destination: route.destination, options: route.options };
  updateSegmentSize(tcb);
}
