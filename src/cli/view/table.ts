/** Columns of text, as wide as they need to be. */
import { displayWidth, padded, truncated } from "./width.ts";

const GAP = "  ";

/** The last column is cut to fit; the others are as wide as their widest cell. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): readonly string[] {
  const widths = head.map((title, i) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[i] ?? ""))),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const last = Math.max(10, columns - before);
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? truncated(cell, last) : padded(cell, widths[i] ?? 0)))
      .join(GAP)
      .trimEnd(),
  );
}
