// Where the time goes: V8's sampling profiler around a piece of work, folded by package and by function.
import { type Profiler, type Runtime, Session } from "node:inspector";

/** Time between two looks at the stack, in µs. */
const SAMPLING_INTERVAL = 200;
const FUNCTIONS_LISTED = 25;
/** Waiting for the event loop, and the profiler's own work. */
const NOT_WORK: ReadonlySet<string> = new Set(["(idle)", "dispatch"]);

export interface Share {
  readonly name: string;
  /** Part of the whole, 0 to 1. */
  readonly share: number;
}

/** Self time, idle time left out. Both lists begin with the largest share. */
export interface CpuProfile {
  readonly byPackage: readonly Share[];
  readonly byFunction: readonly Share[];
}

export async function profile(work: () => Promise<void>): Promise<CpuProfile> {
  const session = new Session();
  session.connect();
  try {
    await command(session, "Profiler.enable");
    await command(session, "Profiler.setSamplingInterval", { interval: SAMPLING_INTERVAL });
    await command(session, "Profiler.start");
    await work();
    return foldProfile((await command(session, "Profiler.stop")).profile);
  } finally {
    session.disconnect();
  }
}

// The signature of Session.post is overloaded by method, which a promise cannot be wrapped around.
function command(session: Session, method: string, parameters: object = {}): Promise<Profiler.StopReturnType> {
  return new Promise((resolve, reject) => {
    session.post(method, parameters, (error: Error | null, result: unknown) => {
      if (error === null) resolve(result as Profiler.StopReturnType);
      else reject(error);
    });
  });
}

/** Each look at the stack counts for the function on top of it, whose time it is. */
export function foldProfile(profile: Pick<Profiler.Profile, "nodes" | "samples" | "timeDeltas">): CpuProfile {
  const { nodes, samples = [], timeDeltas = [] } = profile;
  const frames = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || NOT_WORK.has(frame.functionName)) continue;
    const time = timeDeltas[index];
    total += time;
    const room = packageOf(frame.url, frame.functionName);
    add(packages, room, time);
    add(functions, `${room}: ${frame.functionName || "(anonymous)"}${placeOf(frame)}`, time);
  }
  return { byPackage: shares(packages, total), byFunction: shares(functions, total).slice(0, FUNCTIONS_LISTED) };
}

function placeOf({ url, lineNumber }: Runtime.CallFrame): string {
  // The profiler counts lines from 0, people from 1.
  return url === "" || url.startsWith("node:") ? "" : ` ${url.slice(url.lastIndexOf("/") + 1)}:${lineNumber + 1}`;
}

/** Which package of ours, or what else, a function belongs to. */
export function packageOf(url: string, functionName: string): string {
  const ours = /\/(packages|tools)\/([^/]+)\/(?:dist|src)\//.exec(url);
  if (ours !== null) return ours[2];
  if (functionName === "(garbage collector)") return "garbage collector";
  if (url.startsWith("node:")) return "node";
  // Built-in functions and what the engine and the kernel do for them have no file.
  return url === "" ? "engine and kernel" : "other";
}

function add(times: Map<string, number>, name: string, time: number): void {
  times.set(name, (times.get(name) ?? 0) + time);
}

function shares(times: ReadonlyMap<string, number>, total: number): Share[] {
  return [...times].map(([name, time]) => ({ name, share: time / total })).sort((a, b) => b.share - a.share);
}
