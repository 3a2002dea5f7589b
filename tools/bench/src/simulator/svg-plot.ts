// Line plots as SVG, readable in light and dark: panels one above the other over the same time.

export interface Series {
  readonly name: string;
  /** x and y. */
  readonly points: readonly (readonly [number, number])[];
  /** As steps, the value of a point holding until the next. */
  readonly steps?: boolean;
}

export interface Band {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
  /** Lines across, such as the rate of the bottleneck. */
  readonly marks?: readonly { readonly value: number; readonly label: string }[];
}

export interface Plot {
  readonly title: string;
  readonly subtitle: string;
  readonly unit: string;
  readonly panels: readonly Panel[];
  /** Stretches of time with a name, behind all panels. */
  readonly bands?: readonly Band[];
}

const WIDTH = 900;
const PANEL_HEIGHT = 180;
const GAP = 46;
const LEFT = 64;
const RIGHT = 24;
const TOP = 78;
const BOTTOM = 44;
/** Too narrow for its name. */
const NARROW = 20;
const INNER = WIDTH - LEFT - RIGHT;

const STYLE = `
  .back { fill: #ffffff } .text { fill: #24292f } .quiet { fill: #6e7781 } .grid { stroke: #d8dee4; stroke-width: 1 }
  .mark { stroke: #6e7781; stroke-width: 1; stroke-dasharray: 5 4 } .band { fill: #eaeef2 }
  .line { fill: none; stroke-width: 1.75; stroke-linejoin: round } .s0 { stroke: #0969da } .s1 { stroke: #cf222e } .s2 { stroke: #1a7f37 }
  .k0 { fill: #0969da } .k1 { fill: #cf222e } .k2 { fill: #1a7f37 }
  text { font: 12px system-ui, sans-serif } .title { font-size: 17px; font-weight: 600 } .panel { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } .text { fill: #e6edf3 } .quiet { fill: #8d96a0 } .grid { stroke: #30363d } .mark { stroke: #8d96a0 } .band { fill: #161b22 }
    .s0 { stroke: #58a6ff } .s1 { stroke: #ff7b72 } .s2 { stroke: #56d364 } .k0 { fill: #58a6ff } .k1 { fill: #ff7b72 } .k2 { fill: #56d364 }
  }`;

/** The whole file. Two decimals, so that the same data make the same file everywhere. */
export function svgPlot(plot: Plot): string {
  const times = plot.panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([x]) => x)));
  const last = Math.max(...times);
  const x = (time: number): string => (LEFT + (INNER * time) / last).toFixed(2);
  const height = TOP + plot.panels.length * (PANEL_HEIGHT + GAP) - GAP + BOTTOM;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(plot.title)}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="back" width="${WIDTH}" height="${height}"/>`,
    `<text class="text title" x="${LEFT}" y="28">${escaped(plot.title)}</text>`,
    `<text class="quiet" x="${LEFT}" y="48">${escaped(plot.subtitle)}</text>`,
    ...(plot.bands ?? []).flatMap((band) => drawBand(band, x, height)),
    ...plot.panels.flatMap((panel, index) => drawPanel(panel, TOP + index * (PANEL_HEIGHT + GAP), x)),
    ...ticks(last).map((time) => `<text class="quiet" x="${x(time)}" y="${height - 22}" text-anchor="middle">${time}</text>`),
    `<text class="quiet" x="${WIDTH - RIGHT}" y="${height - 6}" text-anchor="end">${escaped(plot.unit)}</text>`,
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function drawBand({ from, to, label }: Band, x: (time: number) => string, height: number): string[] {
  const width = Number(x(to)) - Number(x(from));
  const shade = `<rect class="band" x="${x(from)}" y="${TOP - 12}" width="${width.toFixed(2)}" height="${height - TOP - BOTTOM + 12}"/>`;
  if (width < NARROW) return [shade];
  return [
    shade,
    `<text class="quiet" x="${x((from + to) / 2)}" y="${TOP - 16}" text-anchor="middle" style="font-size:10px">${escaped(label)}</text>`,
  ];
}

function drawPanel({ title, unit, series, marks = [] }: Panel, top: number, x: (time: number) => string): string[] {
  const values = [...series.flatMap(({ points }) => points.map(([, value]) => value)), ...marks.map(({ value }) => value)];
  const most = 1.08 * Math.max(1e-9, ...values);
  const y = (value: number): string => (top + PANEL_HEIGHT * (1 - value / most)).toFixed(2);
  const grid = ticks(most).flatMap((value) => [
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>`,
    `<text class="quiet" x="${LEFT - 8}" y="${(Number(y(value)) + 4).toFixed(2)}" text-anchor="end">${value}</text>`,
  ]);
  const lines = series.map(({ points, steps }, index) => `<path class="line s${index}" d="${path(points, x, y, steps === true)}"/>`);
  const across = marks.flatMap(({ value, label }) => [
    `<line class="mark" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>`,
    `<text class="quiet" x="${WIDTH - RIGHT - 4}" y="${(Number(y(value)) - 5).toFixed(2)}" text-anchor="end">${escaped(label)}</text>`,
  ]);
  const heading = `<text class="text panel" x="${LEFT}" y="${top - 6}">${escaped(title)} <tspan class="quiet">${escaped(unit)}</tspan></text>`;
  const names = series.length < 2 ? [] : series.map(({ name }, index) => `<tspan class="k${index}" dx="14">${escaped(name)}</tspan>`);
  const key = names.length === 0 ? [] : [`<text x="${WIDTH - RIGHT}" y="${top - 6}" text-anchor="end">${names.join("")}</text>`];
  return [...grid, ...across, ...lines, heading, ...key];
}

function path(points: Series["points"], x: (time: number) => string, y: (value: number) => string, steps: boolean): string {
  return points.map(([time, value], index) => `${index === 0 ? "M" : steps ? `H${x(time)}L` : "L"}${x(time)} ${y(value)}`).join("");
}

/** Round numbers, five or so. */
function ticks(most: number): number[] {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
