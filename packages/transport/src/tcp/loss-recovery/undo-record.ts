// Was the loss a false alarm? What must be known to tell by duplicates that the peer reports (RFC 3708 §3); by timestamps see timestamps.ts (RFC 3522).
import { isAfter, type SequenceNumber } from "@netstrata/core";

/** What has been done since the window was last reduced. Linux: undo_marker, undo_retrans. */
export class UndoRecord {
  /** SND.UNA when the window was reduced; undefined when there is nothing to undo. */
  private marker: SequenceNumber | undefined;
  /** Retransmissions that the peer has not reported as duplicates. */
  private unreported = 0;
  /** Zero means something only after the first retransmission. */
  private retransmitted = false;
  private forbidden = false;

  get possible(): boolean {
    return this.marker !== undefined;
  }

  /** The window is reduced; `underway` second copies are in the network already. */
  begin(una: SequenceNumber, underway: number): void {
    this.marker = una;
    this.unreported = underway;
    this.retransmitted = underway > 0;
    this.forbidden = false;
  }

  /** Nothing can be undone any more: it was, or must not be. */
  end(): void {
    this.marker = undefined;
  }

  /** A router has marked something, so the reduction stands even when nothing was lost (RFC 3168 §6.1.2). */
  forbid(): void {
    this.forbidden = true;
  }

  get allowed(): boolean {
    return !this.forbidden;
  }

  sentAgain(): void {
    this.unreported += 1;
    this.retransmitted = true;
  }

  /** The peer got `segments` of what ends at `right` twice. */
  duplicateReported(right: SequenceNumber, segments: number): void {
    if (this.marker !== undefined && isAfter(right, this.marker)) this.unreported = Math.max(0, this.unreported - segments);
  }

  /** Every retransmission was one too many. */
  get allDuplicates(): boolean {
    return this.marker !== undefined && this.retransmitted && this.unreported === 0;
  }
}
