// Columns for people: the first ones to the left, numbers to the right.

/** @param rows the first one is the heading; @param rightFrom the first column whose cells stand to the right */
export function textTable(rows: readonly (readonly string[])[], rightFrom: number): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column < rightFrom ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const [heading, ...body] = rows;
  return `${[line(heading), rule, ...body.map(line)].join("\n")}\n`;
}
