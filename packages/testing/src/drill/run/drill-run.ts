// One run of a script: its events in the order of time, each at its time, on a virtual clock.
import { type IpAddress, isIpv4, mappedFromIpv4 } from "@netstrata/core";
import { constants } from "@netstrata/socket";
import type { Endpoint } from "@netstrata/transport";
import type { CallWorld } from "../calls/call-world.ts";
import { runCode } from "../code/code-block.ts";
import { CodeFailure, UnsupportedCode } from "../code/code-value.ts";
import { runCommand, runScript } from "../command/run-command.ts";
import { createSettings, type Settings } from "../command/settings.ts";
import type { PacketAction } from "../language/packet.ts";
import type { CodeAction, CommandAction, Script, ScriptEvent } from "../language/script.ts";
import { CallRunner } from "./call-runner.ts";
import { CommandHost } from "./command-host.ts";
import { describeExpected, describeLive } from "./compare-packet.ts";
import type { DrillOptions, RunSettings } from "./drill-options.ts";
import { DrillStop, unsupported } from "./drill-report.ts";
import { FlowTable } from "./flow-table.ts";
import { inboundPacket } from "./inbound.ts";
import { formatTime, Ladder } from "./ladder.ts";
import { expectPacket, type OutboundWorld, timeDifference } from "./outbound.ts";
import { RunClock } from "./run-clock.ts";
import { StackUnderTest } from "./stack-under-test.ts";
import { TcpInfoScope } from "./tcp-info-scope.ts";

/** How long a `*` is waited for, and how far a late packet is looked for to say when it came. In ms. */
const LONGEST_WAIT = 3_600_000;

export class DrillRun implements OutboundWorld {
  readonly ladder: Ladder = new Ladder();
  readonly clock: RunClock = new RunClock();
  readonly flows: FlowTable;
  readonly run: RunSettings;
  readonly scope: TcpInfoScope;
  /** The event that is being carried out, for the report. */
  event: ScriptEvent | undefined;
  private readonly script: Script;
  private readonly options: DrillOptions;
  private readonly settings: Settings;
  private readonly commands: CommandHost;
  private readonly calls: CallRunner;
  private readonly descriptors: Map<number, number> = new Map();
  private readonly deferred: Map<number, Endpoint> = new Map();
  private stack: StackUnderTest | undefined;

  constructor(script: Script, run: RunSettings, options: DrillOptions, definitions: ReadonlyMap<string, string>) {
    const { bindPort, connectPort, localAddress, remoteAddress } = run;
    this.script = script;
    this.run = run;
    this.options = options;
    this.settings = createSettings(run.personality, run.mtu);
    this.flows = new FlowTable({ local: localAddress, remote: remoteAddress, bindPort, connectPort });
    this.scope = new TcpInfoScope(() => this.tcpInfo(), definitions);
    this.calls = new CallRunner(() => this.callWorld(), this.clock, this.ladder);
    this.commands = new CommandHost({
      settings: this.settings,
      fixed: options.tcp ?? {},
      flows: this.flows,
      bindPort,
      readFile: options.readFile,
      running: () => this.stack,
      stack: () => this.underTest,
      sleep: (duration) => this.sleep(duration),
    });
  }

  get device(): StackUnderTest["device"] {
    return this.underTest.device;
  }

  /** @throws DrillStop at the first event that does not go as the script says */
  play(): void {
    for (const path of this.run.initScripts) this.requireSuccess(runScript(path, this.commands), path);
    for (const command of this.script.preparations) this.command(command);
    this.clock.begin();
    for (const event of this.script.events) {
      this.event = event;
      this.clock.restart();
      this.playEvent(event);
      // Whoever was woken by it runs at the same time.
      this.clock.settle();
    }
    this.clock.restart();
    this.finishCall();
  }

  async close(): Promise<void> {
    await this.stack?.close();
  }

  runUntilPacket(limit: number): boolean {
    const { waiting } = this.device;
    const before = waiting.length;
    while (waiting.length === before) if (!this.clock.stepUntil(limit)) return false;
    return true;
  }

  toScriptTime(live: number): number {
    return this.clock.toScript(live);
  }

  /** Made when the first event needs it: until then commands choose its options. */
  private get underTest(): StackUnderTest {
    this.stack ??= new StackUnderTest(this.run, this.settings, this.options.seed ?? 1, this.clock.virtual, this.options.tcp ?? {});
    return this.stack;
  }

  private playEvent(event: ScriptEvent): void {
    const { time, action } = event;
    // From when the event before came about, not from when it should have: a packet that is early takes what follows with it.
    const base = time.kind === "relative" ? this.clock.now : 0;
    const [from, to] = [base + time.from, base + time.to];
    if (action.kind === "packet" && action.direction === "out") {
      this.outbound(action, event, from, to);
      return;
    }
    if (time.kind === "any") throw new DrillStop("error", "only packets that come out may come at any time");
    const tolerance = this.tolerance(action.kind === "call" && action.end !== undefined ? base + action.end : to);
    // A moment of a range: the earliest.
    this.clock.moveTo(from);
    if (action.kind === "call") this.finishCall();
    if (action.kind === "packet") this.inbound(action);
    else if (action.kind === "call") this.judge(this.calls.make(action, event, from, base, tolerance));
    else if (action.kind === "command") this.command(action);
    else this.code(action);
  }

  private tolerance(to: number): number {
    const share = Number.isFinite(to) ? (to - this.clock.now) * this.run.tolerancePart : 0;
    return Math.max(this.run.tolerance, share);
  }

  private inbound(action: PacketAction): void {
    if (action.unsupported !== undefined) throw unsupported(action.unsupported);
    const { device } = this.underTest;
    const flow = this.flows.inbound(action);
    this.ladder.add(this.clock.now, "<", describeExpected(action));
    device.inject(inboundPacket(action, flow));
  }

  private outbound(action: PacketAction, event: ScriptEvent, from: number, to: number): void {
    if (action.unsupported !== undefined) throw unsupported(action.unsupported);
    const isAny = event.time.kind === "any";
    const tolerance = this.tolerance(to);
    const limit = isAny ? this.clock.now + LONGEST_WAIT : to + tolerance;
    const seen = expectPacket(action, limit, this);
    if (seen === undefined) {
      this.forgive(this.run.nonFatalPackets, this.missing(action, limit), to);
      return;
    }
    const time = this.toScriptTime(seen.live.time);
    this.ladder.add(time, ">", seen.text);
    const differences = [...seen.differences, ...(isAny ? [] : timeDifference({ from, to }, time, tolerance))];
    if (differences.length === 0) return;
    const message = `the packet that came out is not the one expected: ${differences.map(({ field }) => field).join(", ")}`;
    const stop = new DrillStop("fail", message, { differences, expected: describeExpected(action), seen: seen.text });
    this.forgive(this.run.nonFatalPackets, stop, time);
  }

  /** Nothing came in time: says what comes later, if anything does. */
  private missing(action: PacketAction, limit: number): DrillStop {
    const by = `by ${formatTime(limit)} s`;
    const expected = describeExpected(action);
    this.clock.restart();
    let later: ReturnType<typeof expectPacket>;
    try {
      later = expectPacket(action, limit + LONGEST_WAIT, this);
    } catch (error) {
      if (!(error instanceof DrillStop)) throw error;
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
  private forgive(isForgiven: boolean, stop: DrillStop, time: number): void {
    if (!isForgiven || stop.outcome !== "fail") throw stop;
    this.ladder.add(Number.isFinite(time) ? time : this.clock.now, "!", stop.message);
  }

  private finishCall(): void {
    const { event } = this;
    this.event = this.calls.event ?? event;
    this.judge(this.calls.finish());
    this.event = event;
  }

  private judge(stop: DrillStop | undefined): void {
    if (stop === undefined) return;
    this.calls.forget();
    this.forgive(this.run.nonFatalCalls, stop, this.clock.now);
  }

  private callWorld(): CallWorld {
    const { run } = this;
    return {
      syscalls: this.underTest.stack.syscalls,
      flows: this.flows,
      ipVersion: run.ipVersion,
      descriptors: this.descriptors,
      files: this.commands.files,
      deferred: this.deferred,
      localEnd: { address: this.seenByCalls(run.localAddress), port: run.bindPort },
      remoteEnd: { address: this.seenByCalls(run.remoteAddress), port: run.connectPort },
      toScriptTime: (live) => this.toScriptTime(live),
      tolerance: run.tolerance,
      sleep: (duration) => this.sleep(duration),
    };
  }

  /** On a socket of AF_INET6 that speaks IPv4 the calls have mapped addresses (RFC 3493 §3.7). */
  private seenByCalls(address: IpAddress): IpAddress {
    return this.run.ipVersion === "ipv4-mapped-ipv6" && isIpv4(address) ? mappedFromIpv4(address) : address;
  }

  private sleep(duration: number): void {
    this.clock.moveTo(this.clock.now + duration);
  }

  private command({ text }: CommandAction): void {
    this.ladder.add(this.clock.now, "$", text.trim().replace(/\s+/g, " "));
    this.requireSuccess(runCommand(text, this.commands), text);
  }

  private requireSuccess(result: ReturnType<typeof runCommand>, text: string): void {
    if (typeof result === "string") throw unsupported(result);
    if (result.status !== 0) throw new DrillStop("fail", `the command failed with status ${result.status}: ${text.trim()}`);
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

  /** TCP_INFO of the connection that the script is about, accepted or not. */
  private tcpInfo(): Readonly<Record<string, unknown>> | undefined {
    const flow = this.flows.current ?? this.flows.flows[0];
    if (flow === undefined) return undefined;
    const { syscalls } = this.underTest.stack;
    const held = flow.descriptor === undefined ? undefined : syscalls.getsockopt(flow.descriptor, constants.SOL_TCP, constants.TCP_INFO);
    const info = typeof held === "object" ? held.value : this.underTest.connection(flow.local, flow.remote)?.tcpInfo();
    return info as Readonly<Record<string, unknown>> | undefined;
  }
}
