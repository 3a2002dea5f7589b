// Two hosts for libraries that never heard of netstrata, in real time: between them a wire that is clean, or one that loses and reorders.
import { createRequire } from "node:module";
import { realWorld } from "@netstrata/simnet";
import type { Stack } from "@netstrata/socket";
import { test } from "vitest";
import { patchNet } from "../../src/index.ts";

export interface TwoHosts {
  readonly client: Stack;
  /** Its name is "server". */
  readonly server: Stack;
  /** The server's. */
  readonly address: string;
  /** Runs `start` while Node's own modules are the server's: what is told to listen meanwhile listens there. */
  onServer<T>(start: () => Promise<T> | T): Promise<T>;
}

const ADDRESS = "192.0.2.2";

const WIRES = {
  clean: { latency: 0 },
  lossy: { latency: 1, faults: { drop: 0.02, reorder: 0.02, duplicate: 0.01 } },
} as const;

/** A test on either wire. While `program` runs, Node's own modules are the client's, but where `onServer` says otherwise. */
export function betweenTwoHosts(title: string, program: (hosts: TwoHosts) => Promise<void>): void {
  for (const kind of ["clean", "lossy"] as const) {
    test(`${title}: ${kind} wire`, async () => {
      const world = realWorld({ seed: 1 });
      // On a wire of a millisecond nobody has to wait a second for what was lost.
      const tcp = { rtoMinimum: 20 };
      const client = world.host("client", { tcp });
      const server = world.host("server", { tcp });
      world.wire(client, server, { ...WIRES[kind], addresses: ["192.0.2.1/24", `${ADDRESS}/24`] });
      const onServer: TwoHosts["onServer"] = async (start) => {
        const patch = patchNet(server);
        try {
          return await start();
        } finally {
          patch.undo();
        }
      };
      const patch = patchNet(client);
      try {
        await world.run(() => program({ client, server, address: ADDRESS, onServer }));
      } finally {
        patch.undo();
        await world.close();
      }
    });
  }
}

/** A server's port, when it listens; an error, when it cannot. */
export function listening(server: {
  once(event: string, listener: (...args: never[]) => void): unknown;
  address(): unknown;
}): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => resolve((server.address() as { port: number }).port));
  });
}

const require = createRequire(import.meta.url);

/**
 * A library loaded anew, so that what it takes out of `net` or `dgram` while it loads (`class Server extends dgram.Socket`) is of the host that is patched in
 * at this moment.
 */
export function loadAnew<Library>(name: string): Library {
  for (const path of Object.keys(require.cache)) if (path.includes(`/node_modules/${name}/`)) delete require.cache[path];
  return require(name) as Library;
}
