// How much text a segment carries, theirs and ours (RFC 9293 §3.7.1), and what a narrower path changes (RFC 1191 §6).
import { TCP_HEADER_LENGTH } from "./tcp-header.ts";
import { ALIGNED_TIMESTAMPS_LENGTH } from "./tcp-options.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/**
 * MUST-14, MUST-67: the most text we take in a segment: what the link brings unfragmented and what can be reassembled, less the header.
 * What routers say of the way there is no bound for the way back (RFC 6691 §4).
 */
export function announcedSegmentSize(tcb: TransmissionControlBlock): number {
  const { ip } = tcb.context;
  const largest = Math.min(ip.maxReceiveSize(tcb.remote.address), ip.linkSendSize(tcb.remote.address)) - TCP_HEADER_LENGTH;
  return Math.min(65535, largest, tcb.options.maximumSegmentSize ?? largest);
}

/**
 * MUST-16: Eff.snd.MSS, the least of what the peer takes, the path takes and the user wants; less the options that every segment
 * carries, for which no announced size makes room (RFC 6691 §2).
 */
export function updateSegmentSize(tcb: TransmissionControlBlock): void {
  const ipOptions = tcb.ipOptions.options?.length ?? 0;
  const { ip } = tcb.context;
  const largest = ip.maxSendSize(tcb.remote.address);
  tcb.pathIsNarrow = largest < ip.linkSendSize(tcb.remote.address);
  const path = largest - ipOptions - TCP_HEADER_LENGTH;
  const tcpOptions = (tcb.timestamps.enabled ? ALIGNED_TIMESTAMPS_LENGTH : 0) + (tcb.ecn?.optionLength ?? 0);
  tcb.segmentSize = Math.max(1, Math.min(tcb.snd.mss, path, tcb.options.maximumSegmentSize ?? path) - tcpOptions);
}

/** The path takes less than it did: what was too large is gone, which is not a sign of congestion (RFC 1191 §6.4). */
export function adaptToPath(tcb: TransmissionControlBlock): void {
  const before = tcb.segmentSize;
  updateSegmentSize(tcb);
  if (tcb.segmentSize >= before) return;
  tcb.congestion.segmentSizeChanged(tcb.segmentSize);
  tcb.scoreboard.markAllLost();
  tcb.lossReason = "path-mtu";
}

/** What was learnt of a narrow path is forgotten after a while (RFC 1191 §6.3): then segments grow again, and if the path is as narrow as it was, a router says so. */
export function widenToPath(tcb: TransmissionControlBlock): void {
  const before = tcb.segmentSize;
  updateSegmentSize(tcb);
  if (tcb.segmentSize !== before) tcb.congestion.segmentSizeChanged(tcb.segmentSize);
}
