// The names that code blocks know: the fields of TCP_INFO, and the constants that they are compared with (linux/tcp.h).
import type { CodeScope } from "../code/code-block.ts";
import { type CodeValue, UnsupportedCode } from "../code/code-value.ts";

const STATES = "ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING NEW_SYN_RECV";
const CONGESTION_STATES = "Open Disorder CWR Recovery Loss";
const OPTIONS = "TIMESTAMPS SACK WSCALE ECN ECN_SEEN SYN_DATA USEC_TS TFO_CHILD";

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ...STATES.split(" ").map((name, index) => [`TCP_${name}`, index + 1] as const),
  ...CONGESTION_STATES.split(" ").map((name, index) => [`TCP_CA_${name}`, index] as const),
  ...OPTIONS.split(" ").map((name, index) => [`TCPI_OPT_${name}`, 2 ** index] as const),
]);

/** Names that only a stack can give a value to: one that this stack does not have is unsupported, not wrong. */
const OF_THE_STACK = /^(?:tcpi_|SK_MEMINFO_|TCPI_|TCP_|bbr_|vegas_|dctcp_|idiag_)/;

export class TcpInfoScope implements CodeScope {
  readonly output: string[] = [];
  private readonly variables: Map<string, CodeValue> = new Map();
  private readonly info: () => Readonly<Record<string, unknown>> | undefined;
  private readonly definitions: ReadonlyMap<string, string>;

  /** @param info TCP_INFO of the connection that the script is about */
  constructor(info: () => Readonly<Record<string, unknown>> | undefined, definitions: ReadonlyMap<string, string>) {
    this.info = info;
    this.definitions = definitions;
  }

  lookUp(name: string): CodeValue | UnsupportedCode {
    if (this.variables.has(name)) return this.variables.get(name);
    const constant = CONSTANTS.get(name);
    if (constant !== undefined) return constant;
    const value = this.info()?.[name];
    if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
    const definition = this.definitions.get(name);
    if (definition !== undefined) return Number.isNaN(Number(definition)) ? definition : Number(definition);
    return new UnsupportedCode(OF_THE_STACK.test(name) ? `${name}, which this stack does not tell` : `the name ${name} in code`);
  }

  assign(name: string, value: CodeValue): void {
    this.variables.set(name, value);
  }

  print(text: string): void {
    this.output.push(text);
  }
}
