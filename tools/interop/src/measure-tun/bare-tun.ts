// A TUN descriptor without the device around it, in a network of this process's own, for the ways that are measured.
import { execFileSync } from "node:child_process";
import { constants, openSync } from "node:fs";
import { load } from "koffi";
import { KERNEL } from "./addresses.ts";

const CLONE_NEWNET = 0x40000000;
const TUNSETIFF = 0x400454ca;
const IFF_TUN_NO_PI = 0x1001;

const program = load(null);
const unshare = program.func("int unshare(int flags)");
const ioctl = program.func("int ioctl(int descriptor, unsigned long request, void *argument)");

/** @returns a non-blocking descriptor; the interface behind it is up and has an address */
export function openBareTun(): number {
  if (unshare(CLONE_NEWNET) !== 0) throw new Error("needs root");
  const descriptor = openSync("/dev/net/tun", constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(40);
  request.write("measured");
  new Uint16Array(request.buffer, request.byteOffset + 16, 1)[0] = IFF_TUN_NO_PI;
  if (ioctl(descriptor, TUNSETIFF, request) !== 0) throw new Error("needs /dev/net/tun");
  execFileSync("ip", ["address", "add", `${KERNEL}/24`, "dev", "measured"]);
  execFileSync("ip", ["link", "set", "measured", "up"]);
  return descriptor;
}
