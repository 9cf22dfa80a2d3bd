/** How texts of files stand in the context: each between marks that name its file, and that nothing inside can close. */
import { clipped } from "../kernel/clipped.ts";
import { type Origin, type TextPart, textPart } from "../kernel/content.ts";
import { type Found, neutralise } from "../kernel/neutralise.ts";

/** Marks of belay's own that a file's text must not hold. */
const OWN_MARK =
  /<(?=\s{0,8}\/?\s{0,8}(?:agents?|belay|continuity|environment|external|file|instructions|memory|phase|rule|skills?|summary)\b)/gi;
const NAME_CHARS_MAX = 200;

/**
 * A text of a file between its marks. Text of strangers gets none here: it goes between marks that cannot be guessed, which are
 * made where the parts come together.
 */
export function framed(mark: "instructions" | "rule", path: string, text: string, origin: Origin): TextPart {
  if (origin.untrusted === true) return textPart(text, origin);
  const inside = text.replaceAll(OWN_MARK, "&lt;").trim();
  return textPart(`<${mark} path=${JSON.stringify(line(path))}>\n${inside}\n</${mark}>`, origin);
}

/** What is quoted can neither end what holds it nor begin something of belay's own. */
export function withoutMarks(text: string, sign = "‹"): string {
  return text.replaceAll(OWN_MARK, sign);
}

/** On one line, without marks, and no longer than a name has to be: names are chosen by whoever made the file. */
export function line(text: string, chars_max: number = NAME_CHARS_MAX): string {
  const one = neutralise(text).text.replaceAll(/\s+/g, " ").replaceAll("<", "‹").replaceAll(">", "›").trim();
  return clipped(one, chars_max);
}

/** The beginning of a text that has at most so many bytes; whole lines where they are short enough. */
export function cutToBytes(text: string, bytes_max: number): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.byteLength <= bytes_max) return text;
  // A character that is cut in two becomes a replacement character at the end, at most three of them.
  const kept = bytes
    .subarray(0, Math.max(0, bytes_max))
    .toString("utf8")
    .replace(/\uFFFD{1,3}$/, "");
  const end = kept.lastIndexOf("\n");
  return end > kept.length / 2 ? kept.slice(0, end) : kept;
}

/** `3 invisible characters are shown as marks`; null where there were none. */
export function markedNote(found: readonly Found[]): string | null {
  const count = found.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return null;
  return `${count.toLocaleString("en-US")} invisible ${count === 1 ? "character is" : "characters are"} shown as marks`;
}
