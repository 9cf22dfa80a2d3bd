/** Path rules: where `//x`, `~/x`, `/x`, `./x` and `x` start, and which paths they name (gitignore's rules). */
import { globSegments, literalSegment, overlaps, type Segment } from "./glob-overlap.ts";

export interface PathPattern {
  readonly start: "root" | "home" | "workspace" | "anywhere";
  readonly segments: readonly Segment[];
}

export interface PathPlaces {
  readonly cwd: string;
  readonly home: string;
}

/** @returns the pattern, or a sentence what is wrong with it */
export function parsePathPattern(text: string): PathPattern | string {
  if (text.startsWith("!")) return "A path rule has no exceptions (`!`): deny what must not be, and allow the rest.";
  if (text === "") return "The path is empty.";
  const { start, rest } = startOf(text);
  const clean = rest
    .replace(/^(?:\.\/+)+/, "")
    .replace(/\/+$/, "")
    .replace(/\/{2,}/g, "/");
  if (clean.split("/").includes("..")) return "A path rule has no `..`: write the path from its start.";
  if (clean === "" || clean === ".") return { start, segments: ["**"] };
  return { start, segments: globSegments(clean) };
}

function startOf(text: string): { readonly start: PathPattern["start"]; readonly rest: string } {
  if (text.startsWith("//")) return { start: "root", rest: text.slice(2) };
  if (text === "~" || text.startsWith("~/")) return { start: "home", rest: text.slice(2) };
  if (text.startsWith("/")) return { start: "workspace", rest: text.slice(1) };
  const bare = text.replace(/\/+$/, "");
  // As in gitignore: a name without a slash is meant at every depth.
  return { start: text.startsWith("./") || bare.includes("/") || bare === "." ? "workspace" : "anywhere", rest: text };
}

/** @param path absolute, as segments. @param loosely also in another case of letters: for rules that forbid */
export function matchesPath(
  pattern: PathPattern,
  path: readonly Segment[],
  places: PathPlaces,
  loosely: boolean,
): boolean {
  return overlaps(absoluteSegments(pattern, places), path, { fold_case: loosely, to_the_end: path.includes("**") });
}

function absoluteSegments({ start, segments }: PathPattern, { cwd, home }: PathPlaces): readonly Segment[] {
  switch (start) {
    case "root":
      return segments;
    case "home":
      return [...literalSegments(home), ...segments];
    case "workspace":
      return [...literalSegments(cwd), ...segments];
    case "anywhere":
      return [...literalSegments(cwd), "**", ...segments];
  }
}

/** @param path absolute and normal */
export function literalSegments(path: string): readonly Segment[] {
  return path
    .split("/")
    .filter((part) => part !== "")
    .map(literalSegment);
}
