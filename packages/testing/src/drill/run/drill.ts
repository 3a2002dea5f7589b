// drill: a packetdrill script against a stack of its own, in process, on a virtual clock.
import { parseScript } from "../language/parse-script.ts";
import { ScriptError } from "../language/source-text.ts";
import { type DrillOptions, type RunSettings, runSettings } from "./drill-options.ts";
import { type DrillIpVersion, type DrillReport, DrillStop } from "./drill-report.ts";
import { DrillRun } from "./drill-run.ts";

/** Names that Linux's runner defines for each IP version (ksft_runner.sh): cookies are those of its fixed Fast Open key. */
const DEFINITIONS: Readonly<Record<DrillIpVersion, Readonly<Record<string, string>>>> = {
  ipv4: { CMSG_LEVEL_IP: "SOL_IP", CMSG_TYPE_RECVERR: "IP_RECVERR", TFO_COOKIE: "3021b9d889017eeb", TFO_COOKIE_ZERO: "b7c12350a90dc8f5" },
  "ipv4-mapped-ipv6": {
    CMSG_LEVEL_IP: "SOL_IPV6",
    CMSG_TYPE_RECVERR: "IPV6_RECVERR",
    TFO_COOKIE: "3021b9d889017eeb",
    TFO_COOKIE_ZERO: "b7c12350a90dc8f5",
  },
  ipv6: {
    CMSG_LEVEL_IP: "SOL_IPV6",
    CMSG_TYPE_RECVERR: "IPV6_RECVERR",
    TFO_COOKIE: "c1d1e9742a47a9bc",
    TFO_COOKIE_ZERO: "82af1a8f9a205c34",
  },
};

/** Signs of a script written for FreeBSD. */
const FREEBSD_SIGNS = /\bnet\.inet\.tcp\.|\bkldload\b|\btcpdrop\b|\bsockstat\b|TCP_FUNCTION_BLK/;

/** A comment of its own in the script's head: `// personality: rfc`, or several, of which the first counts. */
const DECLARED = /^\/\/ personalit(?:y|ies): *(linux|freebsd|rfc)\b/m;

/** Whose choices a script asserts, when nobody says: those it declares, or else those that its words belong to. */
function guessPersonality(text: string): DrillReport["personality"] {
  const declared = DECLARED.exec(text)?.[1] as DrillReport["personality"] | undefined;
  return declared ?? (FREEBSD_SIGNS.test(text) ? "freebsd" : "linux");
}

/** Runs a script; whatever its text is, the answer is a report. */
export async function runDrill(text: string, options: DrillOptions = {}): Promise<DrillReport> {
  const personality = options.personality ?? guessPersonality(text);
  const chosen = { ...options, personality };
  const asked = blankReport(chosen);
  const definitions = definitionsFor(asked.ipVersion, asked.personality, options);
  const script = parseScript(text, definitions);
  if (script instanceof ScriptError) {
    const { line, column, message } = script;
    return { ...asked, outcome: "error", line, column, message };
  }
  let settings: RunSettings;
  try {
    settings = runSettings(script.options, chosen);
  } catch (error) {
    return { ...asked, ...stopped(error), line: script.options[0]?.line };
  }
  // The script may have chosen another version, and with it other definitions.
  if (settings.ipVersion !== asked.ipVersion || settings.personality !== asked.personality) {
    return runDrill(text, { ...options, ipVersion: settings.ipVersion, personality: settings.personality });
  }
  const run = new DrillRun(script, settings, chosen, definitions);
  let report: DrillReport = { ...asked, outcome: "pass" };
  try {
    run.play();
  } catch (error) {
    report = { ...report, ...stopped(error), line: run.event?.line ?? script.preparations[0]?.line, event: run.event?.text };
  }
  await run.close();
  return { ...report, ladder: run.ladder.lines, output: run.scope.output, duration: run.clock.now };
}

function blankReport(options: DrillOptions & { readonly personality: DrillReport["personality"] }): DrillReport {
  const { name = "script", personality, ipVersion = "ipv4" } = options;
  return { name, outcome: "pass", ipVersion, personality, differences: [], ladder: [], output: [], duration: 0 };
}

function stopped(error: unknown): Pick<DrillReport, "outcome" | "message"> & Partial<DrillReport> {
  if (error instanceof DrillStop) return { outcome: error.outcome, message: error.message, ...error.details };
  // A bug of this tool or of the stack: told as what it is, and not as a script that fails.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { outcome: "error", message: `internal error: ${message}` };
}

function definitionsFor(ipVersion: DrillIpVersion, personality: string, { definitions = {} }: DrillOptions): ReadonlyMap<string, string> {
  const version = ipVersion.replaceAll("-", "_");
  const names = [personality, personality.toUpperCase(), version, version.toUpperCase(), "NETSTRATA"];
  return new Map([...names.map((name) => [name, "1"] as const), ...Object.entries(DEFINITIONS[ipVersion]), ...Object.entries(definitions)]);
}
