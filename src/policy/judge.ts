/**
 * Whether a tool call may run: the safe default until rules exist. The boundary is the sandbox; a permission mode never
 * switches it off. Pure.
 */
import type { SessionConfig } from "../kernel/config.ts";
import type { ToolEffect } from "../kernel/state.ts";

export interface Judgement {
  readonly decision: "allow" | "ask" | "deny";
  readonly reason: string;
}

export function judge(effect: ToolEffect, config: SessionConfig): Judgement {
  if (effect === "read") return { decision: "allow", reason: "reads stay inside the workspace" };
  if (config.permission_mode === "plan")
    return { decision: "deny", reason: "the permission mode `plan` changes nothing" };
  if (effect === "write") return { decision: "allow", reason: "writes stay inside the workspace" };
  if (config.sandbox.mode === "bwrap") return { decision: "allow", reason: "confined by the sandbox" };
  if (config.sandbox.mode === "external")
    return { decision: "allow", reason: "the container or machine around belay is the boundary (--sandbox external)" };
  if (config.approval === "allow") return { decision: "allow", reason: "--no-sandbox was said" };
  return { decision: "ask", reason: "there is no sandbox" };
}
