/**
 * Kinds of sub-agents that files define: `.claude/agents/*.md` of the user and of the project, in the form of Claude Code.
 *
 * G1: of two with one name the first counts: the user's files may replace what is built in, a project's replace nothing.
 * G2: of a project that strangers wrote no kind is offered.
 * G3: what a file asks for and does not get is said. Nothing that it says makes a sub-agent looser than the session that starts it.
 */
import { nanoFromDollars } from "../kernel/money.ts";
import { PERMISSION_MODES } from "../kernel/permissions.ts";
import { AGENT_DEFINITIONS_MAX, AGENT_PROMPT_CHARS_MAX, type AgentDefinition } from "../kernel/work-policy.ts";
import { type ContextFiles, type ContextPlace, joined, shownPath } from "./context-files.ts";
import { line } from "./frame.ts";
import type { FrontMatter } from "./front-matter.ts";
import { readFronted } from "./fronted-file.ts";

const AGENT_BYTES_MAX = 64 * 1024;
/** Of one directory. */
const AGENT_ENTRIES_MAX = 200;
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const DESCRIPTION_CHARS_MAX = 1_024;
const TOOLS_MAX = 100;

const PLACES: readonly ContextPlace[] = [
  { root: "claude", path: "agents" },
  { root: "project", path: ".claude/agents" },
];

/** Tools of Claude Code by other names than belay's. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["agent", "task"],
  ["multiedit", "edit"],
  ["todowrite", "todo"],
]);

/** What a field means here; what is not among them is not known. */
const READ = ["name", "description", "tools", "disallowedTools", "model", "permissionMode", "maxTurns", "skills"];
const OWN = ["read_only", "quarantined", "max_budget_per_run"];
/** Nothing hangs on them. */
const HARMLESS = ["color", "isolation"];
const UNUSED = ["mcpServers", "hooks", "memory", "background", "effort", "initialPrompt", "mode", "permission"];

export interface AgentFilesRequest {
  readonly files: ContextFiles;
  /** The project is strangers' text. */
  readonly untrusted: boolean;
  readonly builtIn: readonly AgentDefinition[];
  readonly tools: readonly { readonly name: string; readonly effect: string }[];
  /** `provider/model` for an alias or a name; null where it leads nowhere or is not allowed. */
  readonly modelNamed: (name: string) => string | null;
}

export interface AgentFiles {
  /** The built-in ones first, then by place and name. */
  readonly defined: readonly AgentDefinition[];
  readonly findings: readonly string[];
}

export async function findAgents(request: AgentFilesRequest): Promise<AgentFiles> {
  const { files, untrusted, builtIn } = request;
  const defined = new Map(builtIn.map((one) => [one.name, one]));
  const findings: string[] = [];
  const users = new Set<string>();
  for (const place of PLACES) {
    const listed = files.list(place, AGENT_ENTRIES_MAX);
    if (listed.found === "refused") findings.push(`${line(shownPath(place))} was not read: ${listed.why}`);
    if (listed.found !== "names") continue;
    const names = listed.entries.filter(({ name, kind }) => kind !== "directory" && name.endsWith(".md"));
    if (untrusted && place.root === "project") {
      if (names.length > 0) findings.push(`${shownPath(place)} is not offered: strangers wrote it`); // G2
      continue;
    }
    if (listed.cut)
      findings.push(`${shownPath(place)} has more than ${String(AGENT_ENTRIES_MAX)} names: the others are left out`);
    for (const { name } of names) {
      const at = { root: place.root, path: joined(place.path, name) };
      const agent = await readAgent(at, request, findings);
      if (agent === null) continue;
      const mayReplace = place.root !== "project" && !users.has(agent.name);
      const room = defined.has(agent.name) || defined.size < AGENT_DEFINITIONS_MAX;
      if (defined.has(agent.name) && !mayReplace)
        findings.push(`${line(shownPath(at))} is left out: another kind has its name`);
      else if (!room)
        findings.push(`${line(shownPath(at))} is left out: there are ${String(AGENT_DEFINITIONS_MAX)} kinds already`);
      else defined.set(agent.name, agent);
      if (place.root !== "project") users.add(agent.name);
    }
  }
  return { defined: [...defined.values()], findings };
}

function readAgent(
  place: ContextPlace,
  request: AgentFilesRequest,
  findings: string[],
): Promise<AgentDefinition | null> {
  const reading = { files: request.files, bytes_max: AGENT_BYTES_MAX, findings };
  return readFronted(place, reading, ({ shown, fields, body }) => {
    const problem = problemOf(fields, body);
    if (problem !== null) {
      findings.push(`${shown} is left out: ${problem}`);
      return null;
    }
    const said: string[] = [];
    const agent = agentOf(fields, body, shown, request, said);
    findings.push(...said.map((one) => `${shown}: ${one}`));
    return agent;
  });
}

type Fields = FrontMatter["fields"];

/** Without these it is no kind of sub-agent. */
function problemOf({ name, description }: Fields, body: string): string | null {
  if (typeof name !== "string" || !NAME.test(name)) return "its `name` is not 1 to 64 of a-z, 0-9, _ and -";
  if (typeof description !== "string" || description.trim() === "") return "it has no `description`";
  if (body.trim() === "") return "it says nothing";
  return body.length > AGENT_PROMPT_CHARS_MAX
    ? `it has more than ${AGENT_PROMPT_CHARS_MAX.toLocaleString("en-US")} characters`
    : null;
}

function agentOf(
  fields: Fields,
  body: string,
  source: string,
  request: AgentFilesRequest,
  said: string[],
): AgentDefinition {
  said.push(...strangeFields(fields));
  const tools = fields["tools"] === undefined ? null : toolNames(fields["tools"], "tools", request, said);
  const quarantined = isTrue("quarantined", fields, said);
  return {
    name: String(fields["name"]), // it is a text: `problemOf`
    description: String(fields["description"]).slice(0, DESCRIPTION_CHARS_MAX).toWellFormed(),
    source,
    prompt: body.trim(),
    tools,
    disallowed_tools: toolNames(fields["disallowedTools"], "disallowedTools", request, said),
    model: modelOf(fields["model"], request, said),
    permission_mode: modeOf(fields["permissionMode"], said),
    read_only: isTrue("read_only", fields, said) || quarantined || (tools !== null && onlyRead(tools, request)),
    quarantined,
    max_turns: positive(fields["maxTurns"], "maxTurns", said),
    max_cost: costOf(fields["max_budget_per_run"], said),
    skills: [...texts(fields["skills"])],
  };
}

/** G3. */
function strangeFields(fields: Fields): readonly string[] {
  return Object.keys(fields).flatMap((field) => {
    if (UNUSED.includes(field)) return [`\`${field}\` has no effect here`];
    return [...READ, ...OWN, ...HARMLESS].includes(field) ? [] : [`the field \`${line(field, 60)}\` is not known`];
  });
}

function toolNames(value: unknown, field: string, { tools }: AgentFilesRequest, said: string[]): string[] {
  return texts(value)
    .slice(0, TOOLS_MAX)
    .flatMap((name) => {
      const plain = name.replace(/\(.*$/s, "").replaceAll("_", "").toLowerCase();
      const known = tools.find((tool) => tool.name.replaceAll("_", "") === (OTHER_NAMES.get(plain) ?? plain));
      if (known !== undefined) return [known.name];
      said.push(`\`${field}\` names ${line(name, 60)}, and there is no such tool`);
      return [];
    });
}

/** One that has no tool that could change anything needs no files of its own. */
function onlyRead(names: readonly string[], { tools }: AgentFilesRequest): boolean {
  return names.every((name) => name === "web_fetch" || tools.find((tool) => tool.name === name)?.effect === "read");
}

/** A list, or names with commas or blanks between them. */
function texts(value: unknown): readonly string[] {
  const list = typeof value === "string" ? value.split(/\s*,\s*|\s+(?![^(]*\))/) : value;
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string" && one !== "") : [];
}

function modelOf(value: unknown, { modelNamed }: AgentFilesRequest, said: string[]): string {
  if (value === undefined || value === "inherit") return "inherit";
  const found = typeof value === "string" ? modelNamed(value) : null;
  if (found === null)
    said.push(
      `the model ${line(String(value), 60)} cannot be asked here (not known, not allowed, or without a key): its parent's is taken`,
    );
  return found ?? "inherit";
}

/** G3: a mode can only be stricter than that of the session that starts it. */
function modeOf(value: unknown, said: string[]): string | null {
  if (value === undefined) return null;
  const wanted = value === "manual" ? "default" : value;
  const mode = PERMISSION_MODES.find((one) => one === wanted);
  if (mode === undefined) said.push(`the permission mode ${line(String(value), 60)} is not known`);
  if (mode === "acceptEdits" || mode === "bypassPermissions")
    said.push(`the permission mode ${mode} allows no more than the session that starts it allows itself`);
  return mode ?? null;
}

function isTrue(field: string, fields: Fields, said: string[]): boolean {
  const value = fields[field];
  if (value !== undefined && typeof value !== "boolean")
    said.push(`\`${field}\` is neither true nor false: it is taken as true`);
  return value !== undefined && value !== false;
}

function positive(value: unknown, field: string, said: string[]): number | null {
  if (value === undefined) return null;
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number; // checked in the same line
  said.push(`\`${field}\` is no whole number above 0`);
  return null;
}

function costOf(value: unknown, said: string[]): number | null {
  if (value === undefined) return null;
  if (typeof value === "number" && value > 0 && value < 1_000_000) return nanoFromDollars(value);
  said.push("`max_budget_per_run` is no amount of dollars");
  return null;
}
