/**
 * Whether one rule says everything that another says, so that the other changes nothing.
 *
 * V1: sound, not complete: where it says yes, whatever the narrower rule is about is decided by the broader one. Wildcards of the
 *     narrower rule are taken as characters that only a wildcard of the broader one can stand for.
 * V2: of two rules that allow, the broader one has to allow in fact what the narrower one does: a `*` covers no words that are not
 *     on a program's list, no secrets and no protected paths.
 */
import { onGrid } from "../rules/on-grid.ts";
import type { PermissionRule } from "../../kernel/permissions.ts";
import { isProtectedPath } from "../../kernel/protected-paths.ts";
import { isSecretPath } from "../../kernel/secret-paths.ts";
import { type CommandPattern, globMatches } from "../rules/command-pattern.ts";
import { isLiteral, type Segment, segmentText } from "../rules/glob-overlap.ts";
import { meansCommand } from "../rules/loose-match.ts";
import { literalSegments, type PathPattern, type PathPlaces } from "../rules/path-pattern.ts";
import type { ParsedRule } from "../rules/rule.ts";
import { runsItsWords } from "../rules/running-words.ts";
import { toolKind } from "../rules/tools.ts";
import { readProgram } from "../shell/programs/read-program.ts";

type Behavior = PermissionRule["behavior"];

export interface ReadRule {
  readonly behavior: Behavior;
  readonly parsed: ParsedRule;
}

const STRENGTH: { readonly [B in Behavior]: number } = { allow: 0, ask: 1, deny: 2 };

export function covers(broad: ReadRule, narrow: ReadRule, places: PathPlaces): boolean {
  if (STRENGTH[broad.behavior] < STRENGTH[narrow.behavior]) return false;
  const allows = broad.behavior === "allow";
  const [a, b] = [broad.parsed, narrow.parsed];
  if (JSON.stringify(a) === JSON.stringify(b)) return true;
  switch (a.kind) {
    case "tool":
      return coversTool(a.tool, b, allows);
    case "command":
      return b.kind === "command" && (allows ? allowsAll(a.pattern, b.pattern) : restrictsAll(a.pattern, b.pattern));
    case "path":
      return b.kind === "path" && coversFiles(a, b, { places, allows });
    case "domain":
      return b.kind === "domain" && coversHost(a.host, b.host);
    case "mcp":
    case "named":
      return coversNamed(a, b);
    case "param":
      return false;
  }
}

function coversNamed(a: Extract<ParsedRule, { kind: "mcp" | "named" }>, b: ParsedRule): boolean {
  if (a.kind === "mcp") return b.kind === "mcp" && globMatches(a.server, b.server) && globMatches(a.name, b.name);
  return b.kind === "named" && a.tool === b.tool && globMatches(a.name, b.name);
}

function coversTool(tool: string, narrow: ParsedRule, allows: boolean): boolean {
  const name = narrow.kind === "mcp" ? `mcp__${narrow.server}__${narrow.name}` : narrow.tool;
  if (narrow.kind === "param") return !allows && globMatches(tool, name);
  const kind = toolKind(name);
  const byKind = (tool === "Edit" && kind === "write") || (tool === "Read" && kind === "read");
  if (!byKind && !globMatches(tool, name)) return false;
  return !allows || narrow.kind !== "path" || isPlain(narrow.pattern);
}

/** V2: what is secret or protected is allowed only by a rule that names it. */
function isPlain({ segments }: PathPattern): boolean {
  const path = segments.map(segmentText).join("/");
  return !isSecretPath(path) && !isSecretPath(path.replaceAll("*", "")) && !isProtectedPath(path.replaceAll("*", "x"));
}

type PathRule = Extract<ParsedRule, { kind: "path" }>;

function coversFiles(
  broad: PathRule,
  narrow: PathRule,
  { places, allows }: { readonly places: PathPlaces; readonly allows: boolean },
): boolean {
  if (!coversAccess(broad, narrow, allows) || !coversPath(broad.pattern, narrow.pattern, places)) return false;
  return !allows || isPlain(narrow.pattern);
}

function coversAccess(broad: PathRule, narrow: PathRule, allows: boolean): boolean {
  if (broad.tool === narrow.tool) return true;
  if (broad.access !== narrow.access) return false;
  return broad.tool === "Edit" || broad.tool === "Read" || (!allows && broad.tool === "Write");
}

function coversPath(broad: PathPattern, narrow: PathPattern, places: PathPlaces): boolean {
  return coversSegments(absolute(broad, places), absolute(narrow, places));
}

function absolute({ start, segments }: PathPattern, { cwd, home }: PathPlaces): readonly Segment[] {
  if (start === "root") return segments;
  const before = literalSegments(start === "home" ? home : cwd);
  return start === "anywhere" ? [...before, "**", ...segments] : [...before, ...segments];
}

/** A pattern that names a directory names what is below it: where the broader one ends, everything below is its own. */
function coversSegments(broad: readonly Segment[], narrow: readonly Segment[]): boolean {
  return onGrid(narrow.length + 1, (i, j, from) => {
    if (i === broad.length) return true;
    const [a, b] = [broad[i] ?? "**", narrow[j]];
    if (a === "**") {
      // At its end it names what is below, not the directory itself.
      if (i === broad.length - 1) return b !== undefined;
      return from(i + 1, j) || (b !== undefined && from(i, j + 1));
    }
    if (b === undefined || b === "**") return false;
    return coversSegment(a, b) && from(i + 1, j + 1);
  });
}

function coversSegment(broad: Exclude<Segment, "**">, narrow: Exclude<Segment, "**">): boolean {
  const from = (i: number, j: number): boolean => {
    const [a, b] = [broad[i], narrow[j]];
    if (a === undefined) return b === undefined;
    if (a === "star") return from(i + 1, j) || (b !== undefined && from(i, j + 1));
    if (b === undefined || b === "star") return false;
    if (a === "any") return from(i + 1, j + 1);
    return typeof b === "object" && a.literal === b.literal && from(i + 1, j + 1);
  };
  // More stars than this in one name are nobody's rule, and would take their time.
  return isLiteral(narrow) || broad.filter((token) => token === "star").length <= STARS_MAX ? from(0, 0) : false;
}

const STARS_MAX = 3;

function coversHost(broad: string, narrow: string): boolean {
  if (!broad.startsWith("*.")) return broad === narrow;
  const host = narrow.replace(/^\*\./, "");
  return narrow.startsWith("*.")
    ? `.${host}`.endsWith(broad.slice(1))
    : host.endsWith(broad.slice(1)) && host.length > broad.length - 1;
}

/** Between words: no argument can hold it. */
const BREAK = "\0";

function coversText(broad: CommandPattern, narrow: CommandPattern): boolean {
  const glob = broad.words.join(BREAK);
  const matches = (text: string): boolean =>
    globMatches(glob, text) || (broad.open && globMatches(`${glob}${BREAK}*`, text));
  const text = narrow.words.join(BREAK);
  return matches(text) && (!narrow.open || (broad.open && matches(`${text}${BREAK}*`)));
}

/** What restricts is matched loosely: also behind wrappers, and with options between the words. */
function restrictsAll(broad: CommandPattern, narrow: CommandPattern): boolean {
  if (coversText(broad, narrow)) return true;
  return (
    broad.open &&
    meansCommand(
      broad,
      narrow.words.map((text) => ({ text, plain: true })),
    )
  );
}

/** V2. */
function allowsAll(broad: CommandPattern, narrow: CommandPattern): boolean {
  if (!coversText(broad, narrow)) return false;
  const words = narrow.words.map((text) => ({ text, plain: true }));
  if (narrow.words.some(isElsewhere)) return false;
  return !runsItsWords(words, broad.words) && readProgram(words).kind !== "not_listed";
}

/** A path that the narrower rule names in its own words, and thereby opens. */
function isElsewhere(word: string): boolean {
  const value = word.slice(word.indexOf("=") + 1);
  return /^[/~]/.test(value) || value.split("/").includes("..") || isSecretPath(value) || isProtectedPath(value);
}
