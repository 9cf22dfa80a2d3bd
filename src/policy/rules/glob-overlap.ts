/**
 * Globs of paths, as lists of segments. One question is asked of them: may two globs name the same path? A literal path is a
 * glob without wildcards, so this is matching, too. No regular expressions: time is bounded by the product of the lengths.
 */
import { onGrid } from "./on-grid.ts";

type Token = { readonly literal: string } | "any" | "star";
export type Segment = readonly Token[] | "**";

/** Segments of one glob; a longer one is treated as one that may name anything. */
const SEGMENTS_MAX = 200;

/** A glob with `*`, `?`, `[…]` (taken as any one character), `**` as a whole segment, and `\` before a literal character. */
export function globSegments(glob: string): readonly Segment[] {
  const parts = glob.split("/");
  if (parts.length > SEGMENTS_MAX) return ["**"];
  return parts.map((part) => (part === "**" ? "**" : tokensOf(part)));
}

export function literalSegment(text: string): Segment {
  return [...text].map((literal) => ({ literal }));
}

export function isLiteral(segment: Segment): boolean {
  return segment !== "**" && segment.every((token) => typeof token === "object");
}

/** The text of a literal segment; wildcards as `*`. */
export function segmentText(segment: Segment): string {
  if (segment === "**") return "**";
  return segment.map((token) => (typeof token === "object" ? token.literal : token === "any" ? "?" : "*")).join("");
}

function tokensOf(part: string): readonly Token[] {
  const tokens: Token[] = [];
  const characters = [...part];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? "";
    if (character === "*") {
      if (tokens.at(-1) !== "star") tokens.push("star");
    } else if (character === "?") tokens.push("any");
    else if (character === "[" && characters.indexOf("]", i + 2) !== -1) {
      tokens.push("any");
      i = characters.indexOf("]", i + 2);
    } else if (character === "\\" && i + 1 < characters.length) tokens.push({ literal: characters[++i] ?? "" });
    else tokens.push({ literal: character });
  }
  return tokens;
}

export interface OverlapOptions {
  /** On a file system that does not tell `A` from `a` they are one file. */
  readonly fold_case: boolean;
  /** Where the words have `**` every pattern would be a directory in it: then only what ends together is the same. */
  readonly to_the_end?: boolean;
}

/**
 * Whether some path is named by both. In `words` a wildcard does not stand for a leading dot, as in bash; in `pattern` it does,
 * as in gitignore. A pattern that names a directory names what is below it.
 */
export function overlaps(pattern: readonly Segment[], words: readonly Segment[], options: OverlapOptions): boolean {
  return onGrid(words.length + 1, (i, j, from) => {
    // The pattern is used up: it names this, or a directory above.
    if (i === pattern.length) return options.to_the_end !== true || words.slice(j).every((word) => word === "**");
    const segment = pattern[i] ?? "**";
    const word = words[j];
    if (segment === "**") {
      // A trailing `**` names what is below, not the directory itself.
      if (i === pattern.length - 1) return j < words.length;
      return from(i + 1, j) || (j < words.length && from(i, j + 1));
    }
    if (word === undefined) return false;
    if (word === "**") return from(i, j + 1) || from(i + 1, j);
    return segmentsOverlap(segment, word, options) && from(i + 1, j + 1);
  });
}

function segmentsOverlap(pattern: readonly Token[], word: readonly Token[], { fold_case }: OverlapOptions): boolean {
  const [first] = pattern;
  const [begin] = word;
  if (typeof first === "object" && first.literal === "." && typeof begin === "string") return false;
  const same = (a: string, b: string): boolean => a === b || (fold_case && foldCase(a) === foldCase(b));
  return onGrid(word.length + 1, (i, j, from) => {
    const a = pattern[i];
    const b = word[j];
    if (a === undefined && b === undefined) return true;
    if (a === "star") return from(i + 1, j) || (b !== undefined && from(i, j + 1));
    if (b === "star") return from(i, j + 1) || (a !== undefined && from(i + 1, j));
    if (a === undefined || b === undefined) return false;
    if (typeof a === "object" && typeof b === "object" && !same(a.literal, b.literal)) return false;
    return from(i + 1, j + 1);
  });
}

/** As file systems fold: `ſ` is `S`, and a composed letter is the same as a decomposed one. */
export function foldCase(text: string): string {
  return text.normalize("NFKC").toUpperCase().toLowerCase();
}
