// The eleven states of a connection and the arrows between them (RFC 9293 §3.3.2, Figure 5).

export type TcpState =
  | "CLOSED"
  | "LISTEN"
  | "SYN-SENT"
  | "SYN-RECEIVED"
  | "ESTABLISHED"
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "CLOSE-WAIT"
  | "CLOSING"
  | "LAST-ACK"
  | "TIME-WAIT";

/**
 * Figure 5 and its notes, as data. Any state may also go to CLOSED: by an ABORT, a RST or a timeout (note 3), which the
 * figure leaves out as well.
 */
const ARROWS: Readonly<Record<TcpState, readonly TcpState[]>> = {
  CLOSED: ["LISTEN", "SYN-SENT", "SYN-RECEIVED"],
  LISTEN: ["SYN-RECEIVED", "SYN-SENT"],
  "SYN-SENT": ["SYN-RECEIVED", "ESTABLISHED"],
  "SYN-RECEIVED": ["ESTABLISHED", "FIN-WAIT-1", "LISTEN", "CLOSE-WAIT"],
  ESTABLISHED: ["FIN-WAIT-1", "CLOSE-WAIT"],
  "FIN-WAIT-1": ["FIN-WAIT-2", "CLOSING", "TIME-WAIT"],
  "FIN-WAIT-2": ["TIME-WAIT"],
  "CLOSE-WAIT": ["LAST-ACK"],
  CLOSING: ["TIME-WAIT"],
  "LAST-ACK": [],
  "TIME-WAIT": [],
};

export function isArrow(from: TcpState, to: TcpState): boolean {
  return to === "CLOSED" || ARROWS[from].includes(to);
}

/** The states in which both ends have agreed on sequence numbers (RFC 9293 §3.5.2: group 3). */
export function isSynchronized(state: TcpState): boolean {
  return state !== "CLOSED" && state !== "LISTEN" && state !== "SYN-SENT" && state !== "SYN-RECEIVED";
}

/** States in which the user may still give data to send: it has not called CLOSE. */
export function canSend(state: TcpState): boolean {
  return state === "ESTABLISHED" || state === "CLOSE-WAIT" || state === "SYN-SENT" || state === "SYN-RECEIVED";
}

/** States in which the peer may still send data: its FIN has not been accepted. */
export function canReceive(state: TcpState): boolean {
  return state === "ESTABLISHED" || state === "FIN-WAIT-1" || state === "FIN-WAIT-2";
}
