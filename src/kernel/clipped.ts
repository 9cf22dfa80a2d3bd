/** A text that has at most so many characters; where some are left away, the last one says so. */
export function clipped(text: string, chars_max: number): string {
  return text.length <= chars_max ? text : `${text.slice(0, chars_max - 1).toWellFormed()}…`;
}
