// The curves by which CUBIC and BBR are known, drawn from connections that run.
import { Dumbbell, type FlowOptions } from "./dumbbell.ts";
import { type Band, type Plot, svgPlot } from "./svg-plot.ts";

const RATE = 1e7;
const ROUND_TRIP = 40;
const SEGMENT = 1460;

/** CUBIC and NewReno on a long, fast path: the concave and convex window between losses, beside the saw of NewReno. */
export function cubicCurves(): string {
  const run = (options: Partial<FlowOptions>): [number, number][] => {
    const points: [number, number][] = [];
    const world = new Dumbbell(1, { rate: 5e7, queue: 250 }, [{ roundTrip: 100, ...options }]);
    world.run(100_000, 100, (now) => points.push([now / 1000, world.flows[0].connection.info().congestionWindow / SEGMENT]));
    return points;
  };
  const panel = (title: string, points: [number, number][]): Plot["panels"][number] => ({
    title,
    unit: "window, in segments",
    series: [{ name: title, points }],
  });
  return svgPlot({
    title: "The window of CUBIC, and of NewReno on the same path",
    subtitle:
      "50 Mbit/s, 100 ms, a queue of 250 packets; after each loss CUBIC returns to the window before it, rests there, and then probes",
    unit: "seconds",
    panels: [panel("CUBIC", run({ congestionControl: "cubic" })), panel("NewReno", run({ congestionControl: "newreno" }))],
  });
}

/** BBR: rate, round trip and what is in flight, with the phases it goes through. */
export function bbrCurves(): string {
  const rate: [number, number][] = [];
  const roundTrip: [number, number][] = [];
  const inFlight: [number, number][] = [];
  const bands: Band[] = [];
  const every = 20;
  let received = 0;
  let since = 0;
  let phase = "startup";
  const world = new Dumbbell(1, { rate: RATE, queue: 200 }, [{ roundTrip: ROUND_TRIP, congestionControl: "bbr" }]);
  const seconds = 8;
  world.run(seconds * 1000, every, (now) => {
    const [flow] = world.flows;
    const info = flow.connection.info();
    const time = now / 1000;
    const { state } = (flow.connection as unknown as { tcb: { congestion: { state: string } } }).tcb.congestion;
    if (state !== phase || now === seconds * 1000) {
      if (phase === "startup" || phase === "drain" || phase === "probe-up" || phase === "probe-rtt")
        bands.push({ from: since, to: time, label: phase.replace("probe-", "") });
      since = time;
      phase = state;
    }
    // Smoothed over a round trip.
    if (now % ROUND_TRIP === 0) {
      rate.push([time, ((flow.received - received) * 8) / ROUND_TRIP / 1000]);
      received = flow.received;
    }
    roundTrip.push([time, info.smoothedRoundTripTime ?? 0]);
    inFlight.push([time, info.unacknowledged / SEGMENT]);
  });
  return svgPlot({
    title: "BBR: startup, drain, and probing for bandwidth and round trip",
    subtitle: "10 Mbit/s, 40 ms, a queue of 200 packets",
    unit: "seconds",
    bands,
    panels: [
      {
        title: "Goodput",
        unit: "Mbit/s",
        series: [{ name: "goodput", points: rate }],
        marks: [{ value: (RATE / 1e6) * (SEGMENT / 1500), label: "bottleneck" }],
      },
      {
        title: "Round trip",
        unit: "ms, smoothed",
        series: [{ name: "srtt", points: roundTrip }],
        marks: [{ value: ROUND_TRIP, label: "without a queue" }],
      },
      {
        title: "In flight",
        unit: "segments",
        series: [{ name: "in flight", points: inFlight }],
        marks: [{ value: (RATE / 8 / 1500) * (ROUND_TRIP / 1000), label: "bandwidth-delay product" }],
      },
    ],
  });
}

/** Two flows of a kind, the second one later: how soon they share. */
export function sharingCurves(): string {
  const run = (congestionControl: "cubic" | "bbr"): Plot["panels"][number] => {
    const world = new Dumbbell(1, { rate: RATE, queue: 67 }, [
      { roundTrip: ROUND_TRIP, congestionControl },
      { roundTrip: ROUND_TRIP, congestionControl, start: 10_000 },
    ]);
    const points: [number, number][][] = [[], []];
    const before = [0, 0];
    world.run(60_000, 500, (now) => {
      for (const [index, flow] of world.flows.entries()) {
        points[index].push([now / 1000, ((flow.received - before[index]) * 8) / 500 / 1000]);
        before[index] = flow.received;
      }
    });
    return {
      title: congestionControl === "cubic" ? "CUBIC" : "BBR",
      unit: "Mbit/s",
      series: points.map((series, index) => ({ name: `flow ${index + 1}`, points: series })),
    };
  };
  return svgPlot({
    title: "Two flows of a kind share a bottleneck",
    subtitle: "10 Mbit/s, 40 ms, a queue of two bandwidth-delay products; the second flow begins after ten seconds",
    unit: "seconds",
    panels: [run("cubic"), run("bbr")],
  });
}
