// poll, epoll and ioctl: what is ready, and how much.
import type { EpollEvent, PollFd } from "@netstrata/socket";
import type { Expression } from "../language/expression.ts";
import type { Difference } from "../run/drill-report.ts";
import { type Caller, type CallWorld, descriptorOf, type MadeCall } from "./call-world.ts";
import { CONSTANTS } from "./linux-constants.ts";
import { compareValue, field, fieldsOf, numberOf, type Operands } from "./operands.ts";

const itself = (outcome: object | number): number => outcome as number;
const NOTHING: Expression = { kind: "number", value: 0, text: "0" };

/** `poll([{fd=3, events=POLLIN, revents=POLLIN}], 1, 0)` */
function poll(operands: Operands, world: CallWorld): MadeCall {
  const list = operands.at(0);
  const structs = (list.kind === "list" ? list.items : [list]).map((item) => fieldsOf(item, "poll"));
  const fds: PollFd[] = structs.map((fields) => {
    const fd = numberOf(field(fields, "fd", 0) ?? NOTHING, "poll");
    return { fd: world.descriptors.get(fd) ?? fd, events: numberOf(field(fields, "events", 1) ?? NOTHING, "poll"), revents: 0 };
  });
  return {
    call: world.syscalls.poll(fds, operands.number(2, -1)),
    check: () => {
      const differences: Difference[] = [];
      for (const [index, fields] of structs.entries()) {
        compareValue(field(fields, "revents", 2) ?? NOTHING, fds[index].revents, `revents of [${index}]`, differences);
      }
      return differences;
    },
  };
}

export const WAIT_CALLS: readonly (readonly [string, Caller])[] = [
  ["poll", poll],
  ["epoll_create", (operands, world) => ({ call: world.syscalls.epoll_create(operands.number(0)), descriptor: itself })],
  ["epoll_create1", (operands, world) => ({ call: world.syscalls.epoll_create1(operands.number(0)), descriptor: itself })],
  ["epoll_ctl", controlEpoll],
  ["epoll_wait", waitForEpoll],
  ["epoll_pwait", waitForEpoll],
  ["usleep", (operands, world) => pass(operands.number(0) / 1000, world)],
  ["sleep", (operands, world) => pass(operands.number(0) * 1000, world)],
  ["ioctl", ioctl],
];

/** `{events=EPOLLIN, fd=4}`: what is handed back may be called fd, ptr, u32 or u64. */
function controlEpoll(operands: Operands, world: CallWorld): MadeCall {
  const event = operands.at(3);
  const fields = event.kind === "struct" ? event.fields : undefined;
  const data = fields?.find(({ name }) => name !== "events")?.value ?? NOTHING;
  const asked = fields && { events: numberOf(field(fields, "events") ?? NOTHING, "epoll_ctl"), data: numberOf(data, "epoll_ctl") };
  return {
    call: world.syscalls.epoll_ctl(descriptorOf(operands, 0, world), operands.number(1), descriptorOf(operands, 2, world), asked),
  };
}

function waitForEpoll(operands: Operands, world: CallWorld): MadeCall {
  const list = operands.at(1);
  const expected = list.kind === "list" ? list.items : [list];
  return {
    call: world.syscalls.epoll_wait(descriptorOf(operands, 0, world), operands.number(2), operands.number(3, -1)),
    result: (outcome) => (outcome as readonly EpollEvent[]).length,
    check: (outcome) => {
      const differences: Difference[] = [];
      for (const [index, { events, data }] of (outcome as readonly EpollEvent[]).entries()) {
        const wanted = expected[index];
        if (wanted?.kind !== "struct") continue;
        for (const { name, value } of wanted.fields)
          compareValue(value, name === "events" ? events : data, `[${index}].${name}`, differences);
      }
      return differences;
    },
  };
}

function pass(duration: number, world: CallWorld): MadeCall {
  world.sleep(duration);
  return { call: 0 };
}

/** The core returns the number that Linux writes through the third argument. */
function ioctl(operands: Operands, world: CallWorld): MadeCall {
  const argument = operands.at(2);
  const value = world.syscalls.ioctl(
    descriptorOf(operands, 0, world),
    operands.number(1),
    argument.kind === "any" ? 0 : operands.number(2),
  );
  if (typeof value === "string" || operands.number(1) === CONSTANTS.get("FIONBIO")) return { call: value };
  const check = (): Difference[] => {
    const differences: Difference[] = [];
    compareValue(argument, value, "value", differences);
    return differences;
  };
  return { call: 0, check };
}
