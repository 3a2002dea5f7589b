// The page's program: performs, and sends what it found to where it came from.
import { type Findings, perform } from "./program.ts";

/** Of a page the first report counts. */
export type PageReport = { readonly findings: Findings } | { readonly error: string };

async function send(report: PageReport): Promise<void> {
  await fetch("report", { method: "POST", body: JSON.stringify(report) });
}

// Whatever nobody catches is the end, also deep inside a stack.
addEventListener("error", ({ message }) => void send({ error: message }));
addEventListener("unhandledrejection", ({ reason }: { readonly reason: unknown }) => {
  void send({ error: reason instanceof Error ? `${reason.message}\n${reason.stack}` : String(reason) });
});

async function run(): Promise<void> {
  const recording = await fetch("recording");
  const findings = await perform(recording.body!);
  // A turn for rejections that come last.
  await new Promise((resolve) => setTimeout(resolve));
  await send({ findings });
}

void run();
