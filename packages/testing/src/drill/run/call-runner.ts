// System calls of a script: made, waited for, judged.
import { Call, type Errno, errnoNumber } from "@netstrata/socket";
import { CALLS } from "../calls/call-table.ts";
import type { CallWorld, MadeCall } from "../calls/call-world.ts";
import { describe, numberOf, Operands } from "../calls/operands.ts";
import type { CallAction } from "../language/expression.ts";
import type { ScriptEvent } from "../language/script.ts";
import { type Difference, DrillStop, unsupported } from "./drill-report.ts";
import { formatTime, type Ladder } from "./ladder.ts";
import { timeDifference } from "./outbound.ts";
import type { RunClock } from "./run-clock.ts";

/** A call that was made, and what the script says of it. */
interface Pending {
  readonly event: ScriptEvent;
  readonly action: CallAction;
  readonly made: MadeCall;
  readonly call: Call<number | object>;
  /** When it has to return: the event's own time for a call that must not block. In ms. */
  readonly end: number;
  readonly tolerance: number;
  returned: number | undefined;
}

export class CallRunner {
  private readonly world: () => CallWorld;
  private readonly clock: RunClock;
  private readonly ladder: Ladder;
  private pending: Pending | undefined;

  constructor(world: () => CallWorld, clock: RunClock, ladder: Ladder) {
    this.world = world;
    this.clock = clock;
    this.ladder = ladder;
  }

  /** The event whose call is under way. */
  get event(): ScriptEvent | undefined {
    return this.pending?.event;
  }

  /**
   * Makes a call. One that may block goes on beside the events behind it.
   * @param start the event's time, and what the script's end of the call counts from, in ms
   * @throws DrillStop
   */
  make(action: CallAction, event: ScriptEvent, start: number, base: number, tolerance: number): DrillStop | undefined {
    const caller = CALLS.get(action.name);
    if (caller === undefined) throw unsupported(`the call ${action.name}`);
    const made = caller(new Operands(action), this.world());
    if (typeof made === "string") throw unsupported(made);
    const call = made.call instanceof Call ? made.call : new Call<number | object>(made.call as number | Errno);
    const end = action.end === undefined ? start : base + action.end;
    const pending: Pending = { event, action, made, call, end, tolerance, returned: undefined };
    call.onSettled(() => {
      pending.returned = this.clock.now;
      this.took(pending);
    });
    this.pending = pending;
    return action.end === undefined ? this.finish() : undefined;
  }

  /** Waits until the call that is under way has returned: it is late when it has not within the tolerance. */
  finish(): DrillStop | undefined {
    const { pending } = this;
    if (pending === undefined) return undefined;
    while (pending.call.isWaiting && this.clock.stepUntil(pending.end + pending.tolerance)) {}
    const stop = this.judge(pending);
    if (stop === undefined) this.pending = undefined;
    return stop;
  }

  /** What went wrong was told, and the script goes on all the same. */
  forget(): void {
    this.pending = undefined;
  }

  /** A descriptor may be another number in truth; the script's own counts from the moment on at which the call returns. */
  private took({ made, action, call }: Pending): void {
    const { outcome } = call;
    if (outcome === undefined || typeof outcome === "string" || made.descriptor === undefined || action.result === undefined) return;
    const expected = numberOf(action.result, action.name);
    if (expected >= 0) this.world().descriptors.set(expected, made.descriptor(outcome));
  }

  private judge({ action, made, call, end, tolerance, returned }: Pending): DrillStop | undefined {
    const { outcome } = call;
    if (outcome === undefined || returned === undefined) {
      call.interrupt();
      const what = action.end === undefined ? "the call blocks" : `the call did not return by ${formatTime(end + tolerance)} s`;
      return new DrillStop("fail", what, { expected: describeResult(action), seen: "nothing" });
    }
    const result = typeof outcome === "string" ? -1 : resultOf(made, outcome, action);
    const seen = typeof outcome === "string" ? `-1 ${outcome}` : String(result);
    this.ladder.add(returned, "=", `${action.name}(${action.operands.map(describe).join(", ")}) = ${seen}`);
    const differences = [...compareResult(action, outcome, result), ...timeDifference({ from: end, to: end }, returned, tolerance)];
    if (typeof outcome !== "string") differences.push(...(made.check?.(outcome) ?? []));
    if (differences.length === 0) return undefined;
    const message = `${action.name} did not do what was expected: ${differences.map(({ field }) => field).join(", ")}`;
    return new DrillStop("fail", message, { differences, expected: describeResult(action), seen });
  }
}

function resultOf(made: MadeCall, outcome: number | object, action: CallAction): number {
  if (made.descriptor === undefined) return made.result?.(outcome) ?? (outcome as number);
  const expected = action.result === undefined ? -1 : numberOf(action.result, action.name);
  return expected >= 0 ? expected : made.descriptor(outcome);
}

function compareResult(action: CallAction, outcome: number | object | Errno, result: number): Difference[] {
  if (action.result === undefined) return [];
  const expected = numberOf(action.result, action.name);
  if (typeof outcome === "string") {
    const isSame = expected === -1 && (action.errno === undefined || canonical(action.errno) === canonical(outcome));
    return isSame ? [] : [{ field: "result", expected: describeResult(action), seen: `-1 ${outcome} (${errnoNumber(outcome)})` }];
  }
  if (result === expected && action.errno === undefined) return [];
  return [{ field: "result", expected: describeResult(action), seen: String(result) }];
}

function describeResult({ result, errno }: CallAction): string {
  return [result === undefined ? "?" : describe(result), errno ?? ""].join(" ").trim();
}

/** Names for the same number. */
const SAME_ERRNO: Readonly<Record<string, string>> = { EWOULDBLOCK: "EAGAIN", ENOTSUP: "EOPNOTSUPP" };

function canonical(errno: string): string {
  return SAME_ERRNO[errno] ?? errno;
}
