// What has happened so far, a line each.

/** Lines kept; the oldest go. */
export const MAX_LADDER_LINES = 1000;

export class Ladder {
  readonly lines: string[] = [];

  /** @param mark `<` in, `>` out, `=` a call, `!` what went wrong */
  add(time: number, mark: string, text: string): void {
    if (this.lines.length >= MAX_LADDER_LINES) this.lines.shift();
    this.lines.push(`${formatTime(time).padStart(12)} ${mark} ${text}`);
  }
}

/** Seconds to the microsecond, as scripts have them. */
export function formatTime(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(6);
}
