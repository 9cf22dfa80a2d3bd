/** How a session works, as it was configured: its window and compaction, its phases, what it may hand on, what it remembers. */
import * as z from "zod";
import { lazy } from "./lazy.ts";

/** What the model's window is taken for where no table knows it. Tokens. */
export const WINDOW_DEFAULT = 128_000;

export const contextSchema = lazy(() =>
  z.object({
    /** Tokens that the model reads at most. Null: not known; `WINDOW_DEFAULT` is taken. */
    window: z.int().positive().nullable(),
    /** Share of the window at which the conversation is compacted. */
    threshold: z.number().min(0.1).max(0.95),
    /** After so many turns a compaction is weighed: it happens when it pays. */
    weigh_every: z.int().positive(),
    /** After so many turns it happens whatever it costs; null is never. */
    compact_every: z.int().min(5).nullable(),
    /** The model is asked for a summary that is added to what the journal says. */
    summary: z.boolean(),
  }),
);

export const PHASES_MAX = 20;
export const phaseSchema = lazy(() =>
  z.object({
    name: z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/),
    /** Tools that it may use; others are denied. Null is all. */
    tools: z.array(z.string()).nullable(),
    /** Nothing is changed in it, whatever its tools. */
    read_only: z.boolean(),
    /** What the model is told when it begins. */
    instructions: z.string().max(4_000).nullable(),
  }),
);
export type Phase = Readonly<z.infer<ReturnType<typeof phaseSchema>>>;

export const AGENT_DEFINITIONS_MAX = 40;
/** Characters of what a kind of sub-agent is told. */
export const AGENT_PROMPT_CHARS_MAX = 20_000;

export const agentDefinitionSchema = lazy(() =>
  z.object({
    name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
    description: z.string().max(1_024),
    /** Where it was defined: `built_in`, or the path of its file. */
    source: z.string(),
    prompt: z.string().max(AGENT_PROMPT_CHARS_MAX),
    /** Tools that it may use; null is all of its parent's. */
    tools: z.array(z.string()).nullable(),
    disallowed_tools: z.array(z.string()),
    /** `inherit`, an alias of the settings, or a model's id. */
    model: z.string(),
    /** Null: as its parent. */
    permission_mode: z.string().nullable(),
    /** It changes nothing: it works beside others on its parent's own files. */
    read_only: z.boolean(),
    /** It reads what strangers wrote and hands back only what cannot carry their words. */
    quarantined: z.boolean(),
    max_turns: z.int().positive().nullable(),
    /** Nano-dollars that one of them may spend; null: its share of what is left. */
    max_cost: z.int().positive().nullable(),
    skills: z.array(z.string()),
  }),
);
export type AgentDefinition = Readonly<z.infer<ReturnType<typeof agentDefinitionSchema>>>;

export const agentsSchema = lazy(() =>
  z.object({
    /** What this session is: null for one that a person started. */
    kind: z.string().nullable(),
    /** 0 for a session that a person started. */
    level: z.int().nonnegative(),
    /** Levels below the first session. */
    depth: z.int().min(0).max(3),
    /** Sub-agents of one session that are at work at a time. */
    width: z.int().min(1).max(20),
    /** Sub-agents of the whole tree, over its life. */
    total: z.int().nonnegative().max(1_000),
    defined: z.array(agentDefinitionSchema()).max(AGENT_DEFINITIONS_MAX),
  }),
);

export const memoryPolicySchema = lazy(() =>
  z.object({
    /** Memories that a run begins with at most; 0 is none. */
    recall: z.int().min(0).max(50),
    /** The session may write memories. */
    remember: z.boolean(),
    /** What its project's memories are kept under; empty where it has none. */
    project: z.string(),
  }),
);

export const workSchema = lazy(() =>
  z.object({
    context: contextSchema(),
    phases: z.array(phaseSchema()).max(PHASES_MAX),
    /** After so many turns a person looks at the work; null is never. */
    review_every: z.int().positive().nullable(),
    /** Tools that the session may use; null is all. Others are denied: the list that the model sees stays as it is. */
    allowed_tools: z.array(z.string()).nullable(),
    agents: agentsSchema(),
    memory: memoryPolicySchema(),
  }),
);

/** Members of the configuration that say how a session works. */
export type WorkPolicy = Readonly<z.infer<ReturnType<typeof workSchema>>>;

export const DEFAULT_CONTEXT: WorkPolicy["context"] = {
  window: null,
  threshold: 0.8,
  weigh_every: 25,
  compact_every: null,
  summary: true,
};

export const DEFAULT_WORK: WorkPolicy = {
  context: DEFAULT_CONTEXT,
  phases: [],
  review_every: null,
  allowed_tools: null,
  agents: { kind: null, level: 0, depth: 3, width: 5, total: 50, defined: [] },
  memory: { recall: 5, remember: true, project: "" },
};
