/** What starting and resuming a session look like from inside a run: `session.ts` stands behind it, which drives runs. */
import type { SessionConfig } from "../../kernel/config.ts";
import type { PlainPart } from "../../kernel/content.ts";
import type { Parent } from "../../kernel/envelope.ts";
import type { Event } from "../../kernel/events/index.ts";
import type { SessionId, TraceId } from "../../kernel/ids.ts";
import type { SessionLabel } from "../../kernel/label.ts";
import type { RunEnd, SessionState } from "../../kernel/state.ts";
import type { Journal } from "../../store/journal.ts";
import type { SessionPlace } from "../../store/port.ts";
import type { Host } from "../host.ts";

/** Who a sub-agent is. */
export interface AgentBirth {
  /** Journaled by its parent already. */
  readonly session: SessionId;
  readonly parent: Parent;
  readonly root: SessionId;
  readonly trace: TraceId;
  /** What its parent has taken in. */
  readonly label: SessionLabel;
  readonly signal: AbortSignal;
}

export interface AgentStart {
  readonly task: readonly PlainPart[];
  readonly title: string;
  readonly config: Omit<SessionConfig, "versions">;
  readonly place: { readonly cwd: string; readonly source: string; readonly sessions: string };
  readonly agent: AgentBirth;
}

export interface AgentResume {
  readonly session: SessionId;
  readonly message: readonly PlainPart[] | null;
  readonly change: (config: SessionConfig) => SessionConfig;
  /** Its parent's. */
  readonly agent: { readonly signal: AbortSignal };
}

export interface LiveAgent {
  readonly session: SessionId;
  /** Settles when the run ended, which the journal cannot always say; never rejects. */
  readonly done: Promise<Pick<RunEnd, "outcome" | "error">>;
  onEvents(listener: (events: readonly Event[]) => void): () => void;
  state(): SessionState;
}

export interface AgentSessions {
  start(host: Host, request: AgentStart): Promise<LiveAgent>;
  resume(host: Host, request: AgentResume): Promise<LiveAgent>;
  /** For what is done to a session that nobody drives. @throws `lease_held` */
  open(host: Host, session: SessionId, place: SessionPlace): Promise<Journal>;
}
