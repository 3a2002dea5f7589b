// One run of a script: its events in the order of time, each at its time, on a virtual clock.
import type { VirtualClock } from "@netstrata/core";
import { Call, type Errno, errnoNumber } from "@netstrata/socket";
import type { Endpoint } from "@netstrata/transport";
import { CALLS } from "../calls/call-table.ts";
import type { CallWorld, MadeCall } from "../calls/call-world.ts";
import { describe, numberOf, Operands } from "../calls/operands.ts";
import { runCode } from "../code/code-block.ts";
import { CodeFailure, UnsupportedCode } from "../code/code-value.ts";
import type { CommandWorld, ConnectionLine } from "../command/command-world.ts";
import { runCommand, runScript } from "../command/run-command.ts";
import { createSettings, type Settings } from "../command/settings.ts";
import type { CallAction } from "../language/expression.ts";
import type { PacketAction } from "../language/packet.ts";
import type { CodeAction, CommandAction, Script, ScriptEvent } from "../language/script.ts";
import { describeExpected, describeLive } from "./compare-packet.ts";
import type { DrillOptions, RunSettings } from "./drill-options.ts";
import { type Difference, DrillStop, unsupported } from "./drill-report.ts";
import { FlowTable } from "./flow-table.ts";
import { inboundPacket } from "./inbound.ts";
import { formatTime, Ladder } from "./ladder.ts";
import { linuxCounters } from "./linux-counters.ts";
import { expectPacket, type OutboundWorld, timeDifference } from "./outbound.ts";
import { StackUnderTest, sinceStart, startClock, toClock } from "./stack-under-test.ts";
import { TcpInfoScope } from "./tcp-info-scope.ts";

/** How long a `*` is waited for, and how far a late packet is looked for to say when it came. In ms. */
const LONGEST_WAIT = 3_600_000;
/** Timers that may run between two events: more is a stack that never rests. */
export const MAX_TIMERS = 2_000_000;

/** A system call that has not returned yet, and what the script says of it. */
interface Pending {
  readonly event: ScriptEvent;
  readonly action: CallAction;
  readonly made: MadeCall;
  readonly call: Call<number | object>;
  /** When it has to return: the event's own time for a call that must not block. */
  readonly end: number;
  returned: number | undefined;
}

export class DrillRun implements OutboundWorld {
  readonly ladder: Ladder = new Ladder();
  readonly flows: FlowTable;
  readonly run: RunSettings;
  readonly scope: TcpInfoScope;
  /** The event that is being carried out, for the report. */
  event: ScriptEvent | undefined;
  private readonly clock: VirtualClock = startClock();
  private readonly settings: Settings;
  private readonly options: DrillOptions;
  private readonly descriptors: Map<number, number> = new Map();
  private readonly script: Script;
  private stack: StackUnderTest | undefined;
  /** The script's time of the event before, from which relative times count. */
  private last = 0;
  private pending: Pending | undefined;
  private timers = 0;

  constructor(script: Script, run: RunSettings, options: DrillOptions, definitions: ReadonlyMap<string, string>) {
    this.script = script;
    this.run = run;
    this.options = options;
    this.settings = createSettings(run.personality, run.mtu);
    this.flows = new FlowTable({
      local: run.localAddress,
      remote: run.remoteAddress,
      bindPort: run.bindPort,
      connectPort: run.connectPort,
    });
    this.scope = new TcpInfoScope(() => this.tcpInfo(), definitions);
  }

  get now(): number {
    return sinceStart(this.clock);
  }

  get device(): StackUnderTest["device"] {
    return this.underTest.device;
  }

  /** @throws DrillStop at the first event that does not go as the script says */
  play(): void {
    const world = this.commandWorld();
    for (const path of this.run.initScripts) this.requireSuccess(runScript(path, world), path);
    for (const command of this.script.preparations) this.command(command);
    for (const event of this.script.events) {
      this.event = event;
      this.timers = 0;
      this.playEvent(event);
      // Whoever was woken by it runs at the same time.
      this.settle();
    }
    this.timers = 0;
    if (this.pending !== undefined) this.awaitPending();
  }

  async close(): Promise<void> {
    await this.stack?.close();
  }

  runUntilPacket(limit: number): boolean {
    const { waiting } = this.device;
    const before = waiting.length;
    while (waiting.length === before) if (!this.stepUntil(limit)) return false;
    return true;
  }

  toScriptTime(live: number): number {
    return live - toClock(0);
  }

  private get underTest(): StackUnderTest {
    this.stack ??= new StackUnderTest(this.run, this.settings, this.options.seed ?? 1, this.clock, this.options.tcp ?? {});
    return this.stack;
  }

  private playEvent(event: ScriptEvent): void {
    const { time, action } = event;
    const base = time.kind === "relative" ? this.last : 0;
    const [from, to] = [base + time.from, base + time.to];
    if (action.kind === "packet" && action.direction === "out") {
      this.outbound(action, event, from, to);
      return;
    }
    if (time.kind === "any") throw new DrillStop("error", "only packets that come out may come at any time");
    // A moment of a range: the earliest.
    this.moveTo(from);
    this.last = from;
    if (action.kind === "packet") this.inbound(action);
    else if (action.kind === "call") this.call(action, event, base);
    else if (action.kind === "command") this.command(action);
    else this.code(action);
  }

  /** Runs what is due before `time`, and stands there. A time that has passed is now. */
  private moveTo(time: number): void {
    const live = toClock(time);
    while ((this.clock.next() ?? Number.POSITIVE_INFINITY) < live) this.step();
    this.clock.runBefore(live);
  }

  /** Runs what is due now: threads that were woken. */
  private settle(): void {
    while ((this.clock.next() ?? Number.POSITIVE_INFINITY) <= this.clock.now()) this.step();
  }

  private step(): void {
    this.timers += 1;
    if (this.timers > MAX_TIMERS) throw new DrillStop("fail", `the stack never rests: ${MAX_TIMERS} timers between two events`);
    this.clock.step();
  }

  private stepUntil(limit: number): boolean {
    const next = this.clock.next();
    if (next === undefined || next > toClock(limit)) return false;
    this.step();
    return true;
  }

  private tolerance(to: number): number {
    const share = Number.isFinite(to) ? (to - this.last) * this.run.tolerancePart : 0;
    return Math.max(this.run.tolerance, share);
  }

  private inbound(action: PacketAction): void {
    if (action.unsupported !== undefined) throw unsupported(action.unsupported);
    const { device } = this.underTest;
    const flow = this.flows.inbound(action);
    this.ladder.add(this.now, "<", describeExpected(action));
    device.inject(inboundPacket(action, flow));
  }

  private outbound(action: PacketAction, event: ScriptEvent, from: number, to: number): void {
    if (action.unsupported !== undefined) throw unsupported(action.unsupported);
    const isAny = event.time.kind === "any";
    const tolerance = this.tolerance(to);
    const limit = isAny ? this.now + LONGEST_WAIT : to + tolerance;
    const seen = expectPacket(action, limit, this);
    const expected = describeExpected(action);
    if (seen === undefined) {
      this.nonFatal(this.run.nonFatalPackets, this.missing(action, expected, limit), to);
      return;
    }
    const time = this.toScriptTime(seen.live.time);
    this.ladder.add(time, ">", seen.text);
    const differences = [...seen.differences, ...(isAny ? [] : timeDifference({ from, to }, time, tolerance))];
    this.last = isAny || from !== to ? time : from;
    if (differences.length === 0) return;
    const message = `the packet that came out is not the one expected: ${differences.map(({ field }) => field).join(", ")}`;
    this.nonFatal(this.run.nonFatalPackets, new DrillStop("fail", message, { differences, expected, seen: seen.text }), this.last);
  }

  /** Nothing came in time: says what comes later, if anything does. */
  private missing(action: PacketAction, expected: string, limit: number): DrillStop {
    const by = `by ${formatTime(limit)} s`;
    this.timers = 0;
    let later: ReturnType<typeof expectPacket>;
    try {
      later = expectPacket(action, limit + LONGEST_WAIT, this);
    } catch {
      later = undefined;
    }
    if (later === undefined) return new DrillStop("fail", `no packet came out ${by}`, { expected, seen: "nothing" });
    const time = this.toScriptTime(later.live.time);
    this.ladder.add(time, "!", describeLive(later.live, later.flow));
    const differences = [{ field: "time", expected: by, seen: `${formatTime(time)} s` }, ...later.differences];
    return new DrillStop("fail", `no packet came out ${by}; the next came at ${formatTime(time)} s`, {
      differences,
      expected,
      seen: later.text,
    });
  }

  /** `--non_fatal`: noted, and the script goes on. */
  private nonFatal(isForgiven: boolean, stop: DrillStop, time: number): void {
    if (!isForgiven || stop.outcome !== "fail") throw stop;
    this.ladder.add(time, "!", stop.message);
    this.last = Math.max(this.last, Number.isFinite(time) ? time : this.last);
  }

  // System calls

  private call(action: CallAction, event: ScriptEvent, base: number): void {
    if (this.pending !== undefined) this.awaitPending();
    const caller = CALLS.get(action.name);
    if (caller === undefined) throw unsupported(`the call ${action.name}`);
    const made = caller(new Operands(action), this.callWorld());
    if (typeof made === "string") throw unsupported(made);
    const call = made.call instanceof Call ? made.call : new Call<number | object>(made.call as number | Errno);
    const end = action.end === undefined ? this.last : base + action.end;
    const pending: Pending = { event, action, made, call, end, returned: undefined };
    call.onSettled(() => {
      pending.returned = this.now;
    });
    this.pending = pending;
    if (action.end === undefined) this.awaitPending();
  }

  /** Until the call that is under way has returned: it is late when it has not within the tolerance. */
  private awaitPending(): void {
    const { pending } = this;
    if (pending === undefined) return;
    const tolerance = Math.max(this.run.tolerance, (pending.end - this.last) * this.run.tolerancePart);
    while (pending.call.isWaiting && this.stepUntil(pending.end + tolerance)) {}
    this.pending = undefined;
    const before = this.event;
    this.event = pending.event;
    const stop = this.judge(pending, tolerance);
    if (stop !== undefined) this.nonFatal(this.run.nonFatalCalls, stop, this.last);
    this.event = before;
  }

  private judge(pending: Pending, tolerance: number): DrillStop | undefined {
    const { action, made, call, end, returned } = pending;
    const { outcome } = call;
    if (outcome === undefined || returned === undefined) {
      call.interrupt();
      const what = action.end === undefined ? "the call blocks" : `the call did not return by ${formatTime(end + tolerance)} s`;
      return new DrillStop("fail", what, { expected: describeResult(action), seen: "nothing" });
    }
    const seen = typeof outcome === "string" ? `-1 ${outcome}` : String(this.resultOf(made, outcome, action));
    this.ladder.add(returned, "=", `${pending.event.text.replace(/\s+/g, " ")} → ${seen}`);
    const differences = [...this.compareResult(action, made, outcome), ...timeDifference({ from: end, to: end }, returned, tolerance)];
    if (typeof outcome !== "string") differences.push(...(made.check?.(outcome) ?? []));
    if (differences.length === 0) return undefined;
    const message = `${action.name} did not do what was expected: ${differences.map(({ field }) => field).join(", ")}`;
    return new DrillStop("fail", message, { differences, expected: describeResult(action), seen });
  }

  private compareResult(action: CallAction, made: MadeCall, outcome: number | object | Errno): Difference[] {
    if (action.result === undefined) return [];
    const expected = numberOf(action.result, action.name);
    const wanted = { field: "result", expected: describeResult(action) };
    if (typeof outcome === "string") {
      const isSame = expected === -1 && (action.errno === undefined || canonical(action.errno) === canonical(outcome));
      return isSame ? [] : [{ ...wanted, seen: `-1 ${outcome} (${errnoNumber(outcome)})` }];
    }
    // A descriptor may be another number in truth; the script's own counts from now on.
    if (made.descriptor !== undefined && expected >= 0) {
      this.descriptors.set(expected, made.descriptor(outcome));
      return [];
    }
    const result = this.resultOf(made, outcome, action);
    return result === expected && action.errno === undefined ? [] : [{ ...wanted, seen: String(result) }];
  }

  private resultOf(made: MadeCall, outcome: number | object, action: CallAction): number {
    if (made.descriptor !== undefined && action.result !== undefined) return numberOf(action.result, action.name);
    return made.result?.(outcome) ?? (outcome as number);
  }

  private callWorld(): CallWorld {
    const { run } = this;
    return {
      syscalls: this.underTest.stack.syscalls,
      flows: this.flows,
      ipVersion: run.ipVersion,
      descriptors: this.descriptors,
      localEnd: { address: run.localAddress, port: run.bindPort },
      remoteEnd: { address: run.remoteAddress, port: run.connectPort },
      sleep: (duration) => this.sleep(duration),
    };
  }

  // Commands and code

  private command({ text }: CommandAction): void {
    this.ladder.add(this.now, "`", text.trim().replace(/\s+/g, " "));
    this.requireSuccess(runCommand(text, this.commandWorld()), text);
  }

  private requireSuccess(result: ReturnType<typeof runCommand>, text: string): void {
    if (typeof result === "string") throw unsupported(result);
    if (result.status !== 0) throw new DrillStop("fail", `the command failed with status ${result.status}: ${text.trim()}`);
  }

  private sleep(duration: number): void {
    this.moveTo(this.now + duration);
    this.last = Math.max(this.last, this.now);
  }

  private commandWorld(): CommandWorld {
    return {
      settings: this.settings,
      readFile: this.options.readFile ?? ((): undefined => undefined),
      optionsChanged: (changes) => this.stack?.stack.layers.tcp.changeDefaults({ ...changes, ...this.options.tcp }),
      mtuChanged: (mtu) => {
        if (this.stack !== undefined && mtu !== this.stack.device.mtu) throw unsupported("another MTU while the stack runs");
      },
      sleep: (duration) => this.sleep(duration),
      connections: () => this.connections(),
      drop: (local, remote) => this.drop(local, remote),
      counters: () => linuxCounters(this.underTest.stack.layers),
    };
  }

  private connections(): readonly ConnectionLine[] {
    const ports = new Set([this.run.bindPort, ...this.flows.flows.map(({ local }) => local.port)]);
    return this.underTest.connections(ports);
  }

  /** Without ends: all of them. */
  private drop(local: Endpoint | undefined, remote: Endpoint | undefined): boolean {
    const found = this.flows.flows
      .filter((flow) => local === undefined || remote === undefined || (flow.local.port === local.port && flow.remote.port === remote.port))
      .map((flow) => this.underTest.connection(flow.local, flow.remote))
      .filter((connection) => connection !== undefined);
    for (const connection of found) connection.abort();
    return found.length > 0;
  }

  private code({ text }: CodeAction): void {
    try {
      runCode(text, this.scope);
    } catch (error) {
      if (error instanceof UnsupportedCode) throw unsupported(error.message);
      if (error instanceof CodeFailure) throw new DrillStop("fail", error.message);
      throw error;
    }
  }

  private tcpInfo(): Readonly<Record<string, unknown>> | undefined {
    const flow = this.flows.current ?? this.flows.flows[0];
    const held = flow?.descriptor === undefined ? undefined : this.underTest.stack.syscalls.connectionOf(flow.descriptor);
    const connection = held ?? (flow === undefined ? undefined : this.underTest.connection(flow.local, flow.remote));
    return (connection as { tcpInfo?(): Readonly<Record<string, unknown>> } | undefined)?.tcpInfo?.();
  }
}

function describeResult({ result, errno }: CallAction): string {
  return [result === undefined ? "?" : describe(result), errno ?? ""].join(" ").trim();
}

/** Names for the same number. */
const SAME_ERRNO: Readonly<Record<string, string>> = { EWOULDBLOCK: "EAGAIN", ENOTSUP: "EOPNOTSUPP" };

function canonical(errno: string): string {
  return SAME_ERRNO[errno] ?? errno;
}
