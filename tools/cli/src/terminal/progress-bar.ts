// A bar for work that takes long: on a terminal only, drawn again in place, gone when the work is done.
import type { Output } from "./output.ts";

/** Nobody wants to see a bar for work that is done before it can be read. */
const SHOW_AFTER = 500;
const REDRAW_EVERY = 100;

export class ProgressBar {
  private readonly output: Output;
  private readonly label: string;
  private readonly total: number;
  private readonly started: number = performance.now();
  private drawn = 0;

  /** @param total what `update` comes to in the end */
  constructor(output: Output, label: string, total: number) {
    this.output = output;
    this.label = label;
    this.total = total;
  }

  update(done: number): void {
    const now = performance.now();
    if (!this.output.isTTY || now - this.started < SHOW_AFTER || now - this.drawn < REDRAW_EVERY) return;
    this.drawn = now;
    const share = this.total === 0 ? 1 : Math.min(1, done / this.total);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const width = Math.max(10, Math.min(40, this.output.columns - this.label.length - percent.length - 6));
    const filled = Math.round(share * width);
    this.output.write(`\r${this.label} [${"=".repeat(filled)}${" ".repeat(width - filled)}]${percent}`);
  }

  /** Wipes the bar away. */
  close(): void {
    if (this.drawn > 0) this.output.write("\r\x1b[K");
  }
}
