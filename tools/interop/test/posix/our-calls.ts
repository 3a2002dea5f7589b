// Runs the calls of `scenarios.ts` on our stack, in virtual time, and tells what each returned.
import { formatIp, parseIp, SeededRandom, VirtualClock } from "@netstrata/core";
import { Call, createStack, type Errno, type GotOption, type Syscalls } from "@netstrata/socket";
import type { Answer, Argument, Scenario, Step } from "./scenarios.ts";

/** Between calls, as the kernel gets. In ms. */
const PAUSE = 50;

export function runOurs(scenario: Scenario): Answer[] {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const stack = createStack({ personality: "linux", host: { name: "ours", clock, random } });
  const saved = new Map<string, number>();
  const answers: Answer[] = [];
  for (const step of scenario) {
    const outcome = run(stack.syscalls, step, (argument) => (typeof argument === "string" ? (saved.get(argument) ?? argument) : argument));
    clock.advance(PAUSE);
    const answer = outcome instanceof Call ? settled(outcome) : outcome;
    if (step.as !== undefined && typeof answer === "number") saved.set(step.as, answer);
    answers.push(step.as !== undefined && typeof answer === "number" ? "descriptor" : answer);
  }
  void stack.close();
  return answers;
}

function settled(call: Call<number | object>): Answer {
  const { outcome } = call;
  if (outcome === undefined) return "blocked";
  if (typeof outcome !== "object") return outcome;
  if (Array.isArray(outcome)) return outcome.map(({ events }) => events >>> 0).join(" ");
  return "fd" in outcome ? Number(outcome.fd) : "length" in outcome ? Number(outcome.length) : "?";
}

type Returned = Answer | Call<number | object>;

function run(calls: Syscalls, { call, args }: Step, resolve: (argument: Argument) => Argument): Returned {
  const a = args.map(resolve);
  const n = (index: number): number => a[index] as number;
  const name = (index: number): { address: NonNullable<ReturnType<typeof parseIp>>; port: number } => ({
    address: parseIp(String(a[index])) ?? fail(`${a[index]} is no address`),
    port: n(index + 1),
  });
  const table: Record<string, () => Returned> = {
    socket: () => calls.socket(n(0), n(1), n(2)),
    bind: () => calls.bind(n(0), name(1)),
    connect: () => calls.connect(n(0), name(1)) as Call<number | object>,
    disconnect: () => calls.connect(n(0), undefined) as Call<number | object>,
    listen: () => calls.listen(n(0), n(1)),
    accept: () => calls.accept(n(0), n(1)) as Call<number | object>,
    shutdown: () => calls.shutdown(n(0), n(1)),
    dup: () => calls.dup(n(0)),
    close: () => calls.close(n(0)) as Call<number | object>,
    fcntl: () => calls.fcntl(n(0), n(1), n(2)),
    ioctl: () => calls.ioctl(n(0), n(1)),
    send: () => calls.send(n(0), new Uint8Array(n(1)), n(2)) as Call<number | object>,
    sendto: () => calls.sendto(n(0), new Uint8Array(n(1)), n(2), name(3)) as Call<number | object>,
    recv: () => calls.recv(n(0), new Uint8Array(n(1)), n(2)) as Call<number | object>,
    setint: () => calls.setsockopt(n(0), n(1), n(2), n(3), a.length > 4 ? n(4) : undefined),
    setlinger: () => calls.setsockopt(n(0), 1, 13, { onoff: n(1), linger: n(2) }),
    settime: () => calls.setsockopt(n(0), 1, n(1), { tv_sec: n(2), tv_usec: n(3) }),
    setstring: () => calls.setsockopt(n(0), n(1), n(2), String(a[3])),
    getint: () => option(calls.getsockopt(n(0), n(1), n(2)), ({ value }) => (typeof value === "number" ? value | 0 : firstField(value))),
    getstring: () =>
      option(calls.getsockopt(n(0), n(1), n(2)), ({ value }) =>
        typeof value === "string" ? value : String.fromCharCode(...(value as Uint8Array)),
      ),
    getlength: () => option(calls.getsockopt(n(0), n(1), n(2)), ({ length }) => length),
    poll: () => {
      const fd = { fd: n(0), events: n(1), revents: 0 };
      calls.poll([fd], 0);
      return fd.revents;
    },
    epoll_create1: () => calls.epoll_create1(n(0)),
    epoll_ctl: () => calls.epoll_ctl(n(0), n(1), n(2), a.length < 4 ? undefined : { events: n(3), data: 7 }),
    epoll_wait: () => calls.epoll_wait(n(0), n(1), 0) as Call<number | object>,
    getsockname: () => shown(calls.getsockname(n(0))),
    getpeername: () => shown(calls.getpeername(n(0))),
  };
  return (table[call] ?? fail(`no call ${call}`))();
}

function shown(name: ReturnType<Syscalls["getsockname"]>): Answer {
  return typeof name === "string" ? name : `${formatIp(name.address)} ${name.port >= 32768 ? "ephemeral" : name.port}`;
}

function option(got: GotOption | Errno, show: (got: GotOption) => Answer): Answer {
  return typeof got === "string" ? got : show(got);
}

/** What stands in the first four octets of a structure. */
function firstField(value: GotOption["value"]): number {
  return value instanceof Uint8Array ? (value[0] ?? 0) : Number(Object.values(value)[0]);
}

function fail(message: string): never {
  throw new Error(message);
}
