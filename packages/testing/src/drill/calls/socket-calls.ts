// socket, bind, listen, accept, connect and what else is done with a socket as a whole (POSIX.1-2017).
import type { AcceptedDescriptor } from "@netstrata/socket";
import type { Endpoint } from "@netstrata/transport";
import type { Difference } from "../run/drill-report.ts";
import { type Caller, type CallWorld, descriptorOf, type MadeCall } from "./call-world.ts";
import { CONSTANTS } from "./linux-constants.ts";
import { compareValue, endpointOf, type Operands, octetsOf, optionValue } from "./operands.ts";

const SOCK_DGRAM = 2;
const TYPE_MASK = 0xf;
const ENOPROTOOPT = "ENOPROTOOPT";
const itself = (outcome: object | number): number => outcome as number;

/** Options of FreeBSD that choose between implementations or write logs: there is one here, and it writes none. */
const WITHOUT_EFFECT: ReadonlySet<number | undefined> = new Set(["TCP_LOG", "TCP_FUNCTION_BLK"].map((name) => CONSTANTS.get(name)));

function socket(operands: Operands, world: CallWorld): MadeCall {
  const domain = operands.number(0, world.ipVersion === "ipv4" ? 2 : 10);
  const type = operands.number(1);
  const result = world.syscalls.socket(domain, type, operands.number(2, 0));
  if (typeof result === "number") world.flows.created(result, (type & TYPE_MASK) === SOCK_DGRAM ? "udp" : "tcp");
  return { call: result, descriptor: itself };
}

function bind(operands: Operands, world: CallWorld): MadeCall {
  const name = endpointOf(operands.at(1), world.localEnd, "bind");
  return { call: name === undefined ? "EAFNOSUPPORT" : world.syscalls.bind(descriptorOf(operands, 0, world), name) };
}

function accept(operands: Operands, world: CallWorld, flags = 0): MadeCall {
  const descriptor = (outcome: object | number): number => (outcome as AcceptedDescriptor).fd;
  return {
    call: world.syscalls.accept(descriptorOf(operands, 0, world), flags),
    result: descriptor,
    descriptor,
    check: (outcome) => {
      const { fd, from } = outcome as AcceptedDescriptor;
      world.flows.accepted(fd, from);
      return [];
    },
  };
}

function connect(operands: Operands, world: CallWorld): MadeCall {
  const descriptor = descriptorOf(operands, 0, world);
  const name = endpointOf(operands.at(1), world.remoteEnd, "connect");
  const call = world.syscalls.connect(descriptor, name);
  if (name !== undefined) attach(descriptor, name, world);
  return { call };
}

/** From now on a socket has two ends, and packets that belong to it. */
export function attach(descriptor: number, remote: Endpoint, world: CallWorld): void {
  const local = world.syscalls.getsockname(descriptor);
  const peer = world.syscalls.getpeername(descriptor);
  // An address is of no consequence for a socket that has its peer.
  if (typeof peer !== "string" && peer.port !== remote.port) return;
  const known = world.flows.of(descriptor);
  if (typeof local === "string") return;
  if (local.port === 0) {
    world.deferred.set(descriptor, remote);
    return;
  }
  world.deferred.delete(descriptor);
  if (known !== undefined && known.remote.port === remote.port && known.local.port === local.port) return;
  world.flows.attached(descriptor, local.port, remote);
}

function close(operands: Operands, world: CallWorld): MadeCall {
  const descriptor = descriptorOf(operands, 0, world);
  const call = world.syscalls.close(descriptor);
  if (call.outcome !== "EBADF") world.flows.closed(descriptor);
  return { call };
}

function setsockopt(operands: Operands, world: CallWorld): MadeCall | string {
  const [level, name] = [operands.number(1), operands.number(2)];
  const descriptor = descriptorOf(operands, 0, world);
  if (WITHOUT_EFFECT.has(name)) return { call: 0 };
  const text = operands.text(3);
  const isName = name === CONSTANTS.get("TCP_CONGESTION") || name === CONSTANTS.get("TCP_ULP");
  const value =
    text === undefined || isName ? optionValue(operands.at(3), "setsockopt") : octetsOf(text).subarray(0, operands.number(4, text.length));
  const result = world.syscalls.setsockopt(descriptor, level, name, value);
  return result === ENOPROTOOPT ? optionName(operands) : { call: result };
}

function getsockopt(operands: Operands, world: CallWorld): MadeCall | string {
  const got = world.syscalls.getsockopt(descriptorOf(operands, 0, world), operands.number(1), operands.number(2));
  if (got === ENOPROTOOPT) return optionName(operands);
  if (typeof got === "string") return { call: got };
  const check = (): Difference[] => {
    const differences: Difference[] = [];
    compareValue(operands.at(3), got.value, "value", differences);
    return differences;
  };
  return { call: 0, check };
}

function optionName(operands: Operands): string {
  const name = operands.at(2);
  return `the socket option ${name.kind === "name" ? name.name : operands.number(2)}`;
}

function fcntl(operands: Operands, world: CallWorld): MadeCall {
  return { call: world.syscalls.fcntl(descriptorOf(operands, 0, world), operands.number(1), operands.number(2, 0)) };
}

function name(which: "getsockname" | "getpeername"): Caller {
  return (operands, world) => {
    const end = world.syscalls[which](descriptorOf(operands, 0, world));
    if (typeof end === "string") return { call: end };
    const check = (): Difference[] => {
      const wanted = endpointOf(operands.at(1), end, which);
      if (wanted === undefined || (wanted.port === end.port && wanted.address === end.address)) return [];
      return [{ field: "port", expected: String(wanted.port), seen: String(end.port) }];
    };
    return { call: 0, check };
  };
}

export const SOCKET_CALLS: readonly (readonly [string, Caller])[] = [
  ["socket", socket],
  ["bind", bind],
  ["listen", (operands, world) => ({ call: world.syscalls.listen(descriptorOf(operands, 0, world), operands.number(1)) })],
  ["accept", (operands, world) => accept(operands, world)],
  ["accept4", (operands, world) => accept(operands, world, operands.number(3, 0))],
  ["connect", connect],
  ["shutdown", (operands, world) => ({ call: world.syscalls.shutdown(descriptorOf(operands, 0, world), operands.number(1)) })],
  ["close", close],
  ["setsockopt", setsockopt],
  ["getsockopt", getsockopt],
  ["getsockname", name("getsockname")],
  ["getpeername", name("getpeername")],
  ["fcntl", fcntl],
  ["dup", (operands, world) => ({ call: world.syscalls.dup(descriptorOf(operands, 0, world)), descriptor: itself })],
];
