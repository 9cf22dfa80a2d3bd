/**
 * Globs of rules, which a repository's own files hold: `*`, `**`, `?`, `[a-z]` and `{a,b}` over paths with `/`. Written here because
 * patterns that are made for it keep a regular expression busy for hours; this one takes the length of the glob times that of
 * the path, at most.
 *
 * B1: a glob comes to at most `ALTERNATIVES_MAX` without braces.
 */

/** Characters. */
export const GLOB_CHARS_MAX = 200;
export const ALTERNATIVES_MAX = 16;
/** A longer path fits no glob. Characters. */
export const PATH_CHARS_MAX = 1_024;

export type Glob = (path: string) => boolean;

type Letter = string | { readonly any: "one" | "many" } | { readonly set: readonly string[]; readonly not: boolean };
/** Null is `**`: names, or none. */
type Segment = readonly Letter[] | null;

/** Null where the text is too long or says too much. */
export function compileGlob(glob: string): Glob | null {
  if (glob.length > GLOB_CHARS_MAX || glob.trim() === "") return null;
  const alternatives = expanded(glob.trim().replace(/^(?:\.?\/)+/, ""));
  if (alternatives === null) return null;
  const compiled = alternatives.map((one) => segmentsOf(one.endsWith("/") ? `${one}**` : one));
  return (path) => {
    if (path.length > PATH_CHARS_MAX) return false;
    const names = path.split("/").map((name) => [...name]);
    return compiled.some((segments) => fits(segments, names, isMany, segmentFits));
  };
}

/** Without braces. B1. */
function expanded(glob: string): readonly string[] | null {
  const done: string[] = [];
  for (const open = [glob]; ;) {
    const next = open.pop();
    if (next === undefined) return done;
    const braces = /\{([^{}]*)\}/.exec(next); // an innermost one
    if (braces === null) done.push(next);
    else {
      const { 0: all, 1: inside = "", index } = braces;
      const rest = next.slice(index + all.length);
      open.push(...inside.split(",").map((one) => next.slice(0, index) + one + rest));
    }
    if (done.length + open.length > ALTERNATIVES_MAX) return null;
  }
}

function segmentsOf(glob: string): readonly Segment[] {
  const segments = glob.split("/").filter((name) => name !== "" && name !== ".");
  return segments.map((name) => (name === "**" ? null : lettersOf([...name])));
}

function lettersOf(name: readonly string[]): readonly Letter[] {
  const letters: Letter[] = [];
  for (let i = 0; i < name.length; i++) {
    const letter = name[i] ?? "";
    const end = letter === "[" ? name.indexOf("]", i + 2) : -1;
    if (letter === "*") letters.push({ any: "many" });
    else if (letter === "?") letters.push({ any: "one" });
    else if (end !== -1) {
      const not = name[i + 1] === "!" || name[i + 1] === "^";
      letters.push({ set: name.slice(i + (not ? 2 : 1), end), not });
      i = end;
    } else letters.push(letter);
  }
  return letters;
}

function segmentFits(segment: Segment, name: readonly string[]): boolean {
  return segment !== null && fits(segment, name, isStar, letterFits);
}

function isMany(segment: Segment): boolean {
  return segment === null;
}

function isStar(letter: Letter): boolean {
  return typeof letter === "object" && "any" in letter && letter.any === "many";
}

function letterFits(letter: Letter, wanted: string): boolean {
  if (typeof letter === "string") return letter === wanted;
  if ("any" in letter) return true;
  const within = letter.set.some((one, i) => {
    const ranged = one === "-" && i > 0 && i < letter.set.length - 1;
    return ranged ? wanted >= (letter.set[i - 1] ?? "") && wanted <= (letter.set[i + 1] ?? "") : one === wanted;
  });
  return within !== letter.not;
}

/** The pattern's wildcards stand for any number of items; only the last one that was passed is ever tried again. */
function fits<P, T>(
  pattern: readonly P[],
  items: readonly T[],
  isWild: (one: P) => boolean,
  same: (one: P, item: T) => boolean,
): boolean {
  let p = 0;
  let wild = -1;
  let from = 0;
  for (let i = 0; i < items.length;) {
    const one = pattern[p];
    if (one !== undefined && isWild(one)) {
      wild = p++;
      from = i;
    } else if (one !== undefined && same(one, items[i] as T)) {
      p += 1; // `i` is below the length: the item is there
      i += 1;
    } else if (wild === -1) return false;
    else {
      p = wild + 1;
      i = ++from;
    }
  }
  return pattern.slice(p).every(isWild);
}
