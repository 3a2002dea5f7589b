// A sorted list of pieces of a stream that do not overlap: what came first stays.

/** A piece that waits for the octets in front of it. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** May be shorter than the piece, when the capture cut it off. */
  readonly bytes: Uint8Array;
}

/** Puts in what the list does not have yet of `piece`, whose octets are copied; the answer is how many that were (on the wire). */
export function insertPiece(pieces: Piece[], piece: Piece): number {
  let index = firstEndingAfter(pieces, piece.start);
  let added = 0;
  for (let at = piece.start; at < piece.end; index += 1) {
    const next = pieces[index];
    const end = Math.min(piece.end, next === undefined ? piece.end : Math.max(at, next.start));
    if (end > at) {
      pieces.splice(index, 0, { start: at, end, bytes: piece.bytes.slice(at - piece.start, end - piece.start) });
      added += end - at;
      index += 1;
    }
    at = Math.max(end, next?.end ?? end);
  }
  return added;
}

/** The index of the first piece that reaches beyond `position`. */
function firstEndingAfter(pieces: readonly Piece[], position: number): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (pieces[middle].end > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
