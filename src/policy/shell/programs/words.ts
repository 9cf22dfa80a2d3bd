/**
 * What a word can become once bash has expanded it. A word that is not plain is source text; it may become no word, one or many,
 * and each may be an option. Only what is certain from the source counts.
 */
import type { ShellWord } from "../reading.ts";

/** A word that is `<(…)` and nothing else: bash hands over the name of a pipe, never an option. What is in it is a command of its own. */
export const PIPE_FILE = "<()";

const LITERAL = String.raw`[\w./:@%+=,-]`;
const QUOTED = String.raw`"(?:[^"\\\x60$]|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})*"`;

/** Literal characters and double quotes around plain variables: no splitting, no globbing. */
const ONE_WORD = new RegExp(`^(?:${LITERAL}|${QUOTED})+$`);
/** Every word that a glob or a brace makes keeps what stands before it. */
const FIXED_START = /^[A-Za-z0-9_./:@%+,][\w./:@%+=,^~*?[\]{}-]*$/;
const QUOTED_FIXED_START = /^"?[A-Za-z0-9_./:@%+,]/;
/** A home begins with a slash. */
const HOME_START = /^~\/[\w./:@%+,*?-]*$/;
const LONG_WITH_VALUE = new RegExp(`^(--[A-Za-z][A-Za-z0-9-]*)=((?:${LITERAL}|${QUOTED})+)$`);

/** Exactly one word, whatever the variables hold. */
export function isOneWord(word: ShellWord): boolean {
  return word.plain || ONE_WORD.test(word.text);
}

/** An operand for sure: nothing that it becomes starts with a dash. */
export function isOperand(word: ShellWord): boolean {
  if (word.plain) return !word.text.startsWith("-") || word.text === "-";
  return (
    FIXED_START.test(word.text) ||
    HOME_START.test(word.text) ||
    (ONE_WORD.test(word.text) && QUOTED_FIXED_START.test(word.text))
  );
}

/** `--format="$X"`: the option is certain, its value is one word. */
export function longWithValue(word: ShellWord): { readonly name: string; readonly value: ShellWord } | null {
  const match = LONG_WITH_VALUE.exec(word.text);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return { name: match[1], value: { text: match[2], plain: false } };
}

/** A tilde inside of a word, and braces without a list, stand for themselves: `HEAD~3`, `stash@{0}`. */
const INNER_MARKS = /^[A-Za-z0-9_./@^%+-](?:[A-Za-z0-9_./:@^%+~,-]|\{\d*\})*$/;
const ESCAPED_MARK = /^\\([();!])$/;

/** Words that are not plain for every program, but certain all the same. */
export function settled(word: ShellWord): ShellWord {
  if (word.plain) return word;
  if (word.text === PIPE_FILE) return { text: "/dev/fd/63", plain: true };
  const mark = ESCAPED_MARK.exec(word.text)?.[1];
  if (mark !== undefined) return { text: mark, plain: true };
  return INNER_MARKS.test(word.text) && !word.text.includes(":~") ? { text: word.text, plain: true } : word;
}
