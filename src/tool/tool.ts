/** What a tool is. One file each beside this one; the runner gives every tool its limit, its cancel and its receipt. */
import type * as z from "zod";
import type { PlainPart } from "../kernel/content.ts";
import type { BlobHash, MemoryId } from "../kernel/ids.ts";
import type { MemoryKind, MemoryScope } from "../kernel/memory.ts";
import type { ProcessIdentity } from "../kernel/process-identity.ts";
import type { ToolEffect, ToolStatus } from "../kernel/state.ts";
import type { CommandNetwork, RunningCommand, Shell } from "../workspace/shell.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Clock } from "../kernel/clock.ts";
import type { SkillReader } from "./skill-reader.ts";
import type { AgentStarter } from "./agent-starter.ts";

export interface Tool<Input = unknown> {
  readonly name: string;
  /** For the model; short: system prompt and all schemas together stay under 2,500 tokens. */
  readonly description: string;
  /** Built on first use. Every field is described for the model. */
  readonly input: () => z.ZodType<Input>;
  readonly effect: ToolEffect;
  /** Running it twice is the same as running it once. */
  readonly idempotent: boolean;
  /** Milliseconds. A tool may let its input lower or raise it, up to `limit_max_ms`. */
  readonly limit_ms: number;
  readonly limit_max_ms: number;
  /** The limit that this input asks for, in milliseconds; absent when inputs have no say. */
  readonly limitOf?: (input: Input) => number | undefined;
  /** False when this input continues something that does not survive a crash, so that it must never be re-run. Default true. */
  readonly repeatable?: (input: Input) => boolean;
  /** One line for people: what it is about to do (`npm test`, `src/app.ts`). */
  readonly title: (input: Input) => string;
  /** The command that this input starts first, when that is known beforehand: its process may be made before the call begins. */
  readonly command?: (input: Input) => string | undefined;
  /** Expected failures are results with status `error` that tell the model what to try next; a throw is a crash of the tool. */
  readonly run: (input: Input, context: ToolContext) => Promise<ToolOutput>;
}

export interface ToolContext {
  readonly workspace: Workspace;
  readonly shell: Shell;
  /** Aborted on cancel and at the time limit; `signal.reason` is a `ToolStop`. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Milliseconds this call may take. */
  readonly limit_ms: number;
  /** What its commands may reach. */
  readonly network: CommandNetwork;
  /** Journals a held process. A command is released when this resolved. */
  readonly onProcess: (process: ProcessIdentity) => Promise<void>;
  /** Shows progress to people; bounded and droppable. */
  readonly onProgress: (text: string) => void;
  /** Keeps a long text in the store and returns its hash. Secrets are taken out first. */
  readonly keep: (text: string) => Promise<BlobHash>;
  /** What the session offers. Absent or null: none. */
  readonly skills?: SkillReader | null;
  /** What an earlier call of the session gave back; null where there was none. */
  readonly pastOutput: (call: string) => Promise<readonly PlainPart[] | null>;
  /** Starts sub-agents. Absent or null: the session has none. */
  readonly agents?: AgentStarter | null;
  /** Interactive commands that wait for input between two calls, by handle. They end with the run. */
  readonly interactive: Map<string, RunningCommand>;
  /** Adds to what outlives the session. Absent or null: it writes no memories. */
  readonly memories?: MemoryKeeper | null;
}

/** What outlives the session, for the tool that adds to it. */
export interface MemoryKeeper {
  /** @param wanted `reference` is the token that stands in the journal for the text; without `scope` the narrowest there is */
  keep(wanted: {
    readonly reference: string;
    readonly kind: MemoryKind;
    readonly scope: MemoryScope | null;
  }): Promise<KeptMemory | { readonly ok: false; readonly problem: string }>;
}

export interface KeptMemory {
  readonly ok: true;
  readonly memory: MemoryId;
  readonly scope: MemoryScope;
  readonly state: "active" | "proposed";
  /** How many older ones it took the place of. */
  readonly supersedes: number;
}

export type ToolStop = "canceled" | "timed_out";

export interface ToolOutput {
  readonly status: Exclude<ToolStatus, "denied" | "interrupted">;
  readonly content: readonly PlainPart[];
  /** The whole output, where `content` holds only part of it. */
  readonly output: BlobHash | null;
  readonly exit: { readonly code: number | null; readonly signal: string | null; readonly killed: boolean } | null;
}
