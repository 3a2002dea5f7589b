// SO_SNDBUF and SO_RCVBUF. Linux doubles what it is given, because it counts its own overhead as well; so does its personality here.
import { DatagramFile } from "../datagram-file.ts";
import type { SocketFile } from "../open-file.ts";
import { StreamFile } from "../stream-file.ts";
import { int, type SocketOption, toInteger } from "./option.ts";

/** net.core.wmem_max and rmem_max, since Linux 6.18; 212,992 before. */
const LARGEST_ASKED_FOR = 4_194_304;
/** SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF of Linux on 64 bits. */
const SMALLEST_SEND_BUFFER = 4608;
const SMALLEST_RECEIVE_BUFFER = 2304;
const MAX_INT = 2 ** 31 - 1;

/** @param isBounded false for SO_SNDBUFFORCE */
export function sendBufferOption(isBounded: boolean): SocketOption {
  return {
    get: (file) => int(file instanceof StreamFile ? file.tcpOption("sendBuffer") : datagramSendBuffer(file)),
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined) return "EINVAL";
      const sendBuffer = bufferSize(file, value, SMALLEST_SEND_BUFFER, isBounded);
      if (sendBuffer < 1) return "EINVAL";
      // Datagrams are never kept, so theirs is a number and nothing else.
      if (file instanceof StreamFile) file.configure({ sendBuffer, sendBufferMaximum: sendBuffer });
      else if (file instanceof DatagramFile) file.sendBuffer = sendBuffer;
      return 0;
    },
  };
}

/** @param isBounded false for SO_RCVBUFFORCE */
export function receiveBufferOption(isBounded: boolean): SocketOption {
  return {
    // Half of Linux's number is for octets of the stream (tcp_adv_win_scale).
    get: (file) =>
      int(file instanceof StreamFile ? file.tcpOption("receiveBuffer") * (countsOverhead(file) ? 2 : 1) : datagramReceiveBuffer(file)),
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined) return "EINVAL";
      const size = bufferSize(file, value, SMALLEST_RECEIVE_BUFFER, isBounded);
      if (size < 1) return "EINVAL";
      // What was chosen by hand no longer tunes itself.
      const receiveBuffer = countsOverhead(file) ? size / 2 : size;
      if (file instanceof StreamFile) file.configure({ receiveBuffer, receiveBufferMaximum: receiveBuffer });
      else if (file instanceof DatagramFile) file.queue.limit = size;
      return 0;
    },
  };
}

function bufferSize(file: SocketFile, value: number, smallest: number, isBounded: boolean): number {
  if (!countsOverhead(file)) return value;
  // A negative number is a large one without its sign.
  const asked = isBounded ? (value < 0 ? LARGEST_ASKED_FOR : Math.min(value, LARGEST_ASKED_FOR)) : Math.max(0, value);
  return Math.min(MAX_INT, Math.max(asked * 2, smallest));
}

function countsOverhead(file: SocketFile): boolean {
  return file.owner.defaults.personality === "linux";
}

function datagramSendBuffer(file: SocketFile): number {
  return file instanceof DatagramFile ? file.sendBuffer : 0;
}

function datagramReceiveBuffer(file: SocketFile): number {
  return file instanceof DatagramFile ? file.queue.limit : 0;
}
