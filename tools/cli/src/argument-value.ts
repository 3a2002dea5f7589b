// The values of options and words, read from what the user wrote; each complaint names the place.
import { type IpAddress, type IpPrefix, parseIp, parsePrefix } from "@netstrata/core";
import { UsageError } from "./usage-error.ts";

/** @param place what is read, for the complaint: `--port` or `PORT` */
export function readInteger(text: string, place: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${place}: ${JSON.stringify(text)} is not a whole number from ${least} to ${most}`);
}

export function readPort(text: string, place: string): number {
  return readInteger(text, place, 1, 65535);
}

/** `5%` or `0.05`: a number from 0 to 1. */
export function readFraction(text: string, place: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === "%" ? 100 : 1);
  if (value >= 0 && value <= 1) return value;
  throw new UsageError(`${place}: ${JSON.stringify(text)} is neither a percentage such as 5% nor a number from 0 to 1`);
}

/** `10ms`, `1.5s` or bare milliseconds. */
export function readDuration(text: string, place: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|)$/.exec(text);
  if (match === null) throw new UsageError(`${place}: ${JSON.stringify(text)} is not a time such as 200ms or 1.5s`);
  return Number(match[1]) * (match[2] === "s" ? 1000 : 1);
}

export function readAddress(text: string, place: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new UsageError(`${place}: ${JSON.stringify(text)} is not an IP address`);
  return address;
}

/** `192.0.2.1/24` */
export function readPrefix(text: string, place: string): IpPrefix {
  const prefix = text.includes("/") ? parsePrefix(text) : undefined;
  if (prefix === undefined)
    throw new UsageError(`${place}: ${JSON.stringify(text)} is not an address with a prefix length such as 10.0.0.2/24`);
  return prefix;
}
