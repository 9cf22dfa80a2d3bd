/** Writes a whole file of the workspace, atomically. Never writes part of one, and never outside. */
import * as z from "zod";
import { lazy } from "../kernel/lazy.ts";
import { countLines } from "./clip.ts";
import { count, failsWith, says, withFileFailures } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

const input = lazy(() =>
  z.object({
    path: z.string().min(1).describe("File, relative to the workspace"),
    content: z.string().describe("The whole new content"),
  }),
);
type WriteInput = z.infer<ReturnType<typeof input>>;

export const writeTool: Tool<WriteInput> = {
  name: "write",
  description: "Create a file or replace all of it; directories are made. To change part of a file use edit.",
  input,
  effect: "write",
  idempotent: true,
  limit_ms: 30_000,
  limit_max_ms: 30_000,
  title: ({ path }) => path,
  run: (request, context) => withFileFailures("write", () => write(request, context)),
};

async function write({ path, content }: WriteInput, { workspace }: ToolContext): Promise<ToolOutput> {
  const before = await workspace.files.stat(path);
  if (before?.type === "directory") return failsWith(`${path} is a directory. Name a file in it.`, "write");
  await workspace.files.write(path, new TextEncoder().encode(content));
  const what = before === null ? "Created" : "Replaced";
  return says(`${what} ${path}: ${count(countLines(content), "line")}.`, { from: "tool", by: "write" });
}
