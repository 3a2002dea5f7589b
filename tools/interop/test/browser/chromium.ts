// Debian's Chromium without a window, on a site of our own.
import { Program } from "../harness/program.ts";
import { TemporaryFolder } from "../harness/temporary-folder.ts";
import type { Site } from "./site.ts";

/** Seconds. Nothing is measured by it: it only ends a browser that hangs, even when the test that began it is gone. */
const LIMIT = 90;
const GRACE = 5;

const FLAGS = [
  "--headless",
  "--no-sandbox", // It refuses to run as root with one.
  "--disable-gpu",
  "--disable-dev-shm-usage", // Containers often have next to none.
  // Nothing of the world outside is asked, and no first visit celebrated.
  "--no-first-run",
  "--no-proxy-server",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--enable-logging=stderr", // What the page's console says goes into the message of a failure.
];

/** Opens the site's page and waits for its report. Throws when the browser ends before. */
export async function visit(site: Site): Promise<string> {
  using profile = new TemporaryFolder();
  const limits = [`--kill-after=${GRACE}`, String(LIMIT)];
  const browser = new Program("timeout", [...limits, "chromium", ...FLAGS, `--user-data-dir=${profile.path}`, site.url]);
  const end = browser.ended.then(({ code, stderr }) => {
    const why = code === 124 ? `is not done after ${LIMIT} s` : `ended with ${code}`;
    throw new Error(`chromium ${why} and there is no report from the page:\n${stderr.slice(-4000)}`);
  });
  end.catch(() => {});
  try {
    return await Promise.race([site.report, end]);
  } finally {
    browser.kill("SIGTERM");
    await browser.ended;
  }
}
