/** What is judged, and all that a judgement may look at. */
import type { SessionConfig } from "../kernel/config.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { SessionLabel } from "../kernel/label.ts";
import type { ToolEffect } from "../kernel/state.ts";

export interface JudgeRequest {
  readonly tool: string;
  readonly effect: ToolEffect;
  readonly input: JsonObject;
}

export interface JudgeStanding {
  readonly config: SessionConfig;
  readonly label: SessionLabel;
  /** The phase that the session is in; null for none. */
  readonly phase: string | null;
  /** Whether the user wrote this text in the session themselves. */
  readonly userWrote: (text: string) => boolean;
  /** Whether the web itself named this address: strangers, who know nothing of what the session holds. */
  readonly webNamed: (url: string) => boolean;
  /** The workspace's root and the user's home, absolute. */
  readonly root: string;
  readonly home: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}
