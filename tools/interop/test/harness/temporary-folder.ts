// A folder that goes with the test.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class TemporaryFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "netstrata-"));

  /** Writes a file and returns its path. */
  write(name: string, bytes: Uint8Array): string {
    writeFileSync(this.pathOf(name), bytes);
    return this.pathOf(name);
  }

  pathOf(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
