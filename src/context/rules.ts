/**
 * Rules: the Markdown files below `.claude/rules`, of the project and of the user. A rule without `paths` counts from the start; one
 * with `paths` from the moment when a file that it is about is first touched. The built-in rule of cost is a part of the system prompt.
 */
import type { Origin, TextPart } from "../kernel/content.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { JsonObject } from "../kernel/json.ts";
import { type ContextFiles, type ContextPlace, joined, resolvedBelow, shownPath } from "./context-files.ts";
import { cutToBytes, framed, line } from "./frame.ts";
import { readFronted } from "./fronted-file.ts";
import { ALTERNATIVES_MAX, compileGlob, type Glob, GLOB_CHARS_MAX } from "./glob.ts";
import { originOf } from "./instructions.ts";
import { withoutComments } from "./markdown.ts";

const RULE_READ_BYTES_MAX = 256 * 1024;
/** What of one rule enters. Bytes. */
export const RULE_BYTES_MAX = 8 * 1024;
/** Files, and directories that are looked into. */
export const RULE_FILES_MAX = 100;
const RULE_DIRECTORIES_MAX = 50;
const RULE_ENTRIES_MAX = 500;
/** Directories below the rules' own. */
const RULE_DEPTH_MAX = 5;
const GLOBS_OF_ONE_MAX = 32;
/** Of all rules together: each touched path is held against them. */
const GLOBS_MAX = 200;

export interface Rule {
  /** Its path, as shown. */
  readonly name: string;
  readonly text: string;
  readonly origin: Origin;
  /** SHA-256 of the file. */
  readonly hash: string;
  /** What it is about; null is everything. */
  readonly paths: readonly string[] | null;
  /** Whether it is about this file, named below the project's top. */
  readonly isAbout: (path: string) => boolean;
}

export interface FoundRules {
  /** The user's before the project's, by name. */
  readonly rules: readonly Rule[];
  readonly findings: readonly string[];
}

export async function findRules(files: ContextFiles, untrusted: boolean): Promise<FoundRules> {
  const rules: Rule[] = [];
  const findings: string[] = [];
  let globs = 0;
  const roots: readonly ContextPlace[] = [
    { root: "claude", path: "rules" },
    { root: "project", path: ".claude/rules" },
  ];
  for (const place of roots.flatMap((root) => filesBelow(root, files, findings))) {
    const rule = await readRule(place, files, untrusted, findings);
    if (rule === null || rules.some(({ hash }) => hash === rule.hash)) continue;
    globs += rule.paths?.length ?? 0;
    if (rules.length < RULE_FILES_MAX && globs <= GLOBS_MAX) rules.push(rule);
    else findings.push(`${rule.name} is left out: there are too many rules`);
  }
  return { rules, findings };
}

/** Rules that come to count because of these files. @param loaded names of those that the session has already */
export function rulesDue(
  rules: readonly Rule[],
  touched: readonly string[],
  loaded: ReadonlySet<string>,
): readonly Rule[] {
  return rules.filter(({ name, paths, isAbout }) => paths !== null && !loaded.has(name) && touched.some(isAbout));
}

export function rulePart({ name, text, origin }: Rule): TextPart {
  return framed("rule", name, text, origin);
}

/** The file that a call of a file tool is about, below the top; null where it names none there. @param root absolute */
export function touchedPath(input: JsonObject, root: string): string | null {
  const given = input["path"] ?? input["file_path"];
  if (typeof given !== "string" || given === "") return null;
  if (!given.startsWith("/")) return resolvedBelow("", given);
  return given.startsWith(`${root}/`) ? resolvedBelow("", given.slice(root.length)) : null;
}

/** Markdown files below a directory, sorted by path. */
function filesBelow(root: ContextPlace, files: ContextFiles, findings: string[]): readonly ContextPlace[] {
  const found: ContextPlace[] = [];
  const open: { readonly place: ContextPlace; readonly depth: number }[] = [{ place: root, depth: 0 }];
  let directories = 0;
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const { place, depth } = next;
    if (++directories > RULE_DIRECTORIES_MAX) {
      findings.push(
        `${line(shownPath(root))} has more than ${String(RULE_DIRECTORIES_MAX)} directories: the others are left out`,
      );
      break;
    }
    const names = files.list(place, RULE_ENTRIES_MAX);
    if (names.found === "refused") findings.push(`${line(shownPath(place))} was not read: ${names.why}`);
    if (names.found !== "names") continue;
    if (names.cut)
      findings.push(
        `${line(shownPath(place))} has more than ${String(RULE_ENTRIES_MAX)} names: the others are left out`,
      );
    for (const { name, kind } of names.entries) {
      const below: ContextPlace = { root: place.root, path: joined(place.path, name) };
      if (name.toLowerCase().endsWith(".md")) {
        if (kind !== "directory") found.push(below);
      } else if (kind !== "file" && depth < RULE_DEPTH_MAX) open.push({ place: below, depth: depth + 1 });
    }
  }
  if (found.length > RULE_FILES_MAX)
    findings.push(`${line(shownPath(root))} has more than ${String(RULE_FILES_MAX)} files: the others are left out`);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(0, RULE_FILES_MAX);
}

function readRule(
  place: ContextPlace,
  files: ContextFiles,
  untrusted: boolean,
  findings: string[],
): Promise<Rule | null> {
  const reading = { files, bytes_max: RULE_READ_BYTES_MAX, findings };
  return readFronted(place, reading, ({ shown: name, hash, fields, body }) => {
    const paths = pathsIn(fields["paths"], name);
    const globs = paths?.map((path) => compiled(path, name)) ?? [];
    const text = withoutComments(body).trim();
    const kept = cutToBytes(text, RULE_BYTES_MAX);
    if (kept !== text) findings.push(`${name} is cut after ${String(RULE_BYTES_MAX)} bytes`);
    if (kept === "") return null;
    const isAbout = (path: string): boolean => globs.some((glob) => glob(path));
    return { name, text: kept, origin: originOf(place, untrusted), hash, paths, isAbout };
  });
}

/** A list, or one text with commas between its globs. */
function pathsIn(value: unknown, name: string): readonly string[] | null {
  if (value === undefined || value === null) return null;
  const given: readonly unknown[] =
    typeof value === "string" ? splitAtCommas(value) : Array.isArray(value) ? value : [0];
  const paths = given.filter((path) => typeof path === "string").map((path) => path.trim());
  if (paths.length !== given.length || paths.length > GLOBS_OF_ONE_MAX)
    throw invalid(name, `\`paths\` is no list of at most ${String(GLOBS_OF_ONE_MAX)} globs`);
  return paths.length === 0 ? null : paths;
}

/** Commas in braces belong to the glob. */
function splitAtCommas(text: string): readonly string[] {
  return text.split(/,(?![^{]*\})/).filter((one) => one.trim() !== "");
}

function compiled(glob: string, name: string): Glob {
  const fits = compileGlob(glob);
  if (fits !== null) return fits;
  const limits = `${String(GLOB_CHARS_MAX)} characters or ${String(ALTERNATIVES_MAX)} alternatives`;
  throw invalid(name, `the glob ${line(glob, 60)} has more than ${limits}`);
}

function invalid(name: string, why: string): HarnessError {
  return new HarnessError("config_invalid", `In ${name} ${why}.`, "Correct its front matter.");
}
