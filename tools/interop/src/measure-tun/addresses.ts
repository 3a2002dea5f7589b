// Who talks to whom while ways are measured; the network is one for benchmarks (RFC 2544).

export const KERNEL = "198.18.0.1";
export const OURS = "198.18.0.2";
export const PORT = 4242;
