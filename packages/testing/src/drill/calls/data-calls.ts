// read, write and their kin (POSIX.1-2017; sendmsg and recvmsg with Linux's control messages).
import type { ControlMessage, Received } from "@netstrata/socket";
import type { Expression } from "../language/expression.ts";
import { type Difference, DrillStop } from "../run/drill-report.ts";
import { type Caller, type CallWorld, descriptorOf, type MadeCall } from "./call-world.ts";
import { bufferOf, compareValue, describe, endpointOf, field, fieldsOf, isNull, numberOf, type Operands, optionValue } from "./operands.ts";
import { attach } from "./socket-calls.ts";

function write(operands: Operands, world: CallWorld, flags: number): MadeCall {
  const descriptor = descriptorOf(operands, 0, world);
  const call = world.syscalls.send(descriptor, bufferOf(operands.at(1), operands.number(2), "write"), flags);
  begun(descriptor, world);
  return { call };
}

/** A connection that was put off until the first write is on its way now. */
function begun(descriptor: number, world: CallWorld): void {
  const to = world.deferred.get(descriptor);
  if (to !== undefined) attach(descriptor, to, world);
}

function read(operands: Operands, world: CallWorld, flags: number): MadeCall {
  const target = bufferOf({ kind: isNull(operands.at(1)) ? "name" : "any", name: "NULL" } as Expression, operands.number(2), "read");
  return {
    call: world.syscalls.recv(descriptorOf(operands, 0, world), target, flags),
    check: (outcome) => checkText(operands.text(1), target, outcome as number),
  };
}

/** Sockets, and pipes too. */
function writeFile(operands: Operands, world: CallWorld): MadeCall {
  const descriptor = descriptorOf(operands, 0, world);
  const call = world.syscalls.write(descriptor, bufferOf(operands.at(1), operands.number(2), "write"));
  begun(descriptor, world);
  return { call };
}

function readFile(operands: Operands, world: CallWorld): MadeCall {
  const target = bufferOf({ kind: isNull(operands.at(1)) ? "name" : "any", name: "NULL" } as Expression, operands.number(2), "read");
  return {
    call: world.syscalls.read(descriptorOf(operands, 0, world), target),
    check: (outcome) => checkText(operands.text(1), target, outcome as number),
  };
}

/** A string in the place of the buffer is what must have been read. */
function checkText(expected: string | undefined, target: Uint8Array | undefined, length: number): Difference[] {
  if (expected === undefined || target === undefined) return [];
  const seen = String.fromCharCode(...target.subarray(0, Math.min(length, 65536)));
  return seen === expected.slice(0, length) ? [] : [{ field: "octets", expected: JSON.stringify(expected), seen: JSON.stringify(seen) }];
}

function sendto(operands: Operands, world: CallWorld): MadeCall {
  const descriptor = descriptorOf(operands, 0, world);
  const bytes = bufferOf(operands.at(1), operands.number(2), "sendto");
  const to = isNull(operands.at(4)) ? undefined : endpointOf(operands.at(4), world.remoteEnd, "sendto");
  const call = world.syscalls.sendto(descriptor, bytes, operands.number(3, 0), to);
  if (to !== undefined) attach(descriptor, to, world);
  return { call };
}

/** `[{..., 1000}, {"abc", 3}]` */
function pieces(expression: Expression | undefined, call: string): Uint8Array[] {
  if (expression === undefined || expression.kind === "any" || isNull(expression)) return [];
  if (expression.kind !== "list")
    throw new DrillStop("error", `${call}: a list of buffers is expected where ${describe(expression)} stands`);
  return expression.items.map((item) => {
    const fields = fieldsOf(item, call);
    const length = field(fields, "iov_len", 1);
    const base = field(fields, "iov_base", 0) ?? { kind: "any" };
    return bufferOf(base, length === undefined ? 0 : numberOf(length, call), call) ?? new Uint8Array(0);
  });
}

function sendmsg(operands: Operands, world: CallWorld): MadeCall {
  const descriptor = descriptorOf(operands, 0, world);
  const fields = fieldsOf(operands.at(1), "sendmsg");
  const name = field(fields, "msg_name");
  const to = name === undefined || isNull(name) || name.kind === "any" ? undefined : endpointOf(name, world.remoteEnd, "sendmsg");
  const isAddressed =
    name !== undefined && world.syscalls.getpeername(descriptor) === "ENOTCONN" && world.flows.of(descriptor)?.protocol !== "tcp";
  const message = {
    name: to ?? (isAddressed ? world.remoteEnd : undefined),
    pieces: pieces(field(fields, "msg_iov"), "sendmsg"),
    control: control(field(fields, "msg_control")),
  };
  const call = world.syscalls.sendmsg(descriptor, message, operands.number(2, 0));
  if (message.name !== undefined) attach(descriptor, message.name, world);
  return { call };
}

function control(expression: Expression | undefined): ControlMessage[] {
  if (expression?.kind !== "list") return [];
  return expression.items.map((item) => {
    const fields = fieldsOf(item, "sendmsg");
    const part = (name: string): Expression => field(fields, name) ?? { kind: "number", value: 0, text: "0" };
    const value = optionValue(part("cmsg_data"), "sendmsg");
    return { level: numberOf(part("cmsg_level"), "sendmsg"), type: numberOf(part("cmsg_type"), "sendmsg"), value };
  });
}

function recvmsg(operands: Operands, world: CallWorld): MadeCall {
  const fields = fieldsOf(operands.at(1), "recvmsg");
  return {
    call: world.syscalls.recvmsg(descriptorOf(operands, 0, world), pieces(field(fields, "msg_iov"), "recvmsg"), operands.number(2, 0)),
    result: (outcome) => (outcome as Received).length,
    check: (outcome) => {
      const received = outcome as Received & { readonly control?: readonly ControlMessage[] };
      const differences: Difference[] = [];
      const flags = field(fields, "msg_flags");
      if (flags !== undefined) compareValue(flags, received.flags, "msg_flags", differences);
      compareControl(field(fields, "msg_control"), received.control ?? [], world, differences);
      return differences;
    },
  };
}

function compareControl(
  expected: Expression | undefined,
  seen: readonly ControlMessage[],
  world: CallWorld,
  differences: Difference[],
): void {
  if (expected?.kind !== "list") return;
  if (expected.items.length !== seen.length) {
    differences.push({ field: "msg_control", expected: `${expected.items.length} control messages`, seen: String(seen.length) });
    return;
  }
  for (const [index, item] of expected.items.entries()) {
    const fields = fieldsOf(item, "recvmsg");
    const { level, type, value } = seen[index];
    const check = (name: string, found: unknown): void => {
      const wanted = field(fields, name);
      if (wanted !== undefined) compareValue(wanted, found, `msg_control[${index}].${name}`, differences);
    };
    check("cmsg_level", level);
    check("cmsg_type", type);
    check("cmsg_data", isTimestamping(value) ? scriptTime(value.ts[0], field(fields, "cmsg_data"), world) : value);
  }
}

function recvfrom(operands: Operands, world: CallWorld): MadeCall {
  if (isNull(operands.at(1))) return read(operands, world, operands.number(3, 0));
  const target = new Uint8Array(operands.number(2));
  return {
    call: world.syscalls.recvmsg(descriptorOf(operands, 0, world), [target], operands.number(3, 0)),
    result: (outcome) => (outcome as Received).length,
    check: (outcome) => checkText(operands.text(1), target, (outcome as Received).length),
  };
}

export const DATA_CALLS: readonly (readonly [string, Caller])[] = [
  ["read", readFile],
  ["recv", (operands, world) => read(operands, world, operands.number(3, 0))],
  ["recvfrom", recvfrom],
  ["recvmsg", recvmsg],
  ["readv", (operands, world) => ({ call: world.syscalls.readv(descriptorOf(operands, 0, world), pieces(operands.at(1), "readv")) })],
  ["write", writeFile],
  ["send", (operands, world) => write(operands, world, operands.number(3, 0))],
  ["sendto", sendto],
  ["sendmsg", sendmsg],
  ["writev", (operands, world) => ({ call: world.syscalls.writev(descriptorOf(operands, 0, world), pieces(operands.at(1), "writev")) })],
];

interface Timestamping {
  readonly ts: readonly { readonly tv_sec: number; readonly tv_nsec: number }[];
}

function isTimestamping(value: unknown): value is Timestamping {
  return typeof value === "object" && value !== null && "ts" in value && Array.isArray(value.ts);
}

/** `{scm_sec=0, scm_nsec=10000000}`: since the script began; a time that is near enough is the one expected. */
function scriptTime({ tv_sec, tv_nsec }: Timestamping["ts"][0], expected: Expression | undefined, world: CallWorld): object {
  const seen = world.toScriptTime(tv_sec * 1000 + tv_nsec / 1e6);
  const fields = expected?.kind === "struct" ? expected.fields : [];
  const part = (name: string): number => numberOf(field(fields, name) ?? { kind: "number", value: 0, text: "0" }, "recvmsg");
  const wanted = part("scm_sec") * 1000 + part("scm_nsec") / 1e6;
  const told = Math.abs(seen - wanted) <= world.tolerance ? wanted : seen;
  const scm_sec = Math.floor(told / 1000);
  return { scm_sec, scm_nsec: Math.round((told - scm_sec * 1000) * 1e6) };
}
