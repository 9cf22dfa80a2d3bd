/**
 * Cuts a long text for the model: its beginning and its end stay, whole lines where lines are short enough, and the gap
 * says how much is missing. Errors stand at the end of an output, what was being done at its beginning.
 */
export interface Clipped {
  readonly text: string;
  readonly clipped: boolean;
  readonly lines_left_out: number;
}

/** Of what is kept, the part that comes from the beginning. */
const HEAD_SHARE = 0.4;

/** @param gap makes the line that stands in for what is missing */
export function clipMiddle(text: string, chars_max: number, gap: (lines: number) => string): Clipped {
  if (text.length <= chars_max) return { text, clipped: false, lines_left_out: 0 };
  const head_max = Math.floor(chars_max * HEAD_SHARE);
  const head = endAtLine(text.slice(0, head_max));
  const tail = beginAtLine(text.slice(text.length - (chars_max - head_max)));
  const lines_left_out = countLines(text) - countLines(head) - countLines(tail);
  const shown = Math.max(1, lines_left_out);
  return { text: `${head}\n${gap(shown)}\n${tail}`, clipped: true, lines_left_out: shown };
}

/** Lines as an editor counts them: a last newline ends a line and begins none. */
export function countLines(text: string): number {
  if (text === "") return 0;
  const newlines = text.split("\n").length - 1;
  return text.endsWith("\n") ? newlines : newlines + 1;
}

/** Cuts a long line and says so. */
export function clipLine(line: string, chars_max: number): string {
  if (line.length <= chars_max) return line;
  return `${wholeAtEnd(line.slice(0, chars_max))}… [${String(line.length - chars_max)} more characters]`;
}

function endAtLine(text: string): string {
  const at = text.lastIndexOf("\n");
  return at > text.length / 2 ? text.slice(0, at) : wholeAtEnd(text);
}

function beginAtLine(text: string): string {
  const at = text.indexOf("\n");
  return at !== -1 && at < text.length / 2 ? text.slice(at + 1) : wholeAtStart(text);
}

/** Half of a character outside the basic plane is no text. */
function wholeAtEnd(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}

function wholeAtStart(text: string): string {
  return /^[\uDC00-\uDFFF]/.test(text) ? text.slice(1) : text;
}
