/**
 * One word of the source as a `ShellWord`: quotes are removed from literal pieces, and anything that bash would make
 * something of leaves the word not plain, with its source as text. An allow list of pieces; there is no other way to plain.
 */
import type { ShellWord } from "./reading.ts";

// `{}` and a lone bracket mean nothing to bash. No `~ ! * ? [ ] { } \ $ #` otherwise, and only ASCII: which byte of
// another letter a locale takes for a blank is not known.
const PIECE = /([A-Za-z0-9_@%+=:,./^-]+|\{\})|'([^']*)'|"((?:[^"$`\\!]|\\[^\n!])*)"|\\([.*?[\]();$"'|&<>#])/y;
/** In double quotes a backslash takes the meaning from these, and stands for itself before anything else. */
const ESCAPED = /\\([$`"\\])/g;
const LONE = new Set(["[", "]", "[[", "]]", "{", "}", "!"]);

export function readWord(source: string): ShellWord {
  if (LONE.has(source)) return { text: source, plain: true };
  let text = "";
  let at = 0;
  while (at < source.length) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(source);
    if (piece === null) return { text: source, plain: false };
    text += piece[1] ?? piece[2] ?? piece[3]?.replaceAll(ESCAPED, "$1") ?? piece[4] ?? "";
    at = PIECE.lastIndex;
  }
  // In a word of its own `#` would have been a comment; a number before it is nothing either. Both are not on the list.
  return { text, plain: true };
}

/** A word that is known only when the command runs. */
export function unknownWord(text: string): ShellWord {
  return { text, plain: false };
}
