/** Searches the contents of files by regular expression. Never changes anything; ignored files are not searched. */
import * as z from "zod";
import { TOOL_OUTPUT_CHARS_MAX } from "../kernel/limits.ts";
import { lazy } from "../kernel/lazy.ts";
import { countLines } from "./clip.ts";
import { FOUND_NOTHING, ripgrep, searchFailure, searchPath } from "./ripgrep.ts";
import { failsWith, says, withFileFailures } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

export const GREP_LINES_DEFAULT = 200;
export const GREP_LINE_CHARS_MAX = 400;
/** The search is ended after so much output. */
export const GREP_BYTES_MAX = 1024 * 1024;
const CONTEXT_LINES_MAX = 20;

const input = lazy(() =>
  z.object({
    pattern: z.string().min(1).describe("Regular expression (Rust syntax)"),
    path: z.string().min(1).optional().describe("Directory or file; default all"),
    glob: z.string().min(1).optional().describe("Only files like `*.ts`"),
    ignore_case: z.boolean().optional(),
    context: z.int().min(0).max(CONTEXT_LINES_MAX).optional().describe("Lines around each match"),
    limit: z
      .int()
      .positive()
      .optional()
      .describe(`Lines shown, default ${String(GREP_LINES_DEFAULT)}`),
  }),
);
type GrepInput = z.infer<ReturnType<typeof input>>;

export const grepTool: Tool<GrepInput> = {
  name: "grep",
  description: "Search file contents; answers `path:line:text`. Files ignored by git are left out.",
  input,
  effect: "read",
  idempotent: true,
  limit_ms: 60_000,
  limit_max_ms: 60_000,
  title: ({ pattern, path }) => (path === undefined ? pattern : `${pattern} in ${path}`),
  run: (request, context) => withFileFailures("grep", () => grep(request, context)),
};

async function grep(request: GrepInput, context: ToolContext): Promise<ToolOutput> {
  if (`${request.pattern}${request.glob ?? ""}`.includes("\0"))
    return failsWith("The pattern holds a null byte, which no command line can. Write \\x00.", "grep");
  const path = await searchPath(request.path ?? ".", context);
  const end = await ripgrep(wordsOf(request, path), GREP_BYTES_MAX, context);
  if (end.code === FOUND_NOTHING) return says(`Nothing matches ${request.pattern}.`, { from: "tool", by: "grep" });
  const failed = searchFailure(end, "grep", { instead: "grep -rn", narrow: "path or glob" });
  if (failed !== null) return failed;
  return says(shown(end.output, request.limit ?? GREP_LINES_DEFAULT), { from: "workspace", by: request.path ?? "." });
}

function wordsOf(request: GrepInput, path: string): readonly string[] {
  return [
    "--line-number",
    "--with-filename",
    "--no-heading",
    ...["--sort", "path", "--max-columns", String(GREP_LINE_CHARS_MAX), "--max-columns-preview"],
    ...(request.glob === undefined ? [] : [`--glob=${request.glob}`]),
    ...(request.ignore_case === true ? ["--ignore-case"] : []),
    ...(request.context === undefined ? [] : [`--context=${String(request.context)}`]),
    `--regexp=${request.pattern}`,
    "--",
    path,
  ];
}

function shown(output: string, limit: number): string {
  const lines = output
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.replace(/^\.\//, ""));
  const total = countLines(output);
  const kept: string[] = [];
  let chars = 0;
  for (const line of lines.slice(0, limit)) {
    chars += line.length + 1;
    if (chars > TOOL_OUTPUT_CHARS_MAX) break;
    kept.push(line);
  }
  if (kept.length >= total) return kept.join("\n");
  return `${kept.join("\n")}\n[${String(total - kept.length)} more lines or more: narrow the pattern, path or glob]`;
}
