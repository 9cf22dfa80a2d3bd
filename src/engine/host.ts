/** Everything a session needs from outside, handed in by a face (the CLI, a test, a program that uses the library). */
import type { ContextFiles } from "../context/context-files.ts";
import type { Clock, Random } from "../kernel/clock.ts";
import type { SandboxMode } from "../kernel/config.ts";
import type { ToolUsePart } from "../kernel/content.ts";
import type { Ids, SessionId } from "../kernel/ids.ts";
import type { ConfinementLimits } from "../kernel/permissions.ts";
import type { ProcessIdentity } from "../kernel/process-identity.ts";
import type { Admission } from "../model/admission.ts";
import type { Models, PriceTable } from "../model/model.ts";
import type { Owner, Store } from "../store/port.ts";
import type { Redactor } from "../store/redaction.ts";
import type { Tool } from "../tool/tool.ts";
import type { Shell } from "../workspace/shell.ts";
import type { Workspace, Workspaces, WorkspaceTransfer } from "../workspace/workspace.ts";

export interface Host {
  readonly store: Store;
  readonly models: Models;
  readonly prices: PriceTable;
  /** The rate that processes share, and the breakers of models. */
  readonly admission: Admission;
  readonly workspaces: Workspaces;
  /** For forks, exports and imports. */
  readonly transfer: WorkspaceTransfer & {
    /** What tokens of a journal stand for, for a copy of that journal. Both are directories of sessions. */
    copySecrets(from: string, to: string): Promise<void>;
  };
  /** Reads what a project (its top, absolute) and its user tell agents. */
  readonly contextFiles: (source: string) => ContextFiles;
  /** A shell for a workspace, in the mode that the session was configured with. */
  readonly shell: (workspace: Workspace, mode: SandboxMode, limits: ConfinementLimits) => Promise<Shell>;
  /** In the order in which the model sees them. */
  readonly tools: readonly Tool[];
  /** Opens the secrets of a session; `directory` is the session's own. */
  readonly redactor: (directory: string) => Promise<Redactor>;
  /** The user's home directory, absolute: `~` in rules and commands. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  /** This process, as the owner of leases. A token is made for every claim. */
  readonly owner: () => Owner;
  /** Whether the process that holds a lease still exists. Null: it cannot be known from here (another machine). */
  readonly ownerAlive: (owner: Owner) => Promise<boolean | null>;
  /** Ends a process of an older run, proven to be that one. */
  readonly endProcess: (process: ProcessIdentity) => Promise<"dead" | "unprovable">;
  /** Asks a person; null when nobody is there. */
  readonly prompter: Prompter | null;
  readonly version: string;
}

export interface Prompter {
  /** Must settle when the signal aborts. */
  ask(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer>;
  /** Whether to go on although a cap is nearly used up or a turn was dear. */
  askBudget(
    question: BudgetQuestion,
    signal: AbortSignal,
  ): Promise<{ readonly approved: boolean; readonly by: string }>;
}

export interface ApprovalAnswer {
  /** `session` and `always` allow what `rule` covers from now on; `always` has been written to the user's settings by who answers. */
  readonly answer: "once" | "session" | "always" | "no";
  readonly by: string;
  /** What the person tells the model with a no. */
  readonly reason: string | null;
  /** The rule to remember; null where nothing is. */
  readonly rule: string | null;
}

export interface ApprovalQuestion {
  readonly session: SessionId;
  readonly part: ToolUsePart;
  /** One line: what it is about to do. */
  readonly title: string;
  readonly reason: string;
  /** The rule that wants to be asked; null where it is none. */
  readonly rule: string | null;
  /** Where text of strangers came from, when that is why. */
  readonly sources: readonly string[];
  /** A narrow rule that would cover exactly this; null where none may be remembered. */
  readonly suggestion: string | null;
}

export interface BudgetQuestion {
  readonly session: SessionId;
  /** `session: $4.02 of $5.00 spent` */
  readonly title: string;
}
