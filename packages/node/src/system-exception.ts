// What the network says, in the shape of Node's system errors (Node documentation, "Class: SystemError" and "Common system errors").
import { getSystemErrorMap } from "node:util";

/** libuv's number and words for a code, by code. */
const SYSTEM_ERRORS: ReadonlyMap<string, { readonly errno: number; readonly text: string }> = new Map(
  [...getSystemErrorMap()].map(([errno, [code, text]]) => [code, { errno, text }]),
);

export interface SystemException extends NodeJS.ErrnoException {
  address?: string;
  port?: number;
}

function make(message: string, code: string, syscall: string): SystemException {
  const error: SystemException = new Error(message);
  error.errno = SYSTEM_ERRORS.get(code)?.errno;
  error.code = code;
  error.syscall = syscall;
  return error;
}

/** `read ECONNRESET` */
export function systemException(code: string, syscall: string): SystemException {
  return make(`${syscall} ${code}`, code, syscall);
}

/** `connect ECONNREFUSED 127.0.0.1:80 - Local (127.0.0.1:4000)` */
export function addressException(code: string, syscall: string, address: string, port?: number, additional?: string): SystemException {
  const where = port !== undefined && port > 0 ? `${address}:${port}` : address;
  const error = make(`${syscall} ${code} ${where}${additional === undefined ? "" : ` - Local (${additional})`}`, code, syscall);
  error.address = address;
  if (port) error.port = port;
  return error;
}

/** `listen EADDRINUSE: address already in use :::8080` */
export function describedException(code: string, syscall: string, address?: string, port?: number): SystemException {
  const text = SYSTEM_ERRORS.get(code)?.text ?? "unknown error";
  const where = address === undefined ? "" : port !== undefined && port > 0 ? ` ${address}:${port}` : ` ${address}`;
  const error = make(`${syscall} ${code}: ${text}${where}`, code, syscall);
  if (address !== undefined) error.address = address;
  if (port) error.port = port;
  return error;
}

/** `getaddrinfo ENOTFOUND example.org` */
export function lookupException(code: string, hostname: string, syscall = "getaddrinfo"): SystemException & { hostname: string } {
  const error = make(`${syscall} ${code} ${hostname}`, code, syscall);
  return Object.assign(error, { hostname });
}
