// Whoever prints in a test either debugs or hides a failure: both are errors.
import { afterEach } from "vitest";

const methods = ["log", "info", "warn", "error", "debug", "trace", "dir", "table"] as const;
const calls: string[] = [];

for (const method of methods) {
  console[method] = (...values: unknown[]): never => {
    const call = `console.${method}(${values.map(String).join(", ")})`;
    calls.push(call);
    throw new Error(`${call} in a test`);
  };
}

// The throw above may be swallowed by the code under test; the list is not.
afterEach(() => {
  const seen = calls.splice(0);
  if (seen.length > 0) throw new Error(`printed during the test: ${seen.join("; ")}`);
});
