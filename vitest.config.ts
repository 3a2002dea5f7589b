import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

// `resolve.conditions` replaces the defaults instead of adding to them, so they are spelled out again.
const conditions = ["netstrata-source", ...defaultServerConditions];

/** Tests run from source: the `netstrata-source` condition leads each package name to its src/index.ts. */
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "tools/*/test/**/*.test.ts", "examples/test/**/*.test.ts"],
    // Needs root, namespaces and minutes: `npm run test:interop`.
    exclude: ["**/node_modules/**", "**/dist/**", "tools/interop/**"],
    // A limit for what hangs, not a judgement of speed: the machine may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ["./vitest.setup.ts"],
  },
});
