// Browsers as Debian has them, without a window, on a site of our own.
import { Program } from "../harness/program.ts";
import { TemporaryFolder } from "../harness/temporary-folder.ts";
import type { Site } from "./site.ts";

/** Seconds. Nothing is measured by it: it only ends a browser that hangs, even when the test that began it is gone. */
const LIMIT = 90;
const GRACE = 5;

/** By command name: what makes it start on an empty profile. None of them asks anything of the world outside. */
const BROWSERS = {
  chromium: ({ path }: TemporaryFolder): readonly string[] => [
    "--headless",
    `--user-data-dir=${path}`,
    "--no-sandbox", // It refuses to run as root with one.
    "--disable-gpu",
    "--disable-dev-shm-usage", // Containers often have next to none.
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-logging=stderr", // What the page's console says goes into the message of a failure.
  ],
  "firefox-esr": (profile: TemporaryFolder): readonly string[] => {
    // A proxy that is not there, for everything but this machine.
    const settings = { type: 1, http: "127.0.0.1", http_port: 9, ssl: "127.0.0.1", ssl_port: 9 };
    const lines = Object.entries(settings).map(([name, value]) => `user_pref("network.proxy.${name}", ${JSON.stringify(value)});\n`);
    profile.write("user.js", new TextEncoder().encode(lines.join("")));
    return ["--headless", "--no-remote", "--profile", profile.path];
  },
} as const;

export type Browser = keyof typeof BROWSERS;

/** Opens the site's page and waits for its report. Throws when the browser ends before. */
export async function visit(name: Browser, site: Site): Promise<string> {
  using profile = new TemporaryFolder();
  const browser = new Program("timeout", [`--kill-after=${GRACE}`, String(LIMIT), name, ...BROWSERS[name](profile), site.url]);
  const end = browser.ended.then(({ code, stderr }) => {
    const why = code === 124 ? `is not done after ${LIMIT} s` : `ended with ${code}`;
    const said = stderr.split("\n").filter((line) => !/dbus|DBus/.test(line));
    throw new Error(`${name} ${why}, and the page has not reported:\n${said.join("\n").slice(-4000)}`);
  });
  end.catch(() => {});
  try {
    return await Promise.race([site.report, end]);
  } finally {
    browser.kill("SIGTERM");
    await browser.ended;
  }
}
