// The fragments of one datagram (RFC 815 does this with holes; overlaps by RFC 5722 §4, which fits IPv4 as well).

export type FragmentVerdict =
  | "pending"
  | "complete"
  /** Received before, octet for octet. */
  | "duplicate-fragment"
  /** It holds octets that another fragment holds too. */
  | "overlapping-fragment"
  /** It lies behind the end, or is a second, different end. */
  | "conflicting-fragment"
  | "too-many-fragments";

interface Piece {
  readonly offset: number;
  readonly payload: Uint8Array;
}

export class FragmentList {
  /** By offset; no two overlap. */
  private readonly pieces: Piece[] = [];
  private octets = 0;
  /** Where the last fragment ends; undefined until that has come. */
  private total: number | undefined;

  get count(): number {
    return this.pieces.length;
  }

  /** The payload's length; 0 until the last fragment has come. */
  get totalLength(): number {
    return this.total ?? 0;
  }

  /**
   * Adds a fragment by copying it. After any verdict but "pending", "complete" and "duplicate-fragment" the list is of no
   * more use.
   * @param isLast no fragment follows behind it
   * @param limit how many fragments the list may hold
   */
  add(offset: number, payload: Uint8Array, isLast: boolean, limit: number): FragmentVerdict {
    const end = offset + payload.length;
    // Fragments mostly come in order: look for the place from the back.
    let index = this.pieces.length;
    while (index > 0 && this.pieces[index - 1].offset >= offset) index -= 1;
    const before: Piece | undefined = this.pieces[index - 1];
    const after: Piece | undefined = this.pieces[index];
    if (after !== undefined && after.offset < end) {
      return this.isDuplicate(after, offset, payload, isLast) ? "duplicate-fragment" : "overlapping-fragment";
    }
    if (before !== undefined && endOf(before) > offset) return "overlapping-fragment";
    if (this.total !== undefined && (isLast || end > this.total)) return "conflicting-fragment";
    if (isLast && after !== undefined) return "conflicting-fragment";
    if (this.pieces.length >= limit) return "too-many-fragments";
    // Not `payload.slice()`: on a store that is a Node Buffer that would be a view.
    this.pieces.splice(index, 0, { offset, payload: new Uint8Array(payload) });
    this.octets += payload.length;
    if (isLast) this.total = end;
    return this.octets === this.total ? "complete" : "pending";
  }

  /** Copies all payload to `into`, from index `at` on. */
  copyTo(into: Uint8Array, at: number): void {
    for (const { offset, payload } of this.pieces) into.set(payload, at + offset);
  }

  /** The payload of the fragment at offset 0. */
  first(): Uint8Array | undefined {
    return this.pieces.length > 0 && this.pieces[0].offset === 0 ? this.pieces[0].payload : undefined;
  }

  private isDuplicate(piece: Piece, offset: number, payload: Uint8Array, isLast: boolean): boolean {
    return (
      piece.offset === offset &&
      piece.payload.length === payload.length &&
      isLast === (endOf(piece) === this.total) &&
      piece.payload.every((octet, index) => octet === payload[index])
    );
  }
}

function endOf(piece: Piece): number {
  return piece.offset + piece.payload.length;
}
