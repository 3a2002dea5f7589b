// The command `sysctl`.
import { type CommandResult, type CommandWorld, FAILURE, SUCCESS } from "./command-world.ts";
import { applySysctl, SYSCTLS, sysctlName } from "./sysctl.ts";

/** @param assignments `name=value` */
export function setSysctls(assignments: readonly string[], world: CommandWorld): CommandResult | string {
  for (const assignment of assignments) {
    const at = assignment.indexOf("=");
    if (at < 0) return FAILURE;
    const changed = applySysctl(sysctlName(assignment.slice(0, at)), assignment.slice(at + 1), world.settings);
    if (typeof changed === "string") return changed;
    world.optionsChanged(changed);
  }
  return SUCCESS;
}

/** `sysctl -w name=value …`, `sysctl name=value`, `sysctl -n name`; -q, -e and -i only change what is printed. */
export function sysctl(words: readonly string[], world: CommandWorld): CommandResult | string {
  const names = words.filter((word) => !word.startsWith("-"));
  const isBare = words.some((word) => /^-\w*n/.test(word));
  const isForgiving = words.some((word) => /^-\w*[ei]/.test(word));
  let output = "";
  for (const name of names) {
    if (name.includes("=")) {
      const done = setSysctls([name], world);
      if (typeof done !== "string" || (isForgiving && !SYSCTLS.has(sysctlName(name.split("=")[0])))) continue;
      return done;
    }
    const value = world.settings.sysctls.get(sysctlName(name));
    if (value === undefined) return `asking for the setting ${name}`;
    output += isBare ? `${value}\n` : `${sysctlName(name)} = ${value}\n`;
  }
  return { status: 0, output };
}
