// The process of one contender: started by `separate-process.ts` with a subject's name and a role.
import type { Role } from "./contender.ts";
import { openInSameProcess } from "./same-process.ts";
import type { StageAnswer, StageRequest } from "./separate-process.ts";
import { findSubject } from "./subjects.ts";

const answer = (message: StageAnswer): void => void process.send?.(message);
const explain = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

try {
  const [name, role] = process.argv.slice(2);
  const stage = await openInSameProcess(findSubject(name), role as Role);
  process.on("message", async (request: StageRequest) => {
    try {
      const value = request.call === "warmUp" ? stage.warmUp(request.argument) : stage[request.call](request.argument);
      answer({ value: await value });
    } catch (error) {
      answer({ error: explain(error) });
    }
  });
  process.on("disconnect", async () => {
    await stage.close();
    // Whatever a contender may have left open, its process is over.
    process.exit();
  });
  answer({ value: undefined });
} catch (error) {
  answer({ error: explain(error) });
  process.exitCode = 1;
}
