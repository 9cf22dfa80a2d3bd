/** Characters that bash, a grammar and a person would see differently. None of them is read. */

/** As in Claude Code: longer command lines are always asked about. */
export const CHARACTERS_MAX = 10_000;

// Tab and newline are the only control characters that a command line needs.
const CONTROL = /[^\P{Cc}\t\n]/u;
const BLANK = /[^\P{Z} ]/u;
// Braille blank and the Hangul fillers show nothing either, and are neither blanks nor ignorable.
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}\p{Cs}\p{Co}\u2800\u3164\uffa0\u115f\u1160]/u;

/** What stands against reading a text at all, as sentences. */
export function strangeCharacters(text: string): string[] {
  const problems: string[] = [];
  if (text.length > CHARACTERS_MAX)
    problems.push(`The command has ${text.length} characters; ${CHARACTERS_MAX} are read at most.`);
  for (const [pattern, what] of [
    [CONTROL, "a control character"],
    [BLANK, "a blank that is not a space"],
    [INVISIBLE, "an invisible character"],
  ] as const) {
    const found = pattern.exec(text);
    if (found !== null) problems.push(`The command holds ${what} (${codePoint(found[0])}).`);
  }
  return problems;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
