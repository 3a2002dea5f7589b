// IPv4 options (RFC 791 §3.1): read and checked, copied into fragments, reflected in echo replies.
import { type Ipv4Address, ipFromBytes, ipToBytes } from "@netstrata/core";

export const OPTION_END = 0;
export const OPTION_NO_OPERATION = 1;
export const OPTION_RECORD_ROUTE = 7;
export const OPTION_TIMESTAMP = 68;
export const OPTION_LOOSE_SOURCE_ROUTE = 131;
export const OPTION_STRICT_SOURCE_ROUTE = 137;
/** RFC 2113. */
export const OPTION_ROUTER_ALERT = 148;

/** The flag in an option's type that has it copied into every fragment. */
const COPIED = 0x80;
/** Routes start behind type, length and pointer; pointers count from 1. */
const ROUTE_START = 3;
const FIRST_POINTER = ROUTE_START + 1;

/** One option other than END and NO OPERATION. */
export interface Ipv4Option {
  readonly type: number;
  /** Where it starts among the options, in octets. */
  readonly offset: number;
  /** With type and length octets. */
  readonly length: number;
}

const NONE: readonly Ipv4Option[] = [];

/**
 * Reads the options in a header, and checks those that are known (RFC 1122 §3.2.1.8). Unknown ones pass if their length is
 * possible.
 * @param bytes everything between the fixed header and the payload
 * @returns the options, or the index of the octet that is wrong
 */
export function readIpv4Options(bytes: Uint8Array): readonly Ipv4Option[] | number {
  if (bytes.length === 0) return NONE;
  const options: Ipv4Option[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const type = bytes[offset];
    if (type === OPTION_END) break;
    if (type === OPTION_NO_OPERATION) {
      offset += 1;
      continue;
    }
    // A length octet that is missing, shorter than itself, or beyond the header's end.
    if (offset + 1 >= bytes.length) return offset;
    const length = bytes[offset + 1];
    if (length < 2 || offset + length > bytes.length) return offset + 1;
    const fault = checkOption(bytes, type, offset, length) ?? (isSecondSourceRoute(type, options) ? offset : undefined);
    if (fault !== undefined) return fault;
    options.push({ type, offset, length });
    offset += length;
  }
  return options;
}

export function isSourceRoute(option: Ipv4Option): boolean {
  return option.type === OPTION_LOOSE_SOURCE_ROUTE || option.type === OPTION_STRICT_SOURCE_ROUTE;
}

/** True when the route has been travelled to its end: this datagram has arrived. */
export function isFinished(bytes: Uint8Array, route: Ipv4Option): boolean {
  return bytes[route.offset + 2] > route.length;
}

/** The index of the octet that is wrong in one option; undefined when it is right or unknown. */
function checkOption(bytes: Uint8Array, type: number, offset: number, length: number): number | undefined {
  switch (type) {
    case OPTION_LOOSE_SOURCE_ROUTE:
    case OPTION_STRICT_SOURCE_ROUTE:
    case OPTION_RECORD_ROUTE:
      // Pointer at an address's first octet, or behind the last address.
      if (length < ROUTE_START || (length - ROUTE_START) % 4 !== 0) return offset + 1;
      return bytes[offset + 2] < FIRST_POINTER || bytes[offset + 2] % 4 !== 0 ? offset + 2 : undefined;
    case OPTION_TIMESTAMP:
      if (length < 4) return offset + 1;
      return bytes[offset + 2] < 5 ? offset + 2 : undefined;
    case OPTION_ROUTER_ALERT:
      return length !== 4 ? offset + 1 : undefined;
    default:
      return undefined;
  }
}

/** 1122-3.2.1.8c-4: a header holds one source route at most. */
function isSecondSourceRoute(type: number, options: readonly Ipv4Option[]): boolean {
  return (type === OPTION_LOOSE_SOURCE_ROUTE || type === OPTION_STRICT_SOURCE_ROUTE) && options.some(isSourceRoute);
}

/** The options of every fragment but the first: those with the copied flag, padded to a multiple of 4 octets (RFC 791 §3.1). */
export function copiedOptions(bytes: Uint8Array): Uint8Array {
  const options = readIpv4Options(bytes);
  if (typeof options === "number") return new Uint8Array(0);
  return padded(options.filter(({ type }) => (type & COPIED) !== 0).map(({ offset, length }) => bytes.subarray(offset, offset + length)));
}

/** Where an answer goes, and by which options. */
export interface ReturnRoute {
  /** The first hop of the reversed route; the asker himself when there was none. */
  readonly destination: Ipv4Address;
  readonly options: Uint8Array;
}

/**
 * The options of the answer to a datagram: a finished source route reversed (RFC 1122 §3.2.1.8 c), a record route as it
 * came with our own address added (§3.2.2.6). Others stay away; of timestamps that is a deviation, as this stack does not know
 * the time of day.
 */
export function returnRoute(bytes: Uint8Array, source: Ipv4Address, own: Ipv4Address): ReturnRoute {
  const options = readIpv4Options(bytes);
  const parts: Uint8Array[] = [];
  let destination = source;
  for (const option of typeof options === "number" ? NONE : options) {
    if (isSourceRoute(option)) {
      const hops = recordedAddresses(bytes, option);
      // Some senders list themselves first; the way back must not call on them twice (1122-3.2.1.8c-3).
      if (hops[0] === source) hops.shift();
      const back = [source, ...hops].reverse();
      destination = back.shift() as Ipv4Address;
      if (back.length > 0) parts.push(routeOption(option.type, back, FIRST_POINTER));
    } else if (option.type === OPTION_RECORD_ROUTE) {
      parts.push(recordedInto(new Uint8Array(bytes.subarray(option.offset, option.offset + option.length)), own));
    }
  }
  return { destination, options: padded(parts) };
}

/** Hops that a source route has room for: 40 octets of options hold nine addresses, and the destination is one of them. */
export const MAX_SOURCE_ROUTE_HOPS = 9;

/** How to send to `destination` through `hops`, in this order, with any routers between them (RFC 791 §3.1, loose source route). */
export function looseSourceRoute(hops: readonly [Ipv4Address, ...Ipv4Address[]], destination: Ipv4Address): ReturnRoute {
  const [first, ...rest] = hops;
  return { destination: first, options: padded([routeOption(OPTION_LOOSE_SOURCE_ROUTE, [...rest, destination], FIRST_POINTER)]) };
}

/** The addresses that a route has been through so far. */
export function recordedAddresses(bytes: Uint8Array, route: Ipv4Option): Ipv4Address[] {
  const addresses: Ipv4Address[] = [];
  const end = route.offset + Math.min(route.length, bytes[route.offset + 2] - 1);
  for (let at = route.offset + ROUTE_START; at + 4 <= end; at += 4) addresses.push(ipFromBytes(bytes.subarray(at, at + 4)) as Ipv4Address);
  return addresses;
}

function routeOption(type: number, addresses: readonly Ipv4Address[], pointer: number): Uint8Array {
  const option = new Uint8Array(ROUTE_START + 4 * addresses.length);
  option.set([type, option.length, pointer]);
  for (const [index, address] of addresses.entries()) option.set(ipToBytes(address), ROUTE_START + 4 * index);
  return option;
}

/**
 * Writes `own` into the record route among the options, as every router on the way does (RFC 1812 §5.3.13.5).
 * @returns true when the options have changed, so that the header's checksum has to follow
 */
export function recordRoute(bytes: Uint8Array, own: Ipv4Address): boolean {
  const options = readIpv4Options(bytes);
  const route = typeof options === "number" ? undefined : options.find(({ type }) => type === OPTION_RECORD_ROUTE);
  if (route === undefined || isFinished(bytes, route)) return false;
  recordedInto(bytes.subarray(route.offset, route.offset + route.length), own);
  return true;
}

/** Writes `own` into a record route option, in place, if there is room left. */
function recordedInto(option: Uint8Array, own: Ipv4Address): Uint8Array {
  const pointer = option[2];
  if (pointer + 3 > option.length) return option;
  option.set(ipToBytes(own), pointer - 1);
  option[2] = pointer + 4;
  return option;
}

function padded(options: readonly Uint8Array[]): Uint8Array {
  const length = options.reduce((sum, option) => sum + option.length, 0);
  // OPTION_END is 0, so what is not written ends the list.
  const bytes = new Uint8Array(Math.ceil(length / 4) * 4);
  let at = 0;
  for (const option of options) {
    bytes.set(option, at);
    at += option.length;
  }
  return bytes;
}
