// The picture of the demo: who there is, what joins them, and how far up each goes through the layers.
import { formatIp } from "@netstrata/core";
import type { Stack } from "@netstrata/socket";

const BOX = 20;
const GAP = 6;

/** The layers a packet passes in a host, and in a router, the topmost first. */
const HOST_LAYERS = ["HTTP", "TCP", "IPv4", "ARP, Ethernet"];
const ROUTER_LAYERS = ["", "", "IPv4", "ARP, Ethernet"];

/** @param hosts in the order of the wires between them */
export function renderPicture(hosts: readonly Stack[]): string[] {
  const last = hosts.length - 1;
  const layers = hosts.map((_, index) => (index === 0 || index === last ? HOST_LAYERS : ROUTER_LAYERS));
  const heights = HOST_LAYERS.map((_, level) => level);
  return [
    joined(
      hosts.map(({ name }) => center(name)),
      " ",
    ),
    ...heights.flatMap((level) => [
      joined(
        layers.map((own) => border(own, level)),
        " ",
      ),
      joined(
        layers.map((own) => (own[level] === "" ? " ".repeat(BOX) : `│${center(own[level], BOX - 2)}│`)),
        level === heights.length - 1 ? "─" : " ",
      ),
    ]),
    joined(
      hosts.map(() => `└${"─".repeat(BOX - 2)}┘`),
      " ",
    ),
    addresses(hosts),
  ].map((line) => line.trimEnd());
}

function border(own: readonly string[], level: number): string {
  if (own[level] === "") return " ".repeat(BOX);
  const isTop = level === 0 || own[level - 1] === "";
  return isTop ? `┌${"─".repeat(BOX - 2)}┐` : `├${"─".repeat(BOX - 2)}┤`;
}

function joined(cells: readonly string[], filler: string): string {
  return cells.join(filler.repeat(GAP));
}

function center(text: string, width: number = BOX): string {
  const left = Math.floor((width - text.length) / 2);
  return " ".repeat(left) + text + " ".repeat(width - text.length - left);
}

/** Each address under its host, on the side of the wire that it belongs to. */
function addresses(hosts: readonly Stack[]): string {
  return joined(
    hosts.map(({ layers }) => {
      const own = layers.internet.interfaces.filter(({ name }) => name !== "lo").flatMap(({ addresses: list }) => list);
      const [first, second] = own.map(({ address }) => formatIp(address));
      return second === undefined ? center(first) : first + second.padStart(BOX - first.length);
    }),
    " ",
  );
}
