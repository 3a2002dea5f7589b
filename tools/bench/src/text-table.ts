// Columns for people.

/**
 * @param rows the first one is the heading
 * @param alignment one sign a column: `<` to the left, `>` to the right
 */
export function textTable(rows: readonly (readonly string[])[], alignment: string): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const cell = (text: string, column: number): string =>
    alignment[column] === "<" ? text.padEnd(widths[column]) : text.padStart(widths[column]);
  const line = (row: readonly string[]): string => row.map(cell).join("  ").trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const [heading, ...body] = rows;
  return `${[line(heading), rule, ...body.map(line)].join("\n")}\n`;
}
