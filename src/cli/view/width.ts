/** How many columns a text takes at a terminal, and cutting it to fit. */
import { lazy } from "../../kernel/lazy.ts";

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /^[\p{M}\p{Cf}]+$/u;

/** Made when first used: it takes 8 ms, and a run that prints nothing wide never needs it. */
const graphemes = lazy(() => new Intl.Segmenter("en", { granularity: "grapheme" }));
/** Nearly every text: one column for each character. */
const PLAIN = /^[\x20-\x7e]*$/;

/** For text without escape sequences. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes().segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The text, or its beginning and `…`, in at most `columns`. */
export function truncated(text: string, columns: number): string {
  // A text has no more graphemes than UTF-16 units, and most have one column each.
  if (text.length <= columns && displayWidth(text) <= columns) return text;
  let width = 0;
  let kept = "";
  for (const { segment } of graphemes().segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns - 1) return `${kept}…`;
    kept += segment;
  }
  return kept;
}

export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

export interface Unit {
  readonly text: string;
  /** Which of the pieces it is of. */
  readonly piece: number;
}

/**
 * Breaks pieces that follow one another into rows of at most so many columns, between any two graphemes: nothing is left out,
 * blanks neither. At least one row, at least one grapheme in each further one.
 */
export function wrapped(pieces: readonly string[], first: number, others: number): readonly (readonly Unit[])[] {
  const rows: Unit[][] = [[]];
  let left = first;
  for (const [piece, text] of pieces.entries()) {
    for (const { segment } of graphemes().segment(text)) {
      const width = graphemeWidth(segment);
      if (width > left && (rows.at(-1)?.length ?? 0) > 0) {
        rows.push([]);
        left = others;
      }
      left -= width;
      const row = rows.at(-1);
      const last = row?.at(-1);
      if (row !== undefined && last?.piece === piece) row[row.length - 1] = { piece, text: last.text + segment };
      else row?.push({ piece, text: segment });
    }
  }
  return rows;
}

function graphemeWidth(grapheme: string): number {
  if (NO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
