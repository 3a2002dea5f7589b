// pipe, splice, sendfile and the files they move octets between (Linux).
import { type Caller, type CallWorld, descriptorOf, type MadeCall } from "./call-world.ts";
import { numberOf, type Operands } from "./operands.ts";

/** `pipe([5, 6])` */
function pipe(operands: Operands, world: CallWorld): MadeCall | string {
  const ends = operands.at(0);
  if (ends.kind !== "list" || ends.items.length !== 2) return "pipe without a list of two descriptors";
  const made = world.syscalls.pipe2(operands.number(1, 0));
  if (typeof made === "string") return { call: made };
  const [from, to] = ends.items.map((each) => numberOf(each, "pipe"));
  world.descriptors.set(from, made.from);
  world.descriptors.set(to, made.to);
  return { call: 0 };
}

/** A file that a command before has made; there are no others here. */
function open(operands: Operands, world: CallWorld): MadeCall {
  const octets = world.files.get(operands.text(0) ?? "");
  if (octets === undefined) return { call: "ENOENT" };
  return { call: world.syscalls.memfd_create(octets), descriptor: (outcome) => outcome as number };
}

/** `splice(4, NULL, 6, NULL, 99, 0)`: neither sockets nor pipes have offsets. */
function splice(operands: Operands, world: CallWorld): MadeCall {
  if (!operands.isNull(1) || !operands.isNull(3)) return { call: "ESPIPE" };
  const [from, to] = [descriptorOf(operands, 0, world), descriptorOf(operands, 2, world)];
  return { call: world.syscalls.splice(from, to, operands.number(4), operands.number(5, 0)) };
}

/** `sendfile(4, 5, [0], 100)` */
function sendfile(operands: Operands, world: CallWorld): MadeCall {
  const offset = operands.isNull(2) ? undefined : operands.number(2);
  return {
    call: world.syscalls.sendfile(descriptorOf(operands, 0, world), descriptorOf(operands, 1, world), offset, operands.number(3)),
  };
}

export const FILE_CALLS: readonly (readonly [string, Caller])[] = [
  ["pipe", pipe],
  ["pipe2", pipe],
  ["open", open],
  ["splice", splice],
  ["sendfile", sendfile],
];
