// How both interfaces let go of a connection (RFC 9293 §3.6.1).
import type { TcpConnection } from "@netstrata/transport";

/** The user neither writes nor reads any more; what was written still goes out. */
export function closeBothWays(connection: TcpConnection): void {
  if (connection.readableLength > 0) {
    // SHLD-3: these octets were acknowledged, and nobody will read them; the peer must not take them for received.
    connection.abort();
  } else {
    // In this order, so that no FIN goes out where a reset has to (SO_LINGER of 0, too many orphans).
    connection.closeRead();
    connection.close();
  }
}
