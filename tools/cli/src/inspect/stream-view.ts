// The conversations of a capture as their two streams: who said what, in the order in which it was said.
import { type ConversationListener, formatHex, formatSeconds, type Side, type TcpConversation } from "@netstrata/capture";
import { formatEndpoint } from "@netstrata/transport";

/** Octets of all conversations together that wait to be shown; beyond it the largest share is not kept. */
const LARGEST_HELD = 64 * 1024 * 1024;

interface Turn {
  readonly side: Side;
  readonly pieces: Uint8Array[];
  /** Octets that were said, and those of them that are kept. */
  said: number;
  kept: number;
}

/** Keeps what conversations say until they end, then hands each to `print` as lines. */
export class StreamView implements ConversationListener {
  private readonly print: (text: string) => void;
  private readonly limit: number;
  private readonly turns = new Map<TcpConversation, Turn[]>();
  private held = 0;

  /** @param limit octets to show of each turn */
  constructor(limit: number, print: (text: string) => void) {
    this.limit = limit;
    this.print = print;
  }

  begin(conversation: TcpConversation): void {
    this.turns.set(conversation, []);
  }

  data(conversation: TcpConversation, side: Side, bytes: Uint8Array): void {
    const turn = this.turnOf(conversation, side);
    turn.said += bytes.length;
    const room = Math.min(this.limit - turn.kept, LARGEST_HELD - this.held);
    if (room <= 0) return;
    const kept = Uint8Array.from(bytes.subarray(0, room));
    turn.pieces.push(kept);
    turn.kept += kept.length;
    this.held += kept.length;
  }

  gap(conversation: TcpConversation, side: Side, length: number): void {
    const turns = this.turns.get(conversation) ?? [];
    turns.push({ side, pieces: [], said: -length, kept: 0 });
  }

  end(conversation: TcpConversation): void {
    const turns = this.turns.get(conversation) ?? [];
    this.turns.delete(conversation);
    for (const { kept } of turns) this.held -= kept;
    this.print([...heading(conversation), ...turns.flatMap(linesOf)].join("\n"));
  }

  private turnOf(conversation: TcpConversation, side: Side): Turn {
    const turns = this.turns.get(conversation) ?? [];
    const last = turns[turns.length - 1];
    if (last?.side === side && last.said >= 0) return last;
    const turn: Turn = { side, pieces: [], said: 0, kept: 0 };
    turns.push(turn);
    return turn;
  }
}

function heading(conversation: TcpConversation): string[] {
  const { number, client, server, firstPacket, lastPacket, firstTimestamp, lastTimestamp, state, end } = conversation;
  const ending = end === state || end === undefined ? state : `${state}, ${end}`;
  const said = [client, server].map(({ stream, packets }, index) => {
    const missing = stream.missingBytes > 0 ? `, ${stream.missingBytes} missing` : "";
    const repeated = stream.repeatedBytes > 0 ? `, ${stream.repeatedBytes} repeated` : "";
    return `${index === 0 ? "client" : "server"} ${stream.deliveredBytes} octets in ${packets} packets${missing}${repeated}`;
  });
  return [
    `conversation ${number}: ${formatEndpoint(client.endpoint)} > ${formatEndpoint(server.endpoint)}, ${ending}`,
    `  packets ${firstPacket} to ${lastPacket}, ${formatSeconds(lastTimestamp - firstTimestamp)} s; ${said.join("; ")}`,
  ];
}

function linesOf({ side, pieces, said, kept }: Turn): string[] {
  const mark = side === "client" ? "  > " : "  < ";
  if (said < 0) return [`${mark}[${-said} octets are not in the capture]`];
  const bytes = Buffer.concat(pieces);
  const lines = isText(bytes) ? textLines(bytes) : formatHex(bytes, "").split("\n");
  const rest = said > kept ? [`[${said - kept} more octets]`] : [];
  return [...lines, ...rest].map((line) => (mark + line).trimEnd());
}

function textLines(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

/** What a terminal can show: no control characters but those of lines, and hardly anything that is no UTF-8. */
function isText(bytes: Uint8Array): boolean {
  const controls = bytes.filter((octet) => (octet < 0x20 && octet !== 9 && octet !== 10 && octet !== 13) || octet === 0x7f).length;
  if (controls > 0) return false;
  const unreadable = [...new TextDecoder().decode(bytes)].filter((character) => character === "\ufffd").length;
  // The last character may be cut off.
  return unreadable <= 1;
}
