// `import "@netstrata/node/patch"`: from here on Node's own modules speak over the ready-made loopback.
import { stack } from "./loopback.ts";
import { type Patch, patchNet } from "./patch-net.ts";

/** Undo it with `patch.undo()`. */
export const patch: Patch = patchNet(stack);
