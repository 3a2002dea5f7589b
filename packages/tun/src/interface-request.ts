// struct ifreq of netdevice(7), with which ioctl(2) asks about network interfaces: a name, and a union that depends on the question.

/** Octets of an interface name with its closing zero (IFNAMSIZ). */
export const NAME_SIZE = 16;
const UNION_SIZE = 24;

export interface InterfaceRequest {
  /** What is handed to `ioctl`. */
  readonly bytes: Uint8Array;
  /** The union as a 16-bit number (flags) and as a 32-bit one (MTU, index), in the machine's byte order. */
  readonly short: Uint16Array;
  readonly int: Int32Array;
}

export function interfaceRequest(name: string): InterfaceRequest {
  const bytes = new Uint8Array(NAME_SIZE + UNION_SIZE);
  new TextEncoder().encodeInto(name, bytes.subarray(0, NAME_SIZE - 1));
  return { bytes, short: new Uint16Array(bytes.buffer, NAME_SIZE, 1), int: new Int32Array(bytes.buffer, NAME_SIZE, 1) };
}

/** The name that the kernel has written back. */
export function requestedName(request: InterfaceRequest): string {
  const end = request.bytes.indexOf(0);
  return new TextDecoder().decode(request.bytes.subarray(0, end < 0 || end > NAME_SIZE ? NAME_SIZE : end));
}

/** Puts a `struct sockaddr_in` into the union: family in the machine's order, port 0, then the address as in a header. */
export function setSocketAddress(request: InterfaceRequest, family: number, address: number): void {
  request.short[0] = family;
  new DataView(request.bytes.buffer).setUint32(NAME_SIZE + 4, address);
}
