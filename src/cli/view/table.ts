/** Columns of text, as wide as they need to be. */
import { displayWidth, padded, truncated } from "./width.ts";

const GAP = "  ";

/** The last column is not made narrower than this while another can be left out. */
const LAST_COLUMNS_WANTED = 20;
const LAST_COLUMNS_MIN = 8;

/**
 * As `tableLines`, but where the last column would become too narrow to be read, others are left out.
 * @param expendable their positions, the one that is missed least first
 * @param wanted columns of the terminal that the last column is to have
 */
export function fittingTableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
  expendable: readonly number[],
  wanted: number = LAST_COLUMNS_WANTED,
): readonly string[] {
  const kept = new Set(head.keys());
  const needed = (): number =>
    [...kept].slice(0, -1).reduce((sum, i) => sum + widthOf(head, rows, i) + GAP.length, wanted);
  for (const position of expendable) if (needed() > columns) kept.delete(position);
  const only = (cells: readonly string[]): readonly string[] => cells.filter((_, i) => kept.has(i));
  return tableLines(only(head), rows.map(only), columns);
}

function widthOf(head: readonly string[], rows: readonly (readonly string[])[], position: number): number {
  return Math.max(...[head, ...rows].map((cells) => displayWidth(cells[position] ?? "")));
}

/** The last column is cut to fit; the others are as wide as their widest cell. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): readonly string[] {
  const widths = head.map((_, i) => widthOf(head, rows, i));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const last = Math.max(LAST_COLUMNS_MIN, columns - before);
  return [head, ...rows].map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? truncated(cell, last) : padded(cell, widths[i] ?? 0)))
      .join(GAP)
      .trimEnd(),
  );
}
