// The numbers of the POSIX calls: Linux's, so that code and traces written for it read the same.
export * from "./numbers/call-numbers.ts";
export * from "./numbers/ip-option-numbers.ts";
export * from "./numbers/message-numbers.ts";
export * from "./numbers/socket-option-numbers.ts";
export * from "./numbers/tcp-option-numbers.ts";
