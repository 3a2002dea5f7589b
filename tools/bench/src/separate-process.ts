// Each contender in a process of its own, so that neither lives with the other's garbage, compiled code and processor time.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Role, Subject } from "./contender.ts";
import type { CpuProfile } from "./cpu-profile.ts";
import type { ProfilingStage } from "./same-process.ts";
import type { Sample } from "./sample.ts";
import type { Durations } from "./warm-up.ts";

/** What the parent asks; the answer is the value of the stage's method of the same name. */
export type StageRequest =
  | { readonly call: "warmUp"; readonly argument: Durations }
  | { readonly call: "sample"; readonly argument: number }
  | { readonly call: "profile"; readonly argument: number };

export type StageAnswer = { readonly value: unknown } | { readonly error: string };

/** @param program whose contender: `stage-process.js` of this bench, or of another checkout's */
export async function openInSeparateProcess(
  subject: Subject,
  role: Role,
  program: URL = new URL("./stage-process.js", import.meta.url),
): Promise<ProfilingStage> {
  const child = fork(program, [subject.name, role], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ask = async <Value>(request: StageRequest): Promise<Value> => (await exchange(child, request)) as Value;
  await exchange(child, undefined);
  return {
    warmUp: ({ warmUpTime, sampleTime }) => ask<number>({ call: "warmUp", argument: { warmUpTime, sampleTime } }),
    sample: (argument) => ask<Sample>({ call: "sample", argument }),
    profile: (argument) => ask<CpuProfile>({ call: "profile", argument }),
    close: async () => {
      // The child ends by itself when nobody can ask it any more.
      if (child.connected) child.disconnect();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** Sends a request, if there is one, and waits for the next answer. */
function exchange(child: ChildProcess, request: StageRequest | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    const onMessage = (answer: StageAnswer): void => {
      settle();
      if ("error" in answer) reject(new Error(answer.error));
      else resolve(answer.value);
    };
    const onExit = (code: number | null): void => {
      settle();
      reject(new Error(`the contender's process ended with ${code}`));
    };
    child.on("message", onMessage);
    child.on("exit", onExit);
    if (request !== undefined) child.send(request);
  });
}
