// The one writable copy of an acknowledgment sample, filled in by the connection and lent to its congestion control.
import type { Milliseconds, SequenceNumber } from "@netstrata/core";
import type { AcknowledgmentSample, RateSample } from "./acknowledgment-sample.ts";

export class SampleRecord implements AcknowledgmentSample {
  now: Milliseconds = 0;
  octets = 0;
  limited = false;
  roundTrip: Milliseconds | undefined = undefined;
  smoothedRoundTrip: Milliseconds | undefined = undefined;
  una: SequenceNumber = 0;
  nxt: SequenceNumber = 0;
  inFlight = 0;
  lost = 0;
  recovering = false;
  rate: RateSample | undefined = undefined;
}
