// Command lines taken apart as a shell would: words, quotes, `;`, `&&`, pipes, redirections. Nothing is ever given to a shell.

export interface ShellCommand {
  readonly words: readonly string[];
  /** `NAME=value` in front of the command. */
  readonly output: { readonly file: string; readonly append: boolean } | undefined;
}

/** Commands joined by `|`. */
export interface Pipeline {
  readonly commands: readonly ShellCommand[];
  /** What the former pipeline must have come to for this one to run. */
  readonly after: "always" | "success" | "failure";
  readonly isNegated: boolean;
}

const TOKEN =
  /(?<blank>[ \t\r]+|\\\r?\n)|(?<comment>#[^\n]*)|(?<redirect>(?:\d|&)?>{1,2}(?:&\d|&-)?|<)|(?<joint>&&|\|\||[;|\n])|(?<word>(?:\$\(\([^\n]*?\)\)|\$\{[^}\n]*\}|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*'|[^\s;|&<>"'\\])+)/y;

/** Undefined for what is no simple list of commands. */
export function readShell(text: string): Pipeline[] | undefined {
  const pipelines: Pipeline[] = [];
  let commands: ShellCommand[] = [];
  let words: string[] = [];
  let output: ShellCommand["output"];
  let after: Pipeline["after"] = "always";
  let redirect: string | undefined;
  const endCommand = (): void => {
    if (words.length > 0) commands.push({ words, output });
    words = [];
    output = undefined;
  };
  const endPipeline = (): void => {
    endCommand();
    if (commands.length === 0) return;
    const isNegated = commands[0].words[0] === "!";
    if (isNegated) commands[0] = { ...commands[0], words: commands[0].words.slice(1) };
    pipelines.push({ commands, after, isNegated });
    commands = [];
    after = "always";
  };
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) return undefined;
    const { joint, word } = groups;
    if (joint === "|") endCommand();
    else if (joint !== undefined) {
      endPipeline();
      if (joint === "&&") after = "success";
      if (joint === "||") after = "failure";
    } else if (groups["redirect"] !== undefined) redirect = groups["redirect"].includes("&") ? undefined : groups["redirect"];
    else if (word !== undefined && redirect !== undefined) {
      if (/^1?>/.test(redirect)) output = { file: unquote(word), append: redirect.endsWith(">>") };
      redirect = undefined;
    } else if (word !== undefined) words.push(unquote(word));
  }
  endPipeline();
  return pipelines;
}

/** Takes quotes away and reckons `$((…))`. */
function unquote(word: string): string {
  return word.replace(
    /\$\(\(([^\n]*?)\)\)|\\([\s\S])|"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'/g,
    (_, sum?: string, escaped?: string, double?: string, single?: string) => {
      if (sum !== undefined) return String(product(sum));
      if (double !== undefined) return unquote(double.replace(/\\(["\\$`])/g, "$1"));
      return single ?? (escaped === "\n" ? "" : (escaped ?? ""));
    },
  );
}

/** Sums of products of whole numbers: `15*1024*1024`. */
function product(text: string): number {
  return text
    .split("+")
    .map((term) => term.split("*").reduce((total, factor) => total * Number(factor.trim()), 1))
    .reduce((total, term) => total + term, 0);
}
