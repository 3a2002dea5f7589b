// Which of Node's own tests are not for us, and why. One that passes all the same fails the run: the list says what is so.

/** Tests that look at libuv's handles or Node's bindings from inside, by their own flags and imports. */
export const INTERNAL: RegExp = /expose-internals|internalBinding|require\('internal\//;

const UNIX = "Unix paths: a stack has no file system to put a socket into";
const CLUSTER = "cluster, child processes or file descriptors: a stack belongs to one process";

/** Programs that never end where they cannot work. */
export const NEVER_END: ReadonlySet<string> = new Set(["test-net-child-process-connect-reset.js"]);

/** By file name. */
export const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ["test-net-connect-options-path.js", UNIX],
  ["test-net-pingpong.js", UNIX],
  ["test-net-pipe-connect-errors.js", UNIX],
  ["test-net-server-listen-path.js", UNIX],
  ["test-net-child-process-connect-reset.js", CLUSTER],
  ["test-net-listen-handle-in-cluster-1.js", CLUSTER],
  ["test-net-server-close-before-ipc-response.js", CLUSTER],
  ["test-net-socket-constructor.js", CLUSTER],
  ["test-dgram-bind-socket-close-before-cluster-reply.js", CLUSTER],
  ["test-dgram-exclusive-implicit-bind.js", CLUSTER],
  ["test-net-deprecated-setsimultaneousaccepts.js", "net._setSimultaneousAccepts, undocumented and deprecated"],
  ["test-net-server-simultaneous-accepts-produce-warning-once.js", "net._setSimultaneousAccepts, undocumented and deprecated"],
  ["test-net-perf_hooks.js", 'Node\'s performance entries of type "net": only Node itself can make them'],
  ["test-dgram-deprecation-error.js", "undocumented members of dgram.Socket that have been deprecated since Node 8"],
  ["test-dgram-udp6-link-local-address.js", "wants a link-local address on one of the machine's own interfaces"],
]);
