/** Tries the patterns of secrets where their anchors stand. */
import { type LiteralFinder, literalFinder } from "./literal-finder.ts";
import { SECRET_PATTERNS } from "./secret-patterns.ts";
import { MATCH_CHARS_MAX, type SecretPattern } from "./secret-pattern.ts";
import type { FoundSpan, Span } from "./span.ts";

interface Ranked {
  readonly pattern: SecretPattern;
  readonly rank: number;
}

interface Anchors {
  readonly finder: LiteralFinder;
  /** Of each literal: itself, and the patterns that it is an anchor of. */
  readonly literals: readonly { readonly text: string; readonly patterns: readonly Ranked[] }[];
}

/** Made when the first text is looked at: nothing at start-up. */
let made: Anchors | null = null;

function anchors(): Anchors {
  if (made !== null) return made;
  const byText = new Map<string, Ranked[]>();
  SECRET_PATTERNS.forEach((pattern, rank) => {
    for (const text of pattern.anchors) byText.set(text, [...(byText.get(text) ?? []), { pattern, rank }]);
  });
  const literals = [...byText].map(([text, patterns]) => ({ text, patterns }));
  made = { finder: literalFinder(literals.map(({ text }) => text)), literals };
  return made;
}

const NONE: readonly FoundSpan[] = [];
/** Anchors within one match that was not accepted: so many are tried again from there. A bound on work, as matches can be long. */
const TRIES_WITHIN_MAX = 8;

/** All that patterns find; they may overlap. */
export function patternSpans(text: string): readonly FoundSpan[] {
  let spans: FoundSpan[] | null = null;
  let done: Map<number, { readonly to: number; readonly tries: number }> | null = null;
  eachAnchor(text, ({ pattern, rank }, start) => {
    const looked = done?.get(rank);
    const within = looked !== undefined && start < looked.to;
    if (within && looked.tries === 0) return;
    const secret = secretAt(text, pattern, start);
    if (secret === null) return;
    const { from, to } = secret;
    // What was found holds no other of its kind.
    const accepted = pattern.accept?.(text.slice(from, to)) !== false;
    const tries = within ? looked.tries - 1 : TRIES_WITHIN_MAX;
    // Of each pattern, up to where it looked, and how often it may look there again.
    (done ??= new Map()).set(rank, { to: within ? Math.max(looked.to, to) : to, tries: accepted ? 0 : tries });
    if (accepted) (spans ??= []).push({ from, to, name: pattern.name, rank, guessed: pattern.guessed === true });
  });
  return spans ?? NONE;
}

/** How far an anchor may be from the end, without a match, when what follows can still make one. Characters. */
const UNDECIDED_CHARS_MAX = 1_200;

/**
 * Where a match may begin that goes on behind the text's end: its anchor stands in the last lines, or what it found so far reaches
 * there, or the text ends within a word.
 */
export function patternsOpenAt(text: string): number {
  const far = text.length - MATCH_CHARS_MAX;
  let open = text.length;
  // Of few different numbers of lines, and asked for at every anchor.
  const line_ends = new Map<number, number>();
  const settledBefore = (lines: number): number => {
    const known = line_ends.get(lines) ?? lineEndBefore(text, lines);
    line_ends.set(lines, known);
    return known;
  };
  eachAnchor(text, ({ pattern }, start) => {
    if (start >= open || start < far) return;
    const settled = settledBefore((pattern.lines ?? 1) + 1);
    const undecided = start >= settled && start >= text.length - UNDECIDED_CHARS_MAX;
    if (undecided || isUnended(text, pattern, start) || (matchEnd(text, pattern, start) ?? 0) > settled) open = start;
  });
  // What an expression looks back at: the rest of its word, and the word before that.
  if (open < text.length) open = wordBefore(text, Math.max(0, wordBefore(text, open) - 1));
  return Math.max(Math.min(open, wordBefore(text, text.length)), far, 0);
}

function eachAnchor(text: string, visit: (ranked: Ranked, start: number) => void): void {
  const { finder, literals } = anchors();
  finder.find(text, (literal, at) => {
    const anchor = literals[literal];
    if (anchor === undefined) return;
    const exact = text.startsWith(anchor.text, at);
    for (const ranked of anchor.patterns) {
      const start = at - (ranked.pattern.offset ?? 0);
      if (start >= 0 && (exact || ranked.pattern.pattern.ignoreCase)) visit(ranked, start);
    }
  });
}

function secretAt(text: string, { pattern }: SecretPattern, start: number): Span | null {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  if (match === null) return null;
  const to = start + match[0].length;
  return { from: to - (match.groups?.["secret"] ?? match[0]).length, to }; // the secret is the end of the match
}

function matchEnd(text: string, { pattern }: SecretPattern, start: number): number | null {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : null;
}

/** A block that began, and whose end is not there, or only just. */
function isUnended(text: string, { until }: SecretPattern, start: number): boolean {
  if (until === undefined) return false;
  const end = text.indexOf(until, start);
  return end < 0 || text.length - end < UNDECIDED_CHARS_MAX;
}

/** Where the n-th line end from the text's end stands, plain or escaped; 0 when there are fewer. */
function lineEndBefore(text: string, n: number): number {
  let place = text.length;
  for (let i = 0; i < n && place > 0; i++) {
    place = Math.max(0, text.lastIndexOf("\n", place - 1), text.lastIndexOf(String.raw`\n`, place - 1));
  }
  return place;
}

/** Where the run of characters begins, of which secrets are made, that ends at a place. */
function wordBefore(text: string, place: number): number {
  let from = place;
  while (from > 0 && isOfWord(text.charCodeAt(from - 1))) from -= 1;
  return from;
}

/** Printable ASCII without the blank. */
function isOfWord(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}
