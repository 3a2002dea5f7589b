// Changed expectations: every script that each of them turns one of ours into has to fail, in the line that was changed.

export interface Mutation {
  readonly what: string;
  readonly line: number;
  readonly text: string;
}

/** A change of one line: what is changed, and the line. */
type Change = readonly [what: string, line: string];

const PERSONALITY_SECTION = /^#\s*(ifdef|ifndef|elif|else|endif)\s*(?:defined\()?(\w*)/;
/** A packet that has to come out: its time, the IP part, flags, sequence numbers and the rest. */
const OUTBOUND = /^(\s*[+\d.~*]*\s*>\s+)((?:\[[^\]]*\]\s*|\d+ > \d+\s+)*)([FSRPUEWA.0-7]+|-)( +)(\d+):(\d+)\((\d+)\)(.*)$/;
const RESULT = /^(.*\w\(.*\) = )(-?\d+)( E[A-Z]+)?(.*)$/;
/** What a call writes to where it is told to. */
const ANSWER = /^(.*\b(?:getsockopt|ioctl)\(.*?, \[)(\w+)(\].*)$/;
const READINESS = /^(.*revents=)([\w|]+)(\}.*)$/;
const READ_TEXT = /^(.*\b(?:read|recv)\(\d+, ")(.)(.*)$/;
const CODE = /^(.*\bassert\b.*?)(==|<=|>=|<|>)(.*)$/;
const OPPOSITE: Readonly<Record<string, string>> = { "==": "!=", "<": ">=", ">": "<=", "<=": ">", ">=": "<" };
const TIME = /^\s*(\+?)([\d.]+)(?:~(\+?)([\d.]+))?(?=\s)/;

export function mutationsOf(text: string, personality: string): Mutation[] {
  const lines = text.split("\n");
  const kept = keptLines(lines, personality);
  return lines.flatMap((line, index) =>
    (kept[index] ? changesOf(line.replace(/\s*\/\/.*$/, "")) : []).map(([what, changed]) => ({
      what,
      line: index + 1,
      text: [...lines.slice(0, index), changed, ...lines.slice(index + 1)].join("\n"),
    })),
  );
}

/** Which lines are for this personality, over IPv4; our scripts have no sections within sections. */
function keptLines(lines: readonly string[], personality: string): boolean[] {
  const isDefined = (name: string): boolean => name === personality || name === "ipv4";
  let isKept = true;
  let isChosen = false;
  return lines.map((line) => {
    const [, directive, name] = PERSONALITY_SECTION.exec(line) ?? [];
    if (directive === "ifdef" || directive === "ifndef") isChosen = isKept = isDefined(name) === (directive === "ifdef");
    else if (directive === "elif" || directive === "else") {
      isKept = !isChosen && (directive === "else" || isDefined(name));
      isChosen ||= isKept;
    } else if (directive === "endif") isKept = true;
    return isKept;
  });
}

function changesOf(line: string): Change[] {
  const packet = OUTBOUND.exec(line);
  if (packet !== null) return [...packetChanges(packet), ...timeChanges(line)];
  const code = CODE.exec(line);
  if (code !== null) return [["assertion", `${code[1]}${OPPOSITE[code[2]]}${code[3]}`]];
  const call = RESULT.exec(line);
  return call === null ? [] : [...callChanges(call), ...answerChanges(line)];
}

function callChanges([, head, result, errno, rest]: RegExpExecArray): Change[] {
  // Which descriptor is given out is the script's own choice.
  if (/\b(?:socket|accept4?)\(/.test(head) && errno === undefined) return [["failure instead of a descriptor", `${head}-1 EMFILE`]];
  const changed: Change[] = [["result", `${head}${Number(result) + 1}${rest}`]];
  if (errno !== undefined) changed.push(["errno", `${head}${result} ENOMEM`]);
  return changed;
}

function answerChanges(line: string): Change[] {
  const answer = ANSWER.exec(line);
  const readiness = READINESS.exec(line);
  const read = READ_TEXT.exec(line);
  return [
    ...(answer === null ? [] : [["value", `${answer[1]}${answer[2] === "77" ? "78" : "77"}${answer[3]}`] as const]),
    ...(readiness === null ? [] : [["revents", `${readiness[1]}POLLNVAL${readiness[3]}`] as const]),
    ...(read === null ? [] : [["octets", `${read[1]}${read[2] === "~" ? "^" : "~"}${read[3]}`] as const]),
  ];
}

function packetChanges([, head, ip, flags, gap, start, end, length, rest]: RegExpExecArray): Change[] {
  const line = (change: { flags?: string; by?: number; longer?: number; rest?: string; ip?: string }): string => {
    const { by = 0, longer = 0 } = change;
    const range = `${Number(start) + by}:${Number(end) + by + longer}(${Number(length) + longer})`;
    return `${head}${change.ip ?? ip}${change.flags ?? flags}${gap}${range}${change.rest ?? rest}`;
  };
  const plusOne = (what: string): Change[] => {
    const pattern = new RegExp(`\\b${what} (\\d+)`);
    if (!pattern.test(rest)) return [];
    return [
      [what, line({ rest: rest.replace(pattern, (_, value: string) => `${what} ${Number(value) === 65535 ? 0 : Number(value) + 1}`) })],
    ];
  };
  const changed: Change[] = [
    ["flags", line({ flags: flags.includes("F") ? flags.replace("F", "") || "-" : `F${flags}` })],
    ["PSH", line({ flags: flags.includes("P") ? flags.replace("P", "") : `P${flags}` })],
    ["no options", line({ rest: `${rest.replace(/<[^>]*>| payload.*/g, "")} <200 00>` })],
    ...plusOne("ack"),
    ...plusOne("win"),
    ...plusOne("urg"),
    ...plusOne("mss"),
    ...plusOne("wscale"),
    ...plusOne("ecr"),
  ];
  const text = /payload "(.)/.exec(rest)?.[1];
  // What the octets are says how many they are.
  if (text === undefined) changed.push(["length", line({ longer: 1 })]);
  else changed.push(["octets", line({ rest: rest.replace(`"${text}`, `"${text === "~" ? "^" : "~"}`) })]);
  // The number of a SYN is where the script begins to count.
  if (!flags.includes("S")) changed.push(["seq", line({ by: 1 })]);
  if (/\bsack \d/.test(rest))
    changed.push(["sack", line({ rest: rest.replace(/\bsack (\d+)/, (_, left: string) => `sack ${Number(left) + 1}`) })]);
  if (/\bttl \d/.test(ip)) changed.push(["ttl", line({ ip: ip.replace(/\bttl (\d+)/, (_, hops: string) => `ttl ${Number(hops) - 1}`) })]);
  if (/\btos 0x/.test(ip)) changed.push(["tos", line({ ip: ip.replace(/\btos 0x\w+/, "tos 0xfc") })]);
  if (/\bect0|\bnoecn/.test(ip)) changed.push(["ecn", line({ ip: ip.replace(/\bect0|\bnoecn/, "ce") })]);
  return changed;
}

/** Later than it comes, by more than any tolerance. */
function timeChanges(line: string): Change[] {
  const time = TIME.exec(line);
  if (time === null) return [];
  const [whole, plus, from, , to] = time;
  const late = Number(to ?? from) * 1.1 + 0.05;
  const changed = to === undefined ? `${plus}${late.toFixed(3)}` : `${plus}${late.toFixed(3)}~${plus}${(late + 0.1).toFixed(3)}`;
  return [["time", `${changed}${line.slice(whole.length)}`]];
}
