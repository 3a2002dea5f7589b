import { expect, test } from "vitest";
import { compare, resultOf, type Stage } from "../src/comparison.ts";
import type { Role, Subject } from "../src/contender.ts";

const entrant = { title: "", open: () => ({ run: () => {}, close: () => {} }) };
const SUBJECT: Subject = {
  name: "example",
  work: { title: "example work", unit: "datagrams", quantum: 1 },
  subject: { ...entrant, title: "ours" },
  peer: { ...entrant, title: "theirs" },
};

/** Stages that write down what is asked of them; a sample of the subject takes 10 ms of wall time, one of the peer 40. */
function recordingStages(): { steps: string[]; openStage: (subject: Subject, role: Role) => Promise<Stage> } {
  const steps: string[] = [];
  const openStage = async (_subject: Subject, role: Role): Promise<Stage> => ({
    warmUp: async () => {
      steps.push(`warm up ${role}`);
      return role === "subject" ? 100 : 200;
    },
    sample: async (amount) => {
      steps.push(role);
      return { amount, wall: role === "subject" ? 10 : 40, cpu: 20 };
    },
    close: async () => void steps.push(`close ${role}`),
  });
  return { steps, openStage };
}

test("subject and peer take turns, after both are warm", async () => {
  const { steps, openStage } = recordingStages();
  await compare(SUBJECT, { rounds: 3, warmUpTime: 0, sampleTime: 0, openStage });
  const rounds = ["subject", "peer", "subject", "peer", "subject", "peer"];
  expect(steps).toEqual(["warm up subject", "warm up peer", ...rounds, "close subject", "close peer"]);
});

test("the ratio compares rates, not times", async () => {
  const { openStage } = recordingStages();
  const { ratio, cpuRatio, subject, peer } = await compare(SUBJECT, { rounds: 2, warmUpTime: 0, sampleTime: 0, openStage });
  expect(subject).toMatchObject({ title: "ours", rate: { median: 10_000 }, cpuRate: { median: 5_000 } });
  expect(peer).toMatchObject({ title: "theirs", rate: { median: 5_000 }, cpuRate: { median: 10_000 } });
  expect(ratio.median).toBe(2);
  expect(cpuRatio.median).toBe(0.5);
});

test("each sample is compared with the peer's of the same round, so that a slow machine is slow for both", () => {
  const samples = (walls: number[]) => walls.map((wall) => ({ amount: 1, wall, cpu: wall }));
  // In the third round everything takes ten times as long.
  const { ratio } = resultOf(SUBJECT, samples([1, 1, 10]), samples([3, 3, 30]));
  expect(ratio).toEqual({ median: 3, low: 3, high: 3 });
});

test("what was opened is closed when something fails", async () => {
  const { steps, openStage } = recordingStages();
  const failing = async (subject: Subject, role: Role): Promise<Stage> => {
    if (role === "peer") throw new Error("no peer today");
    return openStage(subject, role);
  };
  await expect(compare(SUBJECT, { rounds: 1, warmUpTime: 0, sampleTime: 0, openStage: failing })).rejects.toThrow("no peer today");
  expect(steps).toEqual(["close subject"]);
});
