/**
 * Ephemeral, bounded messages beside the journal: tokens as they arrive, progress of tools. They may be dropped and are
 * never folded; whoever draws them must be right without them.
 */
import type { ToolCallId } from "./ids.ts";

export type Delta =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "tool_use"; readonly name: string }
  | { readonly type: "tool_input"; readonly json: string }
  | { readonly type: "tool_progress"; readonly call: ToolCallId; readonly text: string }
  /** Before a call: what stands in its way, and for how long it is likely to. */
  | { readonly type: "waiting"; readonly for: "rate" | "budget"; readonly wait_ms: number; readonly reason: string }
  /** After a call: how much of the account's rate is used up. `share` is from 0 to 1. */
  | { readonly type: "rate"; readonly used: readonly { readonly what: string; readonly share: number }[] }
  /** Sent every few seconds while a tool runs, so that silence is told from death. */
  | { readonly type: "tool_heartbeat"; readonly call: ToolCallId; readonly running_ms: number };
