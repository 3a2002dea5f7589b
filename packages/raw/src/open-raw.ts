// Opening raw sockets that send and receive whole IPv4 datagrams (Linux, raw(7)).
import { RawDevice } from "./raw-device.ts";
import { errorCode, RawError } from "./raw-error.ts";
import { loadRawSocket, type RawSocket, type RawSocketModule } from "./raw-socket-module.ts";

export const PROTOCOL_ICMP = 1;

/** The kernel hands up datagrams that it has reassembled, so they may be as long as any. */
const LARGEST_DATAGRAM = 65535;
/** The MTU of Ethernet. */
const DEFAULT_MTU = 1500;
/** The smallest that IPv4 allows (RFC 791 §3.2). */
const SMALLEST_MTU = 68;

// <asm-generic/socket.h>, <linux/in.h>, <linux/icmp.h>
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const SO_BINDTODEVICE = 25;
const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
/** Echo and timestamp requests, as bits: the kernel answers them itself, and a second answer from us would confuse whoever asked. */
const ANSWERED_BY_KERNEL = (1 << 8) | (1 << 13);

export interface RawOptions {
  /** For messages. @default "raw" */
  readonly name?: string;
  /** IP protocol numbers to receive; any protocol can be sent. Each takes a socket. @default [1], ICMP */
  readonly protocols?: readonly number[];
  /** Octets of the largest datagram to send, 68 … 65535; it should be that of the interface the host sends through. @default 1500 */
  readonly mtu?: number;
  /** Sends and receives through this interface of the host only. @default any, as the host's routes say */
  readonly interface?: string;
  /** How many datagrams may wait for the host's sockets. @default 256 */
  readonly queueLimit?: number;
}

/**
 * Puts a stack onto the host's own interfaces and addresses, beside the kernel's stack.
 * Needs Linux, the compiled package raw-socket, and root or CAP_NET_RAW.
 * @throws RawError, with a `code` such as `EPERM` and one line that says what to do; RangeError for an MTU nobody can have
 */
export function openRaw(options: RawOptions = {}): RawDevice {
  const { name = "raw", protocols = [PROTOCOL_ICMP], mtu = DEFAULT_MTU, queueLimit = 256 } = options;
  if (!(mtu >= SMALLEST_MTU && mtu <= LARGEST_DATAGRAM)) throw new RangeError(`mtu ${mtu}: not ${SMALLEST_MTU} to ${LARGEST_DATAGRAM}`);
  if (protocols.length === 0) throw new RangeError("protocols: at least one is needed");
  const module = loadRawSocket();
  const sockets: RawSocket[] = [];
  try {
    for (const protocol of protocols) {
      const socket = create(module, protocol);
      sockets.push(socket);
      configure(socket, protocol, options.interface);
    }
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  return new RawDevice(name, mtu, sockets, queueLimit);
}

function create(module: RawSocketModule, protocol: number): RawSocket {
  try {
    return module.createSocket({ protocol, bufferSize: LARGEST_DATAGRAM });
  } catch (error) {
    const code = errorCode(error);
    const explanations: Record<string, string> = {
      EPERM: "needs root or CAP_NET_RAW",
      EACCES: "needs root or CAP_NET_RAW",
      EPROTONOSUPPORT: `the kernel has no raw sockets of protocol ${protocol}`,
      EMFILE: "too many open descriptors",
    };
    throw new RawError(code, explanations[code] ?? `no raw socket of protocol ${protocol}`, "socket", error);
  }
}

function configure(socket: RawSocket, protocol: number, interfaceName: string | undefined): void {
  let option = "IP_HDRINCL";
  try {
    socket.setOption(IPPROTO_IP, IP_HDRINCL, 1);
    option = "SO_BROADCAST";
    socket.setOption(SOL_SOCKET, SO_BROADCAST, 1);
    if (protocol === PROTOCOL_ICMP) {
      option = "ICMP_FILTER";
      socket.setOption(SOL_RAW, ICMP_FILTER, ANSWERED_BY_KERNEL);
    }
    if (interfaceName !== undefined) {
      option = "SO_BINDTODEVICE";
      const bytes = new TextEncoder().encode(`${interfaceName}\0`);
      socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, bytes, bytes.length);
    }
  } catch (error) {
    const code = errorCode(error);
    const explanation = code === "ENODEV" ? `no interface ${interfaceName}` : "refused by the kernel";
    throw new RawError(code, explanation, `setsockopt(${option})`, error);
  }
}
