/** Hands the model the text of one skill that was listed to it. Reads nothing but what the session offers. */
import * as z from "zod";
import { textPart } from "../kernel/content.ts";
import { TOOL_OUTPUT_CHARS_MAX } from "../kernel/limits.ts";
import { lazy } from "../kernel/lazy.ts";
import { clipMiddle } from "./clip.ts";
import { count, failsWith } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

/** Room for what is said about the text. Characters. */
const NOTE_CHARS = 500;

const input = lazy(() =>
  z.object({
    name: z.string().min(1).describe("A listed skill"),
    file: z.string().min(1).optional().describe("A file in its directory that its text names"),
  }),
);
type SkillInput = z.infer<ReturnType<typeof input>>;

export const skillTool: Tool<SkillInput> = {
  name: "skill",
  description: "Read a skill: how to do a certain kind of work.",
  input,
  effect: "read",
  idempotent: true,
  limit_ms: 30_000,
  limit_max_ms: 30_000,
  title: ({ name, file }) => (file === undefined ? name : `${name}: ${file}`),
  run: (request, context) => skill(request, context),
};

async function skill({ name, file }: SkillInput, { skills = null }: ToolContext): Promise<ToolOutput> {
  if (skills === null) return failsWith("This session offers no skills.", "skill");
  const found = await skills.read(name, file ?? null);
  if (found.found === "nothing") return failsWith(found.why, "skill");
  const { text } = clipMiddle(
    found.text,
    TOOL_OUTPUT_CHARS_MAX - NOTE_CHARS,
    (lines) => `[… ${count(lines, "line")} left out …]`,
  );
  const where =
    found.directory === null
      ? "Its files lie outside the workspace: read one with `file`."
      : `Its files lie in ${found.directory} of the workspace.`;
  const note = textPart(`[skill ${name}. ${where}]\n`, { from: "belay" });
  return {
    status: "ok",
    content: file === undefined ? [note, textPart(text, found.origin)] : [textPart(text, found.origin)],
    output: null,
    exit: null,
  };
}
