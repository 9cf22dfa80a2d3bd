/** Which paths a word of a command may name: absolute, `..` taken back, with what bash would expand left as wildcards. */
import { globSegments, isLiteral, literalSegment, type Segment, segmentText } from "./glob-overlap.ts";
import { literalSegments } from "./path-pattern.ts";

export interface PathStart {
  /** Every directory that a relative path may start in; at least one. */
  readonly cwds: readonly string[];
  readonly home: string;
}

export interface NamedPath {
  /** Absolute; several where braces or several directories are possible. */
  readonly paths: readonly (readonly Segment[])[];
  /** Without wildcards. */
  readonly literal: boolean;
  /** False where the value of an expansion is part of it: then it may climb out of every directory. */
  readonly sure: boolean;
}

/** Alternatives of one word; more are as good as unknown. */
const ALTERNATIVES_MAX = 64;

/** @returns null where it may name anything */
export function namedPath(text: string, plain: boolean, start: PathStart): NamedPath | null {
  if (text.includes("\0")) return null;
  const alternatives = plain ? [text] : braced(sourceText(text, start));
  if (alternatives === null || alternatives.length * start.cwds.length > ALTERNATIVES_MAX) return null;
  const paths: (readonly Segment[])[] = [];
  for (const alternative of alternatives) {
    for (const cwd of start.cwds) {
      const path = absolute(alternative, plain, cwd, start.home);
      if (path === null) return null;
      paths.push(path);
    }
  }
  const sure = plain || !alternatives.some((alternative) => alternative.includes(EXPANDED));
  return { paths, literal: paths.every((path) => path.every(isLiteral)), sure };
}

/** A literal path as text. */
export function pathText(path: readonly Segment[]): string {
  return `/${path.map(segmentText).join("/")}`;
}

function absolute(text: string, plain: boolean, cwd: string, home: string): readonly Segment[] | null {
  let rest = text;
  let base = literalSegments(cwd);
  if (!plain && /^~(?:\/|$)/.test(text)) {
    base = literalSegments(home);
    rest = text.slice(1);
  } else if (!plain && text.startsWith("~"))
    return null; // somebody else's home, or `~+` and `~-`
  else if (text.startsWith("/")) base = [];
  const path = [...base];
  for (const part of rest.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") path.pop();
    else path.push(plain ? literalSegment(part) : wild(part));
  }
  return path;
}

/** `**` of bash without globstar is `*`; with it, or where an expansion stands, it may be several directories. */
function wild(part: string): Segment {
  if (part === "**" || part.includes(EXPANDED)) return part.startsWith(".") && part !== EXPANDED ? loose(part) : "**";
  const [segment = "**"] = globSegments(part);
  return segment;
}

function loose(part: string): Segment {
  const [segment = "**"] = globSegments(part.replaceAll(EXPANDED, "*"));
  return segment;
}

/** Stands for an expansion whose value nobody knows. */
const EXPANDED = "\u0001";

/** What is known of a word that bash would change: the home and the directory are, other variables are not. */
function sourceText(text: string, { cwds, home }: PathStart): string {
  const [cwd = "/"] = cwds;
  return text
    .replaceAll(/\$\{HOME\}|\$HOME(?!\w)/g, home)
    .replaceAll(/\$\{PWD\}|\$PWD(?!\w)/g, cwds.length === 1 ? cwd : EXPANDED)
    .replaceAll("{}", EXPANDED)
    .replaceAll(/\$\([^)]*\)|`[^`]*`|\$\{[^}]*\}|\$\w+|\$[@*#?!$-]/g, EXPANDED)
    .replaceAll(/\$?'((?:[^'\\]|\\.)*)'/g, "$1")
    .replaceAll(/\$?"((?:[^"\\]|\\.)*)"/g, "$1")
    .replaceAll(/\\([^*?[\]])/g, "$1");
}

/** Alternatives of `{a,b}`; null for too many. `{1..3}` is any text. */
function braced(text: string): readonly string[] | null {
  let results: readonly string[] = [text.replaceAll(/\{[^{},]*\.\.[^{},]*\}/g, "*")];
  for (let round = 0; round < 8; round++) {
    if (!results.some((one) => /\{[^{}]*,[^{}]*\}/.test(one))) break;
    results = results.flatMap((one) => {
      const found = /\{([^{}]*,[^{}]*)\}/.exec(one);
      if (found === null) return [one];
      return (found[1] ?? "")
        .split(",")
        .map((piece) => one.slice(0, found.index) + piece + one.slice(found.index + found[0].length));
    });
    if (results.length > ALTERNATIVES_MAX) return null;
  }
  return results.includes(EXPANDED) ? null : results;
}
