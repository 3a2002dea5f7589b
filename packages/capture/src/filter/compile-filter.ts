// The everyday subset of tcpdump's filter language (pcap-filter(7)), from text to a test on dissected packets.
import type { Dissection } from "../dissect/dissection.ts";
import { hasOctets, isRelation, NAMED_NUMBERS, OPERATORS, octets, operation, relation } from "./filter-arithmetic.ts";
import type { FilterNode, Quantity, Test } from "./filter-node.ts";
import { PrimitiveReader } from "./filter-primitive.ts";
import type { Token } from "./filter-tokens.ts";
import { TokenReader } from "./token-reader.ts";

/** Parentheses, brackets and negations within one another. */
export const MAX_FILTER_DEPTH = 100;

/**
 * Compiles a filter: `host`, `net`, `port`, `portrange` with `src` and `dst`; `tcp udp icmp icmp6 arp ip ip6 igmp vlan ether`;
 * `less`, `greater`, `proto`; comparisons of `len`, numbers and octets such as `tcp[tcpflags] & (tcp-syn|tcp-fin) != 0`; `and`,
 * `or`, `not`, parentheses. `and` and `or` bind alike, from left to right, as in tcpdump. Other than there, a filter sees through
 * VLAN tags. An empty filter takes every packet.
 * @throws FilterError whose message shows the place with a caret
 */
export function compileFilter(text: string): (dissection: Dissection) => boolean {
  const tokens = new TokenReader(text);
  if (tokens.atEnd) return () => true;
  const parser = new FilterParser(tokens);
  const test = parser.asTest(parser.expression(), tokens.peek());
  if (!tokens.atEnd) throw tokens.error(`unexpected ${tokens.peek().text}`);
  return test;
}

class FilterParser {
  private readonly tokens: TokenReader;
  private readonly primitives: PrimitiveReader;
  private depth = 0;

  constructor(tokens: TokenReader) {
    this.tokens = tokens;
    this.primitives = new PrimitiveReader(tokens);
  }

  /** Terms joined by `and` and `or`. A single one may be a quantity: within parentheses that is allowed. */
  expression(): FilterNode {
    let left = this.term();
    for (;;) {
      const operator = this.tokens.take("and", "&&", "or", "||");
      if (operator === undefined) return left;
      const a = this.asTest(left, operator);
      const b = this.asTest(this.term(), this.tokens.peek());
      const isAnd = operator.text === "and" || operator.text === "&&";
      left = { kind: "test", test: isAnd ? (packet) => a(packet) && b(packet) : (packet) => a(packet) || b(packet) };
    }
  }

  /** Reports a quantity that nothing is compared with. */
  asTest(node: FilterNode, token: Token): Test {
    if (node.kind === "test") return node.test;
    throw this.tokens.error("expected a comparison, such as != 0", token);
  }

  private term(): FilterNode {
    if (this.tokens.take("not", "!") === undefined) return this.comparison();
    const inner = this.nested(() => this.term());
    const test = this.asTest(inner, this.tokens.peek());
    return { kind: "test", test: (packet) => !test(packet) };
  }

  private comparison(): FilterNode {
    const left = this.arithmetic(0);
    const operator = this.tokens.peek();
    if (!isRelation(operator.text)) return left;
    if (left.kind === "test") throw this.tokens.error(`nothing to compare in front of ${operator.text}`);
    this.tokens.next();
    return { kind: "test", test: relation(operator.text, left.quantity, this.quantity(0)) };
  }

  /** Operands joined by operators that bind closer than `precedence`; or a test, which stands alone. */
  private arithmetic(precedence: number, isQuantity = false): FilterNode {
    let left = this.operand(isQuantity);
    for (;;) {
      const operator = OPERATORS.get(this.tokens.peek().text);
      if (operator === undefined || operator.precedence <= precedence || left.kind === "test") return left;
      this.tokens.next();
      left = { kind: "quantity", quantity: operation(operator, left.quantity, this.quantity(operator.precedence)) };
    }
  }

  /** The same where only a quantity makes sense. */
  private quantity(precedence: number): Quantity {
    const token = this.tokens.peek();
    const node = this.arithmetic(precedence, true);
    if (node.kind === "quantity") return node.quantity;
    throw this.tokens.error("expected a number", token);
  }

  /** @param isQuantity false where `80` may stand for `port 80` */
  private operand(isQuantity: boolean): FilterNode {
    const { tokens } = this;
    const token = tokens.peek();
    if (tokens.take("(")) {
      const inner = this.nested(() => (isQuantity ? this.arithmetic(0, true) : this.expression()));
      tokens.expect(")");
      return inner;
    }
    if (hasOctets(token.text) && tokens.peek(1).text === "[") return { kind: "quantity", quantity: this.octets() };
    if (tokens.take("len")) return { kind: "quantity", quantity: ({ originalLength }) => originalLength };
    const number = isQuantity || isInArithmetic(tokens.peek(1)) ? numberOf(token) : undefined;
    if (number === undefined) return { kind: "test", test: this.primitives.read() };
    tokens.next();
    return { kind: "quantity", quantity: () => number };
  }

  /** `ip[2:2]`, `tcp[tcpflags]` */
  private octets(): Quantity {
    const { tokens } = this;
    const protocol = tokens.next().text;
    tokens.expect("[");
    const offset = this.nested(() => this.quantity(0));
    let size = 1;
    if (tokens.take(":")) {
      const token = tokens.next();
      size = Number(token.text);
      if (size !== 1 && size !== 2 && size !== 4) throw tokens.error("expected a size of 1, 2 or 4 octets", token);
    }
    tokens.expect("]");
    return octets(protocol, offset, size);
  }

  private nested<Result>(parse: () => Result): Result {
    if (this.depth === MAX_FILTER_DEPTH) throw this.tokens.error(`more than ${MAX_FILTER_DEPTH} levels`);
    this.depth += 1;
    const result = parse();
    this.depth -= 1;
    return result;
  }
}

function isInArithmetic(behind: Token): boolean {
  return isRelation(behind.text) || OPERATORS.has(behind.text);
}

function numberOf({ text }: Token): number | undefined {
  return NAMED_NUMBERS.get(text) ?? (/^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) >>> 0 : undefined);
}
