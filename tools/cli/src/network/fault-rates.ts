// `drop=2%,reorder=5%`: the faults of a link as people write them.
import { FAULTS, type Fault, type FaultRates } from "@netstrata/link";
import { readFraction } from "../argument-value.ts";
import { UsageError } from "../usage-error.ts";

export function readFaultRates(text: string, place: string): FaultRates {
  const rates: Partial<Record<Fault, number>> = {};
  for (const part of text.split(",")) {
    const [name, value, ...rest] = part.split("=");
    const fault = FAULTS.find((candidate) => candidate === name.trim());
    if (fault === undefined || value === undefined || rest.length > 0) {
      throw new UsageError(`${place}: ${JSON.stringify(part)} is not one of ${FAULTS.join(", ")} with a share, such as drop=2%`);
    }
    rates[fault] = readFraction(value.trim(), place);
  }
  return rates;
}
