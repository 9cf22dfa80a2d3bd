/** What a judgement says. Journaled whole (`ToolJudged`), so that it can be explained and repeated. */
import type { PermissionRule, Sink } from "../kernel/permissions.ts";

export type Decision = "allow" | "ask" | "deny";

/** One part of a call that was judged by itself: a simple command, a redirect target, a path. */
export interface PartVerdict {
  readonly text: string;
  readonly decision: Decision;
  /** The rule that decided, as written; null where none did. */
  readonly rule: string | null;
  readonly reason: string;
}

/** What rules and mode alone come to. Deny beats ask beats allow over all parts. */
export interface RuleVerdict {
  readonly decision: Decision;
  readonly rule: PermissionRule | null;
  /** `rule`: a rule matched. `mode`: the mode decided. `built_in`: known to change nothing. `none`: nothing speaks for it. `unread`: not everything was understood. */
  readonly by: "rule" | "mode" | "built_in" | "none" | "unread";
  readonly reason: string;
  readonly parts: readonly PartVerdict[];
}

/** Where a call acts outside, or on what outlives the session. */
export interface SinkUse {
  readonly sink: Sink;
  /** A host, a remote, a path. */
  readonly destination: string;
}

export interface Verdict {
  readonly decision: Decision;
  readonly reason: string;
  readonly rule: PermissionRule | null;
  readonly parts: readonly PartVerdict[];
  readonly sink: SinkUse | null;
  /** The command runs, but without the network that the session has otherwise: a label stands against it. */
  readonly network_withheld: boolean;
}
