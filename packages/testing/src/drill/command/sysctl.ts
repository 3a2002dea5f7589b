// `sysctl -w name=value`: kernel settings by their names there.
import { FREEBSD_SYSCTLS } from "./freebsd-sysctls.ts";
import { LINUX_SYSCTLS } from "./linux-sysctls.ts";
import { ownOptionName, ownOptionValue } from "./own-options.ts";
import type { Settings } from "./settings.ts";
import { type Change, option, type SysctlTable } from "./sysctl-value.ts";

export const SYSCTLS: SysctlTable = new Map([...LINUX_SYSCTLS, ...FREEBSD_SYSCTLS]);

/** `net/ipv4/tcp_sack`, as below /proc/sys, is net.ipv4.tcp_sack. */
export function sysctlName(text: string): string {
  return text
    .trim()
    .replace(/^\/proc\/sys\//, "")
    .replaceAll("/", ".");
}

/**
 * Takes a setting over.
 * @returns what was changed in TCP, or why it cannot be done here
 */
export function applySysctl(name: string, text: string, settings: Settings): Record<string, unknown> | string {
  const changes = SYSCTLS.get(name) ?? ownChanges(name);
  if (changes === undefined) return `the setting ${name}`;
  const value = text.trim().replace(/\s+/g, " ");
  const changed: Record<string, unknown> = {};
  for (const change of changes) {
    const taken = change.value(value);
    if (taken === undefined) return `the setting ${name}=${value}`;
    if (change.option === undefined) continue;
    changed[change.option] = taken;
  }
  settings.sysctls.set(name, value);
  Object.assign(settings.tcp, changed);
  return changed;
}

/** `netstrata.tcp.tailLossProbe=false` */
function ownChanges(setting: string): readonly Change[] | undefined {
  const name = ownOptionName(setting);
  return name === undefined ? undefined : option(name, (text) => ownOptionValue(name, text));
}
