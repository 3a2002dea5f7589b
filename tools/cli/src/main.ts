// The process around the command line.
import process from "node:process";
import { runCli } from "./cli.ts";
import { StreamOutput } from "./terminal/output.ts";

const stdout = new StreamOutput(process.stdout);
const stderr = new StreamOutput(process.stderr);
const controller = new AbortController();

/** The first signal asks for an orderly end, the second one gets it at once. */
function interrupt(signal: NodeJS.Signals): void {
  if (controller.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
  controller.abort(signal);
}

process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);

process.exitCode = await runCli(process.argv.slice(2), {
  stdout,
  stderr,
  stdin: process.stdin,
  environment: process.env,
  signal: controller.signal,
});
await Promise.all([stdout.flush(), stderr.flush()]);
// Whatever a command has left open must not keep the process: it is done.
process.exit();
