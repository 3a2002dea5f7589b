// How the values of kernel settings become options of the stack.

/** One option that a setting changes; its value undefined where the setting has one that this stack cannot take on. */
export interface Change {
  /** Undefined where there is nothing to change. */
  readonly option: string | undefined;
  readonly value: (text: string) => unknown;
}

/** What each setting changes, by its full name. */
export type SysctlTable = ReadonlyMap<string, readonly Change[]>;

export function option(name: string, value: (text: string) => unknown): readonly Change[] {
  return [{ option: name, value }];
}

export function number(name: string): readonly Change[] {
  return option(name, (text) => (Number.isFinite(Number(text)) ? Number(text) : undefined));
}

export function seconds(name: string): readonly Change[] {
  return option(name, (text) => (Number.isFinite(Number(text)) ? Number(text) * 1000 : undefined));
}

export function flag(name: string): readonly Change[] {
  return option(name, (text) => Number(text) !== 0);
}

export function choice(name: string, values: Readonly<Record<string, unknown>>): readonly Change[] {
  return option(name, (text) => (Object.hasOwn(values, text) ? values[text] : undefined));
}

/** Three numbers: the least, the one to begin with, by which `share` is divided, the most. */
export function triple(initial: string, most: string, share: number): readonly Change[] {
  const part =
    (index: number, divisor = 1) =>
    (text: string) =>
      Math.floor(Number(text.trim().split(/\s+/)[index]) / divisor) || undefined;
  return [
    { option: initial, value: part(1, share) },
    { option: most, value: part(2) },
  ];
}

/** A setting of which this stack knows but one value. */
export function onlyValue(value: string): readonly Change[] {
  return [{ option: undefined, value: (text) => (text === value ? value : undefined) }];
}

/** Settings of something that this stack has not, which may be turned off. */
export function onlyOff(prefix: string, names: string): (readonly [string, readonly Change[]])[] {
  return names.split(" ").map((name) => [`${prefix}.${name}`, onlyValue("0")] as const);
}

/** Settings that are taken and change nothing here. */
export function withoutEffect(prefix: string, names: string): (readonly [string, readonly Change[]])[] {
  return names.split(" ").map((name) => [`${prefix}.${name}`, []] as const);
}
