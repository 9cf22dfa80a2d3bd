/**
 * What a Bash rule says of a command: words, with `*` for any text, over words too. ` *` (or `:*`) at the end is a word's
 * boundary: `ls *` is `ls` and `ls -la`, and never `lsof`.
 *
 * P1: an allow rule matches the words that bash hands over, never the source text; a word that is not known for sure matches a
 *     `*` and nothing else.
 */
import type { ShellWord } from "../shell/reading.ts";

export interface CommandPattern {
  /** Without the `*` at its end, quotes taken off. At least one. */
  readonly words: readonly string[];
  /** Whether anything may follow, as further words. */
  readonly open: boolean;
  /** No `*` at all: exactly this command. */
  readonly exact: boolean;
}

/** Between words of a joined command: no argument can hold it. */
const BREAK = "\0";
/** Stands for a word that is not known; no rule can hold it. */
const UNKNOWN = "\u0001";

/** @returns the pattern, or a sentence what is wrong with it */
export function parseCommandPattern(text: string): CommandPattern | string {
  const spaced = text.endsWith(":*") ? `${text.slice(0, -2)} *` : text;
  const words = patternWords(spaced);
  if (words === null) return `The quotes of \`${text}\` do not close.`;
  const open = words.length > 1 && words.at(-1) === "*";
  const kept = open ? words.slice(0, -1) : words;
  return { words: kept, open, exact: !open && !kept.some((word) => word.includes("*")) };
}

/** A rule is written as one would type the command: quotes hold a word together. */
function patternWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (const character of text) {
    if (quote !== null) {
      if (character === quote) quote = null;
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (character === " ") {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + character;
  }
  if (quote !== null) return null;
  if (word !== null) words.push(word);
  return words.length === 0 ? null : words;
}

/** P1. */
export function coversWords(pattern: CommandPattern, words: readonly ShellWord[]): boolean {
  if (words.some(({ text }) => text.includes(BREAK) || text.includes(UNKNOWN))) return false;
  if (!pattern.exact && (climbs(pattern, words) || goesElsewhere(pattern, words))) return false;
  const joined = words.map(({ text, plain }) => (plain ? text : UNKNOWN)).join(BREAK);
  const glob = pattern.words.join(BREAK);
  if (globMatches(glob, joined)) return true;
  return pattern.open && globMatches(`${glob}${BREAK}*`, joined);
}

/** `cat src/*` names a directory: `cat src/../x` leaves it. */
function climbs(pattern: CommandPattern, words: readonly ShellWord[]): boolean {
  if (!pattern.words.some((word) => word.includes("/") && word.includes("*"))) return false;
  return words.some(({ text }) => text.split(/[/=:,]/).includes("..") && !pattern.words.includes(text));
}

/** Switches of programs that fetch which say nothing of where to. */
const QUIET_SWITCH = /^-[sSfLkvIiqgG#]+$|^--(?:silent|show-error|fail|location|verbose|head|include|compressed|quiet)$/;

/** `curl https://example.com/*` names one address: a second one, a proxy or a file of addresses is none of its own. */
function goesElsewhere(pattern: CommandPattern, words: readonly ShellWord[]): boolean {
  const at = pattern.words.findIndex((word) => word.includes("://"));
  if (at === -1) return false;
  const fixed = pattern.words[at]?.split("*")[0] ?? "";
  const own = words.findIndex(({ text, plain }) => plain && text.startsWith(fixed));
  return words.some(({ text }, i) => i !== own && !pattern.words.includes(text) && !QUIET_SWITCH.test(text));
}

/** `*` is any text. Linear: the first piece from the left, the last at the end, the others in order between. */
export function globMatches(glob: string, text: string): boolean {
  const pieces = glob.split("*");
  const [first = ""] = pieces;
  if (pieces.length === 1) return glob === text;
  const last = pieces.at(-1) ?? "";
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
