// What poll sees of a TCP socket, as Linux's `tcp_poll` says it.
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM } from "./linux-numbers.ts";
import type { StreamFile } from "./stream-file.ts";
import { isAtUrgentMark, urgentOctetIsHere } from "./stream-urgent.ts";

const CAN_READ: number = POLLIN | POLLRDNORM;
const CAN_WRITE: number = POLLOUT | POLLWRNORM;

export function streamEvents(file: StreamFile): number {
  const { connection, state } = file;
  if (state === "LISTEN") return file.hasConnectionToAccept() ? CAN_READ : 0;
  if (file.deferred !== undefined) return CAN_WRITE;
  let events = 0;
  if ((file.receiveIsShut && file.sendIsShut) || state === "CLOSED") events |= POLLHUP;
  if (file.receiveIsShut) events |= CAN_READ | POLLRDHUP;
  if (state !== "SYN-SENT" && state !== "SYN-RECEIVED") {
    if (connection !== undefined && isReadable(file, connection.readableLength)) events |= CAN_READ;
    if (file.sendIsShut || connection === undefined || isWritable(file)) events |= CAN_WRITE;
    if (!file.urgentTaken && urgentOctetIsHere(file)) events |= POLLPRI;
  }
  if (file.error !== undefined || file.errors.length > 0) events |= POLLERR;
  return events;
}

function isReadable(file: StreamFile, readable: number): boolean {
  // An urgent octet that is next is not for ordinary reading.
  return readable >= file.receiveLowWater + (isAtUrgentMark(file) && !file.urgentInline ? 1 : 0);
}

/** A third of the buffer is free. If not, TCP is obliged to tell when it is. */
function isWritable(file: StreamFile): boolean {
  const { connection, notSentLowWater } = file;
  if (connection === undefined || connection.isClosed) return true;
  if (notSentLowWater !== undefined && connection.unsentLength * 2 >= notSentLowWater) {
    file.awaitsLowWater = true;
    return false;
  }
  const free = connection.writableLength;
  if (free > 0 && free * 3 >= connection.options.sendBuffer) return true;
  connection.wantRoom();
  return false;
}
