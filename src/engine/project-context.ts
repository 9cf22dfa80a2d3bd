/** What a project and its user tell every agent: read when a session begins, and looked up while it runs. */
import { relative } from "node:path";
import { assemble, type Assembled } from "../context/assemble.ts";
import type { EnvironmentFacts } from "../context/environment-note.ts";
import { overTarget } from "../context/price.ts";
import { findRules, type Rule, rulePart, rulesDue, touchedPath } from "../context/rules.ts";
import { findSkills, readSkillText } from "../context/skills.ts";
import type { SessionConfig } from "../kernel/config.ts";
import type { PlainPart } from "../kernel/content.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { SessionState, ToolCall } from "../kernel/state.ts";
import { presentToolContent } from "../policy/injection/present.ts";
import type { SessionPlace } from "../store/port.ts";
import type { SkillReader } from "../tool/skill-reader.ts";
import { agentListing } from "./agents/agent-listing.ts";
import type { Host } from "./host.ts";
import type { Prompt, PromptPart } from "./prompt.ts";

export interface Beginning {
  /** What the first message holds, in order. */
  readonly parts: readonly PlainPart[];
  /** What is journaled about it, before the message. */
  readonly drafts: readonly Draft[];
  /** What of it has a version of its own. */
  readonly versions: readonly PromptPart[];
}

export interface BeginningOf {
  readonly config: SessionConfig;
  readonly place: Pick<SessionPlace, "cwd" | "source">;
  readonly prompt: Prompt;
  /** What was said, without what nobody sees. */
  readonly task: readonly PlainPart[];
  readonly facts: EnvironmentFacts | null;
}

/** Instructions, rules, skills, kinds of sub-agents, facts, and the task: each with its price. */
export async function beginning(host: Host, of: BeginningOf): Promise<Beginning> {
  const { config, place, prompt, task, facts } = of;
  const { level, depth, total, defined } = config.agents;
  const agents = level < depth && total > 0 ? agentListing(defined) : null;
  const assembled = await assemble({
    files: host.contextFiles(place.source),
    untrusted: config.flow.untrusted !== null,
    environment: {
      mode: config.workspace.mode,
      date: new Date(host.clock.now()).toISOString().slice(0, "2026-01-31".length),
      directory: relative(place.source, place.cwd),
      facts,
    },
    prompt,
    more: agents === null ? [] : [{ kind: "agents", name: "sub-agents", part: agents }],
    task: ofStrangers(task, config),
  });
  return {
    parts: presented(assembled.parts, host),
    drafts: assembledDrafts(assembled),
    versions: versionsIn(assembled),
  };
}

/** What a person says later, with the files that came with it. */
export function saidLater(message: readonly PlainPart[], config: SessionConfig, host: Host): readonly PlainPart[] {
  return presented(ofStrangers(message, config), host);
}

/** Files of a project that is not the user's are strangers' text, also where the user names them. */
function ofStrangers(parts: readonly PlainPart[], { flow }: SessionConfig): readonly PlainPart[] {
  if (flow.untrusted === null) return parts;
  return parts.map((part) =>
    part.origin.from === "workspace" ? { ...part, origin: { ...part.origin, untrusted: true as const } } : part,
  );
}

/** What strangers wrote goes between marks that nobody can guess; what belay and the user wrote stays as it is. */
function presented(parts: readonly PlainPart[], host: Host): readonly PlainPart[] {
  if (!parts.some(isStrange)) return parts;
  return parts.flatMap((part) =>
    isStrange(part) ? presentToolContent([part], { nonce: () => host.ids.trace() }).parts : [part],
  );
}

function isStrange({ origin }: PlainPart): boolean {
  return origin.untrusted === true && origin.from === "workspace";
}

function assembledDrafts({ table, findings }: Assembled): readonly Draft[] {
  const over = overTarget(table);
  return [
    { kind: "ContextAssembled", data: { parts: [...table], findings: [...findings] } },
    ...(over === null
      ? []
      : [{ kind: "ContextTargetPassed", data: { ...over, biggest: [...over.biggest] } } satisfies Draft]),
  ];
}

const VERSIONED: ReadonlySet<string> = new Set(["instructions", "rules", "skills"]);

function versionsIn({ table }: Assembled): readonly PromptPart[] {
  return table
    .filter(({ kind }) => VERSIONED.has(kind))
    .map(({ kind, name, hash }) => ({ kind: kind === "skills" ? "skill" : kind, name, hash }));
}

export interface ProjectContext {
  readonly skills: SkillReader;
  /** Rules that came to apply with these calls, which have ended well; their events. */
  due(calls: readonly ToolCall[]): Promise<readonly Draft[]>;
}

/** The run that looks up. */
interface Looking {
  readonly host: Host;
  readonly place: SessionPlace;
  /** Where it works, absolute. */
  readonly root: string;
  state(): SessionState;
  config(): SessionConfig;
}

/** Nothing is read before it is needed. */
export function projectContext(run: Looking): ProjectContext {
  const { host, place } = run;
  const files = host.contextFiles(place.source);
  const untrusted = (): boolean => run.config().flow.untrusted !== null;
  let rules: Promise<readonly Rule[]> | null = null;
  let skills: ReturnType<typeof findSkills> | null = null;
  return {
    skills: {
      read: async (name, file) => {
        skills ??= findSkills(files, untrusted());
        return readSkillText(files, (await skills).skills, name, file);
      },
    },
    due: async (calls) => {
      const touched = calls.flatMap(({ part }) => touchedPath(part.input, run.root) ?? []);
      if (touched.length === 0) return [];
      rules ??= findRules(files, untrusted()).then((found) => found.rules.filter(({ paths }) => paths !== null));
      const waiting = await rules;
      if (waiting.length === 0) return [];
      const due = rulesDue(waiting, touched, new Set(run.state().rules_loaded));
      if (due.length === 0) return [];
      const parts = presented(due.map(rulePart), host);
      return [{ kind: "InstructionsLoaded", data: { names: due.map(({ name }) => name), parts: [...parts] } }];
    },
  };
}
