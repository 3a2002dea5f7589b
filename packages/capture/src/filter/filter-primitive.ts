// Primitives: a test in a few words, such as `tcp`, `src host 10.0.0.1` or `udp dst portrange 5000-5010`.
import { type IpPrefix, isMulticast, parseIp, parseMac, parsePrefix } from "@netstrata/core";
import type { Test } from "./filter-node.ts";
import * as tests from "./filter-tests.ts";
import type { Token } from "./filter-tokens.ts";
import { parseNet } from "./net-text.ts";
import type { TokenReader } from "./token-reader.ts";

type IdType = "host" | "net" | "port" | "portrange" | "proto";

/** What stands in front of an address or a number. A bare one behind `and` or `or` has those of the one before. */
interface Qualifiers {
  readonly protocol: string | undefined;
  readonly direction: tests.Direction;
  readonly type: IdType;
}

const ID_TYPES: readonly string[] = ["host", "net", "port", "portrange", "proto"];
const LARGEST_PORT = 65535;
const LARGEST_VLAN = 4095;

const PORT_NAMES: ReadonlyMap<string, number> = new Map([
  ["ftp-data", 20],
  ["ftp", 21],
  ["ssh", 22],
  ["telnet", 23],
  ["smtp", 25],
  ["domain", 53],
  ["bootps", 67],
  ["bootpc", 68],
  ["tftp", 69],
  ["http", 80],
  ["pop3", 110],
  ["ntp", 123],
  ["imap", 143],
  ["snmp", 161],
  ["bgp", 179],
  ["https", 443],
]);

export class PrimitiveReader {
  private readonly tokens: TokenReader;
  private latest: Qualifiers | undefined;

  constructor(tokens: TokenReader) {
    this.tokens = tokens;
  }

  /** Reads one primitive. @throws FilterError */
  read(): Test {
    const { tokens } = this;
    const first = tokens.peek();
    if (!first.isWord) throw tokens.error("expected a protocol, an address or a number");
    if (tokens.take("vlan")) return tests.vlanTest(this.optionalNumber(LARGEST_VLAN));
    if (tokens.take("less")) return this.lengthTest((length, limit) => length <= limit);
    if (tokens.take("greater")) return this.lengthTest((length, limit) => length >= limit);
    if (tokens.take("multicast")) return tests.isMulticastFrame;
    if (tokens.take("broadcast")) return tests.isBroadcastFrame;
    const protocol = tests.PROTOCOLS.has(first.text) ? tokens.next().text : undefined;
    if (protocol !== undefined) {
      const special = this.castTest(protocol);
      if (special !== undefined) return special;
    }
    const direction = this.direction();
    const type = ID_TYPES.includes(tokens.peek().text) ? (tokens.next().text as IdType) : undefined;
    if (protocol !== undefined && direction === undefined && type === undefined) return tests.PROTOCOLS.get(protocol) as Test;
    const isBare = protocol === undefined && direction === undefined && type === undefined;
    const qualifiers: Qualifiers =
      isBare && this.latest !== undefined ? this.latest : { protocol, direction: direction ?? "src or dst", type: type ?? "host" };
    const test = this.id(qualifiers, isBare);
    this.latest = qualifiers;
    const base = qualifiers.protocol === undefined ? undefined : tests.PROTOCOLS.get(qualifiers.protocol);
    return base === undefined ? test : (dissection) => base(dissection) && test(dissection);
  }

  /** `ip multicast`, `ether broadcast` … */
  private castTest(protocol: string): Test | undefined {
    const isEther = protocol === "ether";
    if (isEther && this.tokens.take("broadcast")) return tests.isBroadcastFrame;
    if (!this.tokens.take("multicast")) return undefined;
    if (isEther) return tests.isMulticastFrame;
    const base = tests.PROTOCOLS.get(protocol) as Test;
    return (dissection) => base(dissection) && dissection.ip !== undefined && isMulticast(dissection.ip.destination);
  }

  /** `src`, `dst`, `src or dst`, `src and dst`. */
  private direction(): tests.Direction | undefined {
    const { tokens } = this;
    const first = tokens.take("src", "dst");
    if (first === undefined) return undefined;
    const conjunction = tokens.peek().text;
    const isBoth = (conjunction === "or" || conjunction === "and") && ["src", "dst"].includes(tokens.peek(1).text);
    // `src or dst port 53` is one direction; `src 10.0.0.1 or dst …` has an address in between.
    if (!isBoth || tokens.peek(1).text === first.text) return first.text as tests.Direction;
    tokens.next();
    tokens.next();
    return conjunction === "or" ? "src or dst" : "src and dst";
  }

  private id(qualifiers: Qualifiers, isBare: boolean): Test {
    const { direction, protocol, type } = qualifiers;
    const token = this.tokens.peek();
    if (!token.isWord) throw this.tokens.error(`expected ${isBare ? "an address" : `something behind ${type}`}`);
    switch (type) {
      case "host":
        return protocol === "ether" ? this.mac(direction) : this.host(direction, isBare);
      case "net":
        return tests.netTest(direction, this.net());
      case "port":
        return this.ports(direction, this.tokens.next(), false);
      case "portrange":
        return this.ports(direction, this.tokens.next(), true);
      case "proto":
        return this.protocolNumber();
    }
  }

  private host(direction: tests.Direction, isBare: boolean): Test {
    const token = this.tokens.next();
    const address = parseIp(token.text);
    if (address !== undefined) return tests.netTest(direction, parsePrefix(token.text) as IpPrefix);
    const what = isBare ? "unknown word" : "not an IP address (names are not looked up)";
    throw this.tokens.error(`${what}: ${token.text}`, token);
  }

  private mac(direction: tests.Direction): Test {
    const token = this.tokens.next();
    const address = parseMac(token.text);
    if (address === undefined) throw this.tokens.error(`not an Ethernet address: ${token.text}`, token);
    return tests.macTest(direction, address);
  }

  private net(): IpPrefix {
    const token = this.tokens.next();
    const mask = this.tokens.take("mask") === undefined ? undefined : this.tokens.next();
    const prefix = parseNet(token.text, mask?.text);
    if (prefix === undefined)
      throw this.tokens.error(`not a network: ${token.text}${mask === undefined ? "" : ` mask ${mask.text}`}`, token);
    return prefix;
  }

  private ports(direction: tests.Direction, token: Token, isRange: boolean): Test {
    // A service's name may have a hyphen of its own.
    const ends = !isRange || PORT_NAMES.has(token.text) ? [token.text] : token.text.split("-");
    const [first, last = first] = ends.map((end) => PORT_NAMES.get(end) ?? (/^[0-9]{1,5}$/.test(end) ? Number(end) : Number.NaN));
    if (ends.length > 2 || !(first <= LARGEST_PORT && last <= LARGEST_PORT)) {
      throw this.tokens.error(`not a ${isRange ? "range of ports" : "port"}: ${token.text}`, token);
    }
    return tests.portTest(direction, Math.min(first, last), Math.max(first, last));
  }

  private protocolNumber(): Test {
    const token = this.tokens.next();
    const name = token.text.replace(/^\\/, "");
    const number = tests.IP_PROTOCOLS.get(name) ?? (/^[0-9]{1,3}$/.test(name) ? Number(name) : Number.NaN);
    if (!(number <= 255)) throw this.tokens.error(`not an IP protocol: ${token.text}`, token);
    return tests.ipProtocolTest(number);
  }

  private lengthTest(holds: (length: number, limit: number) => boolean): Test {
    const limit = this.optionalNumber(0xffffffff);
    if (limit === undefined) throw this.tokens.error("expected a length");
    return ({ originalLength }) => holds(originalLength, limit);
  }

  private optionalNumber(largest: number): number | undefined {
    const token = this.tokens.peek();
    if (!/^[0-9]+$/.test(token.text)) return undefined;
    if (Number(token.text) > largest) throw this.tokens.error(`larger than ${largest}: ${token.text}`, token);
    return Number(this.tokens.next().text);
  }
}
