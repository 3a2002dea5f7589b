// Drops that also add to one of the classic counters of `/proc/net/snmp`: one table says both, and the clause.
import { type Counters, type DropReasons, Drops, type Host, type Layer, type PacketBuffer } from "@netstrata/core";

/** For each reason: the counter it adds to, and the clause that asks for the drop. */
export type DropTable<Reason extends string, Counter extends string> = Readonly<Record<Reason, readonly [Counter, string]>>;

export class DropCounters<Reason extends string, Counter extends string> extends Drops<Reason> {
  private readonly table: DropTable<Reason, Counter>;
  private readonly totals: Counters<Counter>;

  constructor(host: Host, layer: Layer, table: DropTable<Reason, Counter>, totals: Counters<Counter>) {
    super(host, layer, clausesOf(table));
    this.table = table;
    this.totals = totals;
  }

  override count(reason: Reason, packet?: PacketBuffer): void {
    this.totals[this.table[reason][0]] += 1;
    super.count(reason, packet);
  }
}

function clausesOf<Reason extends string>(table: DropTable<Reason, string>): DropReasons<Reason> {
  const reasons = Object.keys(table) as Reason[];
  return Object.fromEntries(reasons.map((reason) => [reason, table[reason][1]])) as DropReasons<Reason>;
}
