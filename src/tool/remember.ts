/**
 * Keeps a sentence for later sessions. The text was put into the store when the model's answer came in: what is handed over here is
 * its reference. Never makes anything active that strangers had a part in.
 */
import * as z from "zod";
import { lazy } from "../kernel/lazy.ts";
import { MEMORY_CHARS_MAX, MEMORY_KINDS, MEMORY_SCOPES, REMEMBER_TOOL } from "../kernel/memory.ts";
import { failsWith, says } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

const input = lazy(() =>
  z.object({
    text: z.string().trim().min(1).max(MEMORY_CHARS_MAX).describe("One sentence that stands by itself"),
    kind: z.enum(MEMORY_KINDS),
    scope: z.enum(MEMORY_SCOPES).optional(),
    resolves: z.string().trim().max(MEMORY_CHARS_MAX).optional().describe("The error it answers"),
  }),
);
type RememberInput = z.infer<ReturnType<typeof input>>;

export const rememberTool: Tool<RememberInput> = {
  name: REMEMBER_TOOL,
  description: "Keep for later sessions what the files do not say; not the task's progress.",
  input,
  // It changes no file: there is nothing to roll back, and to repeat it is the same.
  effect: "read",
  idempotent: true,
  limit_ms: 10_000,
  limit_max_ms: 10_000,
  title: ({ kind, scope }) => `${kind.replace("_", "-")}${scope === undefined ? "" : `, ${scope}`}`,
  run: remember,
};

async function remember({ text, kind, scope }: RememberInput, { memories }: ToolContext): Promise<ToolOutput> {
  if (memories == null) return failsWith("This session writes no memories. Go on without.", REMEMBER_TOOL);
  const kept = await memories.keep({ reference: text.trim(), kind, scope: scope ?? null });
  if (!kept.ok) return failsWith(kept.problem, REMEMBER_TOOL);
  const replaced = kept.supersedes === 0 ? "" : `, in place of ${String(kept.supersedes)} older`;
  const said = kept.state === "active" ? "Kept" : "Kept as a proposal: it counts when a person has approved it";
  return says(`${said} (${kept.memory}, ${kept.scope}${replaced}).`, { from: "belay" });
}
