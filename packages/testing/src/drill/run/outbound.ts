// A packet that the script expects: the next one that comes out of its connection has to be it.
import { ACK, FIN, PSH, SYN, URG } from "@netstrata/transport";
import type { PacketAction, TcpDescription } from "../language/packet.ts";
import type { LivePacket, LiveSegment } from "../wire/live-packet.ts";
import {
  compareDatagram,
  compareIp,
  compareMessage,
  compareSegment,
  describeExpected,
  describeLive,
  describeSeen,
  type SeenSegment,
  seenSegment,
} from "./compare-packet.ts";
import type { DrillDevice } from "./drill-device.ts";
import type { RunSettings } from "./drill-options.ts";
import { type Difference, DrillStop } from "./drill-report.ts";
import type { Flow } from "./flow.ts";
import type { FlowTable } from "./flow-table.ts";
import { formatTime } from "./ladder.ts";

/** What was taken off the device as the packet expected. */
export interface SeenPacket {
  readonly live: LivePacket;
  readonly flow: Flow | undefined;
  readonly text: string;
  readonly differences: readonly Difference[];
}

export interface OutboundWorld {
  readonly device: DrillDevice;
  readonly flows: FlowTable;
  readonly run: RunSettings;
  /** Runs the stack until one more packet has come out, or nothing more can until `limit`; false then. In the script's ms. */
  runUntilPacket(limit: number): boolean;
  toScriptTime(live: number): number;
}

/**
 * @param limit how long to wait for it
 * @returns undefined when nothing came
 * @throws DrillStop when another connection's packet came, or there is no connection
 */
export function expectPacket(action: PacketAction, limit: number, world: OutboundWorld): SeenPacket | undefined {
  const expected = world.flows.outbound(action);
  if (expected === undefined && action.body.protocol !== "icmp")
    throw new DrillStop("error", "there is no connection that this packet could be of");
  const live = nextPacket(action, expected, limit, world);
  if (live === undefined) return undefined;
  const flow = world.flows.ofLive(live);
  if (live.body?.protocol === "icmp" || action.body.protocol === "icmp") return seenMessage(action, live, flow);
  if (flow !== expected) {
    world.device.waiting.shift();
    throw new DrillStop("fail", "the packet that came out belongs to another connection", {
      expected: describeExpected(action),
      seen: describeLive(live, flow),
    });
  }
  if (action.body.protocol === "tcp" && live.body?.protocol === "tcp" && flow !== undefined) {
    flow.isConnecting = false;
    return seenTcp(action, action.body, live, live.body, flow, limit, world);
  }
  world.device.waiting.shift();
  const payload = live.body?.protocol === "udp" ? live.body.payload : new Uint8Array(0);
  const isSame = action.body.protocol === live.body?.protocol;
  const differences = isSame && action.body.protocol === "udp" ? compareDatagram(action.body, payload) : [otherProtocol(action, live)];
  return { live, flow, text: describeLive(live, flow), differences: [...compareIp(action.ip, live), ...differences] };
}

/** The first packet waiting that somebody asks about; what belongs to no connection of the script, or to another one that it has closed, is passed over. */
function nextPacket({ body }: PacketAction, expected: Flow | undefined, limit: number, world: OutboundWorld): LivePacket | undefined {
  const { waiting } = world.device;
  for (;;) {
    while (waiting.length > 0) {
      const [first] = waiting;
      const isMessage = first.body?.protocol === "icmp";
      const flow = world.flows.ofLive(first);
      const isOurs = flow !== undefined && (flow === expected || !flow.isClosed);
      if (isMessage ? body.protocol === "icmp" && isAsked(first) : isOurs) return first;
      waiting.shift();
    }
    if (!world.runUntilPacket(limit)) return undefined;
  }
}

/** Neighbour discovery and multicast listener reports (ICMPv6 130 to 143) are the stack's own affair. */
function isAsked({ version, body }: LivePacket): boolean {
  return body?.protocol === "icmp" && !(version === 6 && body.type >= 130 && body.type <= 143);
}

function seenMessage(action: PacketAction, live: LivePacket, flow: Flow | undefined): SeenPacket {
  const isSame = action.body.protocol === "icmp" && live.body?.protocol === "icmp";
  const differences = isSame && action.body.protocol === "icmp" ? compareMessage(action.body, live) : [otherProtocol(action, live)];
  return { live, flow, text: describeLive(live, flow), differences: [...compareIp(action.ip, live), ...differences] };
}

function otherProtocol(action: PacketAction, live: LivePacket): Difference {
  return { field: "protocol", expected: action.body.protocol, seen: live.body?.protocol ?? `IP protocol ${live.ip.protocol}` };
}

function seenTcp(
  action: PacketAction,
  body: TcpDescription,
  live: LivePacket,
  liveBody: LiveSegment,
  flow: Flow,
  limit: number,
  world: OutboundWorld,
): SeenPacket {
  const { flags, seq, ack } = liveBody.header;
  if ((flags & SYN) !== 0 && (body.flags & SYN) !== 0) flow.ownOpens(body.start, seq, (flags & ACK) === 0 ? undefined : ack);
  const whole = world.run.strictSegments ? seenSegment(liveBody, flow) : joined(body, live, liveBody, flow, limit, world);
  const seen = mapTimestamp(body, whole, flow);
  world.device.waiting.shift();
  if (!world.run.strictSegments) putBack(body, live, liveBody, seen, world);
  const part = world.run.strictSegments ? seen : cut(body, seen);
  const differences = [...compareIp(action.ip, live), ...compareSegment(body, part, world.run.strictOptions)];
  differences.push(...timestampDifference(body, whole, flow, world));
  return { live, flow, text: describeSeen(live, part), differences };
}

/** Our timestamp is taken as the script's; what it ought to be is asked only with `--tcp_ts_tick_usecs`. */
function mapTimestamp(body: TcpDescription, seen: SeenSegment, flow: Flow): SeenSegment {
  const wanted = body.options === "any" ? undefined : body.options.find((option) => option.kind === "TS");
  const found = seen.options.find((option) => option.kind === "TS");
  if (wanted?.kind !== "TS" || found?.kind !== "TS") return seen;
  flow.learnTimestamp(wanted.value, found.value);
  return { ...seen, options: seen.options.map((option) => (option === found ? { ...found, value: wanted.value } : option)) };
}

function timestampDifference(body: TcpDescription, seen: SeenSegment, flow: Flow, { run }: OutboundWorld): Difference[] {
  const wanted = body.options === "any" ? undefined : body.options.find((option) => option.kind === "TS");
  const found = seen.options.find((option) => option.kind === "TS");
  const first = flow.firstTimestamp;
  if (run.timestampTick === 0 || wanted?.kind !== "TS" || found?.kind !== "TS" || first === undefined) return [];
  const value = (first.script + found.value - first.live) >>> 0;
  const distance = Math.abs((value - wanted.value) | 0) * run.timestampTick;
  return distance <= run.tolerance ? [] : [{ field: "TS val", expected: String(wanted.value), seen: String(value) }];
}

/** Segments that follow each other without a gap, as long as the one expected is not complete (as segmentation offload would show them). */
function joined(body: TcpDescription, live: LivePacket, first: LiveSegment, flow: Flow, limit: number, world: OutboundWorld): SeenSegment {
  let seen = seenSegment(first, flow);
  const { waiting } = world.device;
  const mayGrow = seen.length > 0 && seen.start === body.start && (seen.flags & (SYN | URG)) === 0;
  while (mayGrow && seen.length < body.length) {
    if (waiting.length < 2 && !world.runUntilPacket(Math.min(limit, world.toScriptTime(live.time) + world.run.tolerance))) break;
    const next = waiting[1];
    if (next?.body?.protocol !== "tcp" || world.flows.ofLive(next) !== flow) break;
    const more = seenSegment(next.body, flow);
    const follows = more.start === (seen.start + seen.length) % 2 ** 32 && more.length > 0 && more.ack === seen.ack;
    if (!follows || seen.length + more.length > body.length || (seen.flags & FIN) !== 0) break;
    const payload = new Uint8Array(seen.payload.length + more.payload.length);
    payload.set(seen.payload);
    payload.set(more.payload, seen.payload.length);
    // PSH counts as the last of them has it.
    const flags = (seen.flags & ~PSH) | (more.flags & (PSH | FIN));
    seen = { ...seen, flags, length: seen.length + more.length, payload };
    waiting.splice(1, 1);
  }
  return seen;
}

/** What is longer than expected is looked at in parts. */
function cut(body: TcpDescription, seen: SeenSegment): SeenSegment {
  if (!isLonger(body, seen)) return seen;
  return { ...seen, flags: seen.flags & ~(PSH | FIN), length: body.length, payload: seen.payload.slice(0, body.length) };
}

function isLonger(body: TcpDescription, seen: SeenSegment): boolean {
  return body.length > 0 && seen.start === body.start && seen.length > body.length && (body.flags & (SYN | FIN | PSH)) === 0;
}

function putBack(
  body: TcpDescription,
  live: LivePacket,
  { header, options, payload }: LiveSegment,
  seen: SeenSegment,
  world: OutboundWorld,
): void {
  if (!isLonger(body, seen) || payload.length <= body.length) return;
  const rest = {
    protocol: "tcp" as const,
    header: { ...header, seq: (header.seq + body.length) >>> 0 },
    options,
    payload: payload.slice(body.length),
  };
  world.device.waiting.unshift({ ...live, body: rest });
}

/** @returns what is wrong with the time at which it came */
export function timeDifference(expected: { from: number; to: number }, seen: number, tolerance: number): Difference[] {
  if (seen >= expected.from - tolerance && seen <= expected.to + tolerance) return [];
  const wanted = expected.from === expected.to ? formatTime(expected.from) : `${formatTime(expected.from)} to ${formatTime(expected.to)}`;
  return [{ field: "time", expected: `${wanted} s, give or take ${formatTime(tolerance)} s`, seen: `${formatTime(seen)} s` }];
}
