// The ladder as text of 100 columns: time and state of the client, the segment, state and time of the server.
import type { Milliseconds } from "@netstrata/core";
import type { Style } from "../terminal/style.ts";
import type { Ladder, LadderRow, LadderSegment } from "./ladder.ts";
import { type Origins, payloadText, segmentText } from "./segment-text.ts";

const TIME = 9;
const STATE = 12;
const WIDTH = 100;
/** Between the two states, with a space on both sides. */
const MIDDLE: number = WIDTH - 2 * (TIME + 1 + STATE) - 2;

export function renderLadder(ladder: Ladder, style: Style): string[] {
  const origins: Origins = { client: undefined, server: undefined };
  const title = `${pad("ms", TIME, "end")} ${pad("client", STATE)} ${" ".repeat(MIDDLE)} ${pad("server", STATE)} ${pad("ms", TIME, "end")}`;
  const start = `${" ".repeat(TIME)} ${pad("CLOSED", STATE)} ${" ".repeat(MIDDLE)} LISTEN`;
  return [style.bold(title), start, ...ladder.rows.flatMap((row) => renderRow(row, origins, style))];
}

function renderRow(row: LadderRow, origins: Origins, style: Style): string[] {
  if (row.kind === "note") return [style.dim(`${formatTime(row.time)} ${" ".repeat(STATE)} · ${row.text}`)];
  return [renderSegment(row, origins, style), ...remarks(row, style)];
}

function renderSegment(row: LadderSegment, origins: Origins, style: Style): string {
  const { fromClient, departs, arrives, senderState, receiverState = "" } = row;
  const [clientTime, serverTime] = fromClient ? [departs, arrives] : [arrives, departs];
  const [clientState, serverState] = fromClient ? [senderState, receiverState] : [receiverState, senderState];
  const arrow = renderArrow(segmentText(row, origins), row);
  const painted =
    row.lost !== undefined
      ? style.red(arrow)
      : row.again !== undefined
        ? style.yellow(arrow)
        : fromClient
          ? style.cyan(arrow)
          : style.green(arrow);
  return `${formatTime(clientTime)} ${pad(clientState, STATE)} ${painted} ${pad(serverState, STATE)} ${formatTime(serverTime)}`.trimEnd();
}

/** Two dashes and a space in front of the text, a space, a dash and the head behind it. */
const ARROW = 6;

/** `── <SEQ=0><CTL=SYN> ────────▶` toward the server, `◀─── <SEQ=0>… ──` toward the client, `✗` where it was lost. */
function renderArrow(whole: string, { fromClient, lost }: LadderSegment): string {
  const text = whole.length > MIDDLE - ARROW ? `${whole.slice(0, MIDDLE - ARROW - 1)}…` : whole;
  const line = MIDDLE - text.length - 5;
  const head = fromClient ? "▶" : "◀";
  if (lost !== undefined) {
    const half = Math.max(1, Math.floor(line / 2));
    const rest = " ".repeat(Math.max(0, line - half));
    return fromClient ? `── ${text} ${"─".repeat(half)}✗${rest}` : `${rest}✗${"─".repeat(half)} ${text} ──`;
  }
  const long = "─".repeat(Math.max(1, line));
  return fromClient ? `── ${text} ${long}${head}` : `${head}${long} ${text} ──`;
}

/** Lines below a segment that say what its numbers do not. */
function remarks(row: LadderSegment, style: Style): string[] {
  const lines: string[] = [];
  const line = payloadText(row);
  if (line !== undefined) lines.push(style.dim(`"${line}"`));
  if (row.timesToLive.length > 1 && row.payload.length === 0 && row.dissection.transport?.protocol === "tcp" && isFirst(row)) {
    lines.push(style.dim(`routers take one off the TTL: ${row.timesToLive.join(", ")}`));
  }
  if (row.again !== undefined) lines.push(style.yellow(`↻ sent again: ${row.again.reason.replace("-", " ")} (${row.again.clause})`));
  if (row.lost !== undefined) lines.push(style.red(`✗ lost between ${row.lost.join(" and ")}`));
  return lines.map((text) => `${" ".repeat(TIME + 1 + STATE + 4)}${text}`);
}

/** The SYN shows what happens to every packet. */
function isFirst({ dissection: { transport } }: LadderSegment): boolean {
  return transport?.protocol === "tcp" && transport.ack === 0;
}

function formatTime(time: Milliseconds | undefined): string {
  return pad(time === undefined ? "" : time.toFixed(2), TIME, "end");
}

function pad(text: string, width: number, side: "start" | "end" = "start"): string {
  return side === "start" ? text.padEnd(width) : text.padStart(width);
}
