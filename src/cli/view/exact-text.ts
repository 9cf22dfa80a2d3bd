/**
 * Text that a person judges, to the character: what a terminal would hide, turn round or act upon stands as a mark in its place.
 * Unlike `safe-text.ts`, which shows what can be read, nothing is left out here: whoever approves a command sees all of it.
 *
 * X1: every character of the text is there in order, as itself or as its mark; only long gaps are counted instead.
 * X2: the result has no control character but the line feed, no character without width, and no blank but U+0020.
 */
import { markOf, nameOf } from "../../kernel/invisible.ts";

/** More blanks in a row than this, or more empty lines, are counted instead: what follows them must not be pushed out of sight. */
const BLANKS_SHOWN_MAX = 40;
const EMPTY_LINES_SHOWN_MAX = 5;
/** Marks on one base character: more are drawn over what stands around it. */
const COMBINING_MAX = 2;

export interface ExactText {
  readonly text: string;
  /** What was marked, as `U+200B`, each once, in order. */
  readonly marked: readonly string[];
}

/** What a terminal acts upon, or what has no picture of its own; also private and unassigned characters. */
const UNSEEN = /^[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]$/u;
/** Blanks that are none for a shell. */
const OTHER_BLANK = /^\p{Zs}$/u;
const COMBINING = /^\p{M}$/u;

/** @param mark how a mark is drawn: `⟨U+200B⟩` */
export function exactText(text: string, mark: (name: string) => string = (name) => name): ExactText {
  const marked = new Set<string>();
  let shown = "";
  let combining = 0;
  let base = "";
  for (const character of text) {
    const isCombining = COMBINING.test(character);
    combining = isCombining ? combining + 1 : 0;
    if (!isCombining) base = character;
    if (isSeen(character) && (!isCombining || (combining <= COMBINING_MAX && isLetter(base)))) {
      shown += character;
      continue;
    }
    const code = character.codePointAt(0) ?? 0;
    if (code !== TAB) marked.add(nameOf(code));
    shown += mark(code === TAB ? "⟨TAB⟩" : markOf(code));
  }
  return { text: withoutGaps(shown, mark), marked: [...marked] };
}

/** Nothing unusual in a script. */
const TAB = 0x09;

function isSeen(character: string): boolean {
  if (character === " " || character === "\n") return true;
  return !UNSEEN.test(character) && !OTHER_BLANK.test(character);
}

function isLetter(character: string): boolean {
  return /^[\p{L}\p{Emoji}]$/u.test(character) && character > "\u007f";
}

function withoutGaps(text: string, mark: (name: string) => string): string {
  return text
    .replaceAll(GAP, (blanks) => mark(`⟨${blanks.length} blanks⟩`))
    .replaceAll(EMPTY_LINES, (lines) => `\n${mark(`⟨${lines.split("\n").length - 2} empty lines⟩`)}\n`);
}

const GAP = new RegExp(` {${BLANKS_SHOWN_MAX + 1},}`, "g");
const EMPTY_LINES = new RegExp(`\n(?: *\n){${EMPTY_LINES_SHOWN_MAX + 1},}`, "g");
