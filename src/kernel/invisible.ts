/**
 * Characters that nobody sees and that say something all the same: to a terminal, to a reader whom they turn the text round for,
 * or to a model, which reads them like any other. One table for all surfaces, and the visible marks that stand for them.
 *
 * V1: every control, format, surrogate, private, unassigned-for-ever and default-ignorable character, and every line separator
 *     but `\n`, is in the table; `\t` and `\n` are not.
 * V2: `restoreMarks` makes characters of this table only: no mark can stand for a letter.
 */

/** The members of a class in a regular expression with the flag `u`. Emoji sequences and joiners in words are told apart by `neutralise`. */
export const INVISIBLE =
  "\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f\\p{Cf}\\p{Cs}\\p{Co}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}";

/** Nearly every text: nothing in it is in the table. */
export const PLAIN_TEXT: RegExp = /^[\t\n\x20-\x7e]*$/;

export type InvisibleKind =
  | "bidi"
  | "clipboard"
  | "combining"
  | "control"
  | "escape_sequence"
  | "filler"
  | "format"
  | "hyperlink"
  | "line_separator"
  | "noncharacter"
  | "private_use"
  | "surrogate"
  | "tag"
  | "variation_selector"
  | "zero_width";

/** In order of code points; what is in none of them is told by `kindOf`. */
const RANGES: readonly (readonly [first: number, last: number, kind: InvisibleKind])[] = [
  [0x00, 0x1a, "control"],
  [0x1b, 0x1b, "escape_sequence"],
  [0x1c, 0x1f, "control"],
  [0x7f, 0x9f, "control"],
  [0x0300, 0x034e, "combining"],
  [0x0350, 0x036f, "combining"],
  [0x061c, 0x061c, "bidi"],
  [0x115f, 0x1160, "filler"],
  [0x180b, 0x180d, "variation_selector"],
  [0x180e, 0x180e, "zero_width"],
  [0x180f, 0x180f, "variation_selector"],
  [0x200b, 0x200d, "zero_width"],
  [0x200e, 0x200f, "bidi"],
  [0x2028, 0x2029, "line_separator"],
  [0x202a, 0x202e, "bidi"],
  [0x2060, 0x2065, "zero_width"],
  [0x2066, 0x2069, "bidi"],
  [0x3164, 0x3164, "filler"],
  [0xd800, 0xdfff, "surrogate"],
  [0xe000, 0xf8ff, "private_use"],
  [0xfdd0, 0xfdef, "noncharacter"],
  [0xfe00, 0xfe0f, "variation_selector"],
  [0xfeff, 0xfeff, "zero_width"],
  [0xffa0, 0xffa0, "filler"],
  [0xe0000, 0xe007f, "tag"],
  [0xe0100, 0xe01ef, "variation_selector"],
  [0xf0000, 0xffffd, "private_use"],
  [0x100000, 0x10fffd, "private_use"],
];

/** Of a character of the table. */
export function kindOf(code: number): InvisibleKind {
  if ((code & 0xfffe) === 0xfffe) return "noncharacter";
  return RANGES.find(([first, last]) => code >= first && code <= last)?.[2] ?? "format";
}

export function nameOf(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** `⟨U+200B⟩`, `⟨U+200B ×37⟩` */
export function markOf(code: number, count = 1): string {
  return count === 1 ? `⟨${nameOf(code)}⟩` : `⟨${nameOf(code)} ×${String(count)}⟩`;
}

/** A mark that repeats more often than this is left as it stands: it would make text without bound. */
const REPEATED_MAX = 10_000;
/** All that the marks of one text may become. Characters. */
const RESTORED_CHARS_MAX = 1_000_000;

const MARK = /⟨U\+([0-9A-F]{4,6})(?: ×([1-9][0-9]{0,5}))?⟩/g;
/** A lone surrogate cannot stand in a file. */
const RESTORABLE = new RegExp(`^(?!\\p{Cs})[${INVISIBLE}\\p{M}]$`, "u");

/** Marks back to the characters that they stand for: a model that copies text gives marks, and a file holds the characters. */
export function restoreMarks(text: string): string {
  if (!text.includes("⟨U+")) return text;
  let left = RESTORED_CHARS_MAX;
  return text.replace(MARK, (mark: string, hex: string, times: string | undefined) => {
    const code = Number.parseInt(hex, 16);
    const count = Number(times ?? 1);
    if (code > 0x10ffff || count > REPEATED_MAX || count > left) return mark;
    const character = String.fromCodePoint(code);
    if (!RESTORABLE.test(character)) return mark;
    left -= count;
    return character.repeat(count);
  });
}
