/**
 * Skills: directories with a SKILL.md, of the user and of the project. The model is told their names and what they are for; the
 * text of one is read when it asks for it.
 *
 * S1: of two with one name the first counts, and the user's come before the project's: a repository replaces nothing of the user's.
 * S2: of a project that strangers wrote, no skill is offered.
 */
import { type Origin, type TextPart, textPart } from "../kernel/content.ts";
import { hashOf } from "../kernel/envelope.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { neutralise } from "../kernel/neutralise.ts";
import { isSecretPath } from "../kernel/secret-paths.ts";
import { type ContextFiles, type ContextPlace, joined, resolvedBelow, shownPath } from "./context-files.ts";
import { line } from "./frame.ts";
import { type FrontMatter, readFrontMatter } from "./front-matter.ts";
import { readFronted } from "./fronted-file.ts";
import { originOf } from "./instructions.ts";
import { textTokens } from "../kernel/bound.ts";

const SKILL_BYTES_MAX = 64 * 1024;
/** Of one directory of skills. */
const SKILL_ENTRIES_MAX = 200;
/** Of the specification. */
const NAME_CHARS_MAX = 64;
const DESCRIPTION_CHARS_MAX = 1_024;
const COMPATIBILITY_CHARS_MAX = 500;
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** A longer text is worth a word to who wrote it. */
const BODY_TOKENS_ADVISED = 5_000;

/** The whole listing, its head included. Tokens. */
export const LISTING_TOKENS_MAX = 600;
/** What of a description is listed; the second where the listing would not hold all skills else. Characters. */
export const LISTED_CHARS_MAX = 250;
export const LISTED_CHARS_TIGHT = 80;
/** The line that counts what does not fit. Tokens. */
const REST_TOKENS = 20;

const PLACES: readonly ContextPlace[] = [
  { root: "belay", path: "skills" },
  { root: "claude", path: "skills" },
  { root: "project", path: ".claude/skills" },
  { root: "project", path: ".agents/skills" },
];

export interface Skill {
  readonly name: string;
  readonly description: string;
  /** Where its files are. */
  readonly directory: ContextPlace;
  readonly origin: Origin;
  /** SHA-256 of its SKILL.md. */
  readonly hash: string;
}

export interface FoundSkills {
  /** Those that may be listed, sorted by name. */
  readonly skills: readonly Skill[];
  readonly findings: readonly string[];
}

export async function findSkills(files: ContextFiles, untrusted: boolean): Promise<FoundSkills> {
  const skills = new Map<string, Skill>();
  const names = new Set<string>();
  const findings: string[] = [];
  for (const place of PLACES) {
    const listed = files.list(place, SKILL_ENTRIES_MAX);
    if (listed.found === "refused") findings.push(`${line(shownPath(place))} was not read: ${listed.why}`);
    if (listed.found !== "names") continue;
    if (untrusted && place.root === "project") {
      if (listed.entries.length > 0) findings.push(`${shownPath(place)} is not offered: strangers wrote it`); // S2
      continue;
    }
    if (listed.cut)
      findings.push(`${shownPath(place)} has more than ${String(SKILL_ENTRIES_MAX)} names: the others are left out`);
    for (const { name, kind } of listed.entries) {
      if (kind === "file") continue;
      const directory = { root: place.root, path: joined(place.path, name) };
      const skill = await readSkill(directory, name, files, findings);
      if (skill === null) continue;
      if (names.has(skill.name)) findings.push(`${line(shownPath(directory))} is left out: another skill has its name`);
      else if (skill.hidden) names.add(skill.name);
      else skills.set(skill.name, skill);
      names.add(skill.name);
    }
  }
  return { skills: [...skills.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), findings };
}

interface ReadSkill extends Skill {
  /** For people alone. */
  readonly hidden: boolean;
}

function readSkill(
  directory: ContextPlace,
  name: string,
  files: ContextFiles,
  findings: string[],
): Promise<ReadSkill | null> {
  const place = { root: directory.root, path: joined(directory.path, "SKILL.md") };
  return readFronted(place, { files, bytes_max: SKILL_BYTES_MAX, findings }, ({ shown, hash, fields, body }) => {
    const problems = problemsOf(fields, name);
    if (problems.length > 0) {
      findings.push(`${shown} is left out: ${problems.join("; ")}`);
      return null;
    }
    if (textTokens(body) > BODY_TOKENS_ADVISED)
      findings.push(
        `${shown} has about ${String(textTokens(body))} tokens, more than the ${String(BODY_TOKENS_ADVISED)} advised`,
      );
    const description = String(fields["description"]); // it is a text: `problemsOf`
    const hidden = fields["disable-model-invocation"] === true;
    return { name, description, directory, origin: originOf(place, false), hash, hidden };
  });
}

/** What of the specification does not hold. */
function problemsOf(fields: FrontMatter["fields"], directory: string): readonly string[] {
  const { name, description, compatibility, metadata } = fields;
  const tools = fields["allowed-tools"];
  const problems: string[] = [];
  if (typeof name !== "string" || name.length > NAME_CHARS_MAX || !NAME.test(name))
    problems.push(`its \`name\` is not 1 to ${String(NAME_CHARS_MAX)} of a-z, 0-9 and single -`);
  else if (name !== directory) problems.push("its `name` is not that of its directory");
  if (typeof description !== "string" || description.trim() === "") problems.push("it has no `description`");
  else if (description.length > DESCRIPTION_CHARS_MAX)
    problems.push(`its \`description\` has more than ${String(DESCRIPTION_CHARS_MAX)} characters`);
  if (
    compatibility !== undefined &&
    !(typeof compatibility === "string" && compatibility.length <= COMPATIBILITY_CHARS_MAX)
  )
    problems.push(`its \`compatibility\` is no text of at most ${String(COMPATIBILITY_CHARS_MAX)} characters`);
  if (metadata !== undefined && !isTextMap(metadata)) problems.push("its `metadata` does not map texts to texts");
  if (tools !== undefined && typeof tools !== "string" && !isTextList(tools))
    problems.push("its `allowed-tools` is no text and no list of texts");
  return problems;
}

function isTextMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && isTextList(Object.values(value));
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

export interface SkillListing {
  readonly part: TextPart;
  readonly head: string;
  /** As listed. */
  readonly lines: readonly { readonly skill: Skill; readonly text: string }[];
  readonly left_out: number;
}

/** Null where there is none. */
export function listSkills(skills: readonly Skill[]): SkillListing | null {
  if (skills.length === 0) return null;
  const head =
    "Skills: how to do certain work. When one fits the task, call the tool `skill` with its name before you begin, and follow it.";
  const left = LISTING_TOKENS_MAX - textTokens(`<skills>\n${head}\n</skills>`);
  const wide = linesOf(skills, LISTED_CHARS_MAX);
  const fits = wide.reduce((sum, { text }) => sum + textTokens(`${text}\n`), 0) <= left;
  const lines: SkillListing["lines"][number][] = [];
  let tokens = fits ? 0 : REST_TOKENS;
  for (const one of fits ? wide : linesOf(skills, LISTED_CHARS_TIGHT)) {
    tokens += textTokens(`${one.text}\n`);
    if (tokens > left) break;
    lines.push(one);
  }
  const left_out = skills.length - lines.length;
  const rest = left_out === 0 ? [] : [`(${String(left_out)} more: call \`skill\` with the name \`${ALL}\`)`];
  const text = ["<skills>", head, ...lines.map((one) => one.text), ...rest, "</skills>"].join("\n");
  return { part: textPart(text, LISTED), head, lines, left_out };
}

/** Their authors wrote what they are for. */
const LISTED: Origin = { from: "workspace", by: "skills" };

function linesOf(skills: readonly Skill[], chars_max: number): SkillListing["lines"] {
  return skills.map((skill) => ({ skill, text: `- ${skill.name}: ${line(skill.description, chars_max)}` }));
}

/** What the tool `skill` answers from. */
export interface SkillText {
  readonly found: "text";
  readonly text: string;
  readonly origin: Origin;
  /** SHA-256 of the file. */
  readonly hash: string;
  /** The skill's directory in the workspace; null for a user's, which lies outside. */
  readonly directory: string | null;
}
export interface NoSkill {
  readonly found: "nothing";
  /** A sentence for the model. */
  readonly why: string;
}

/** In place of a name: all that there are. */
const ALL = "list";
/** Names of skills that an answer names. */
const NAMED_MAX = 100;

/** @param file below the skill's directory; null is its SKILL.md without the front matter */
export async function readSkillText(
  files: ContextFiles,
  skills: readonly Skill[],
  name: string,
  file: string | null,
): Promise<SkillText | NoSkill> {
  const skill = skills.find((one) => one.name === name);
  if (skill === undefined) return name === ALL && skills.length > 0 ? allOf(skills) : noSuchSkill(skills, name);
  const below = resolvedBelow("", file ?? "SKILL.md");
  const wanted = line(file ?? "SKILL.md");
  if (below === null || below === "") return nothing(`${wanted} does not lie in the skill ${name}.`);
  const { root, path } = skill.directory;
  const place = { root, path: joined(path, below) };
  const found = files.read(place, SKILL_BYTES_MAX);
  if (found.found === "nothing") return nothing(`The skill ${name} has no file ${wanted}.`);
  if (found.found === "refused") return nothing(`${wanted} of the skill ${name} was not read: ${found.why}.`);
  if (isSecretPath(below) || isSecretPath(found.at))
    return nothing(`${wanted} of the skill ${name} holds secrets: it is not read.`);
  const { text } = neutralise(found.text);
  const directory = root === "project" ? path : null;
  const known = { found: "text", origin: originOf(place, false), hash: found.hash, directory } as const;
  if (file !== null) return { ...known, text };
  try {
    const { body } = await readFrontMatter(text, shownPath(place));
    return { ...known, text: body };
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "config_invalid") throw error;
    return nothing(error.message);
  }
}

function allOf(skills: readonly Skill[]): SkillText {
  const text = linesOf(skills, LISTED_CHARS_MAX)
    .map((one) => one.text)
    .join("\n");
  return { found: "text", text, origin: LISTED, hash: hashOf(text), directory: null };
}

function noSuchSkill(skills: readonly Skill[], name: string): NoSkill {
  const known = skills.slice(0, NAMED_MAX).map((one) => one.name);
  const more = skills.length > NAMED_MAX ? ", …" : "";
  const there = known.length === 0 ? "There are none." : `There are: ${known.join(", ")}${more}.`;
  return nothing(`There is no skill "${line(name, NAME_CHARS_MAX)}". ${there}`);
}

function nothing(why: string): NoSkill {
  return { found: "nothing", why };
}
