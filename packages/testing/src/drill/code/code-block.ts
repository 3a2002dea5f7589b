// `%{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%`: the part of Python that assertions are written in, read and carried out.
// Nothing is ever given to an interpreter of the platform.
import { COMPARISONS, FUNCTIONS, LEVELS, power } from "./code-operators.ts";
import { type CodeToken, readTokens } from "./code-tokens.ts";
import { CodeFailure, type CodeValue, isTrue, numberOf, show, UnsupportedCode } from "./code-value.ts";

/** Parentheses within parentheses. */
const DEEPEST = 64;
/** Words that begin what assertions do not need. */
const UNKNOWN_STATEMENTS: ReadonlySet<string> = new Set(
  "if elif else for while def class import from try with return del global lambda exec raise".split(" "),
);

export interface CodeScope {
  /** The value of a name; a string in return says that it is none that this tool knows. */
  lookUp(name: string): CodeValue | UnsupportedCode;
  assign(name: string, value: CodeValue): void;
  print(text: string): void;
}

/** @throws CodeFailure, UnsupportedCode */
export function runCode(text: string, scope: CodeScope): void {
  new CodeReader(readTokens(text), scope).run();
}

/** Reads and evaluates in one go: `isLive` is false in branches that are not taken. */
class CodeReader {
  private at = 0;
  private depth = 0;
  private isLive = true;
  private readonly tokens: readonly CodeToken[];
  private readonly scope: CodeScope;

  constructor(tokens: readonly CodeToken[], scope: CodeScope) {
    this.tokens = tokens;
    this.scope = scope;
  }

  run(): void {
    while (this.at < this.tokens.length) {
      if (this.tokens[this.at].kind === "end") this.at += 1;
      else this.statement();
    }
  }

  private statement(): void {
    const { kind, text } = this.tokens[this.at];
    const next = this.tokens[this.at + 1]?.text ?? "";
    if (kind === "name" && UNKNOWN_STATEMENTS.has(text)) throw new UnsupportedCode(`${text} in code`);
    if (this.takes("assert")) this.assertion();
    else if (kind === "name" && text === "print") this.print();
    else if (kind === "name" && next === "=") this.assignment(text);
    else if (kind === "name" && /^[-+*/%&|^]=$/.test(next)) this.change(text, next.slice(0, 1));
    else {
      if (!this.takes("pass")) this.list();
      this.endOfStatement();
    }
  }

  private assertion(): void {
    const condition = this.expression();
    const message = this.takes(",") ? this.expression() : undefined;
    this.endOfStatement();
    if (!isTrue(condition))
      throw new CodeFailure(message === undefined ? "the assertion does not hold" : `the assertion does not hold: ${show(message)}`);
  }

  private print(): void {
    this.at += 1;
    const value = this.tokens[this.at].kind === "end" ? "" : this.list();
    this.endOfStatement();
    this.scope.print(Array.isArray(value) ? value.map(show).join(" ") : show(value));
  }

  private assignment(name: string): void {
    this.at += 2;
    const value = this.list();
    this.endOfStatement();
    this.scope.assign(name, value);
  }

  private change(name: string, operator: string): void {
    this.at += 2;
    const operate = LEVELS.map((level) => level.get(operator)).find((each) => each !== undefined);
    const value = this.list();
    this.endOfStatement();
    if (operate !== undefined) this.scope.assign(name, operate(this.look(name), value));
  }

  /** `a` or `a, b`, which is a tuple. */
  private list(): CodeValue {
    const first = this.expression();
    if (!this.sees(",")) return first;
    const items = [first];
    while (this.takes(",")) if (!this.sees(")") && this.tokens[this.at].kind !== "end") items.push(this.expression());
    return items;
  }

  /** `a if condition else b` */
  private expression(): CodeValue {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new CodeFailure("parentheses within too many parentheses");
    const value = this.disjunction();
    let result = value;
    if (this.takes("if")) {
      const isChosen = isTrue(this.disjunction());
      this.expect("else");
      const other = this.expression();
      result = isChosen ? value : other;
    }
    this.depth -= 1;
    return result;
  }

  private disjunction(): CodeValue {
    let value = this.conjunction();
    while (this.takes("or")) {
      const other = this.when(!isTrue(value), () => this.conjunction());
      value = isTrue(value) ? value : other;
    }
    return value;
  }

  private conjunction(): CodeValue {
    let value = this.negation();
    while (this.takes("and")) {
      const other = this.when(isTrue(value), () => this.negation());
      value = isTrue(value) ? other : value;
    }
    return value;
  }

  private negation(): CodeValue {
    let isNegated = false;
    let count = 0;
    for (; this.takes("not"); count += 1) isNegated = !isNegated;
    const value = this.comparison();
    return count === 0 ? value : isTrue(value) !== isNegated;
  }

  /** `a <= b <= c` holds when both hold. */
  private comparison(): CodeValue {
    let left = this.level(0);
    let holds: CodeValue;
    for (let operator = this.comparisonOperator(); operator !== undefined; operator = this.comparisonOperator()) {
      const right = this.level(0);
      const isTrueHere = !this.isLive || isTrue(COMPARISONS.get(operator)?.(left, right));
      holds = (holds ?? true) === true && isTrueHere;
      left = right;
    }
    return holds ?? left;
  }

  private comparisonOperator(): string | undefined {
    if (this.sees("not") && this.tokens[this.at + 1]?.text === "in") {
      this.at += 2;
      return "not in";
    }
    const { kind, text } = this.tokens[this.at];
    if (kind === "string" || !COMPARISONS.has(text)) return undefined;
    this.at += 1;
    return text === "is" && this.takes("not") ? "is not" : text;
  }

  private level(index: number): CodeValue {
    if (index === LEVELS.length) return this.unary();
    let value = this.level(index + 1);
    for (;;) {
      const { kind, text } = this.tokens[this.at];
      const operate = kind === "operator" ? LEVELS[index].get(text) : undefined;
      if (operate === undefined) return value;
      this.at += 1;
      const right = this.level(index + 1);
      value = this.isLive ? operate(value, right) : 0;
    }
  }

  private unary(): CodeValue {
    const signs: string[] = [];
    while (this.sees("-") || this.sees("+") || this.sees("~")) signs.push(this.tokens[this.at++].text);
    let value = this.primary();
    if (this.takes("**")) value = this.nested(() => power(value, this.unary()));
    for (const sign of signs.reverse()) value = sign === "-" ? -numberOf(value) : sign === "~" ? -numberOf(value) - 1 : numberOf(value);
    return value;
  }

  private primary(): CodeValue {
    const { kind, text } = this.tokens[this.at];
    this.at += 1;
    if (kind === "number") return Number(text);
    if (kind === "string") return this.strings(text);
    if (kind === "name") return this.name(text);
    if (text === "(" || text === "[") return this.parenthesis(text === "(" ? ")" : "]");
    throw new CodeFailure(kind === "end" ? "the statement ends too early" : `${text} stands where a value should`);
  }

  private strings(first: string): string {
    let value = first;
    while (this.tokens[this.at].kind === "string") value += this.tokens[this.at++].text;
    return value;
  }

  private name(name: string): CodeValue {
    if (this.sees(".") || this.sees("[")) throw new UnsupportedCode(`${name}${this.tokens[this.at].text}… in code`);
    if (this.takes("(")) {
      const values = this.parenthesisItems(")");
      const call = FUNCTIONS.get(name);
      if (call === undefined) throw new UnsupportedCode(`${name}(…) in code`);
      return this.isLive ? call(values) : 0;
    }
    return this.isLive ? this.look(name) : 0;
  }

  private look(name: string): CodeValue {
    if (name === "True" || name === "False") return name === "True";
    if (name === "None") return undefined;
    const value = this.scope.lookUp(name);
    if (value instanceof UnsupportedCode) throw value;
    return value;
  }

  private parenthesis(closing: string): CodeValue {
    const before = this.at;
    const items = this.parenthesisItems(closing);
    const isTuple = closing === "]" || items.length !== 1 || (this.at - before > 1 && this.tokens[this.at - 2].text === ",");
    return isTuple ? items : items[0];
  }

  private parenthesisItems(closing: string): CodeValue[] {
    const items: CodeValue[] = [];
    while (!this.takes(closing)) {
      items.push(this.expression());
      if (!this.takes(",") && !this.sees(closing)) throw new CodeFailure(`${closing} is missing`);
    }
    return items;
  }

  private when(isLive: boolean, read: () => CodeValue): CodeValue {
    const before = this.isLive;
    this.isLive = before && isLive;
    const value = read();
    this.isLive = before;
    return value;
  }

  private nested(read: () => CodeValue): CodeValue {
    this.depth += 1;
    if (this.depth > DEEPEST) throw new CodeFailure("powers of too many powers");
    const value = read();
    this.depth -= 1;
    return value;
  }

  private sees(text: string): boolean {
    const token = this.tokens[this.at];
    return token.text === text && (token.kind === "operator" || token.kind === "name");
  }

  private takes(text: string): boolean {
    if (!this.sees(text)) return false;
    this.at += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.takes(text)) throw new CodeFailure(`${text} is missing`);
  }

  private endOfStatement(): void {
    const { kind, text } = this.tokens[this.at];
    if (kind !== "end") throw new CodeFailure(`${JSON.stringify(text)} is too much`);
    this.at += 1;
  }
}
