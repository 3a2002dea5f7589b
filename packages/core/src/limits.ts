// Limits: every table, queue and time that could grow has one, with a name, a default, and another value for who asks for it.

/**
 * The limits named in `defaults`, with the values of `changes` where there are any; undefined counts as none.
 * @throws RangeError for a value that is no number or negative: compared with it, nothing would ever be too much
 */
export function resolveLimits<Limits extends { readonly [Name in keyof Limits]: number }>(
  defaults: Limits,
  changes: Partial<Limits>,
): Limits {
  const limits = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof Limits & string)[]) {
    const value = changes[name];
    if (value === undefined) continue;
    if (!(value >= 0)) throw new RangeError(`${name} ${value}: not a limit`);
    limits[name] = value;
  }
  return limits;
}
