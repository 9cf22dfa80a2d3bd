/** Finds files by name. Never looks outside the workspace; ignored files are left out. */
import picomatch from "picomatch";
import * as z from "zod";
import { lazy } from "../kernel/lazy.ts";
import { ripgrep, searchFailure, searchPath } from "./ripgrep.ts";
import { count, says, withFileFailures } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

export const GLOB_PATHS_MAX = 300;
/** Names that are looked through: some hundred thousand files. */
export const GLOB_BYTES_MAX = 32 * 1024 * 1024;

const input = lazy(() =>
  z.object({
    pattern: z.string().min(1).describe("Like `src/**/*.ts`; without a slash it matches in every directory"),
    path: z.string().min(1).optional().describe("Directory to look in; default all"),
  }),
);
type GlobInput = z.infer<ReturnType<typeof input>>;

export const globTool: Tool<GlobInput> = {
  name: "glob",
  description: "Find files by name pattern, sorted. Files ignored by git are left out.",
  input,
  effect: "read",
  idempotent: true,
  limit_ms: 60_000,
  limit_max_ms: 60_000,
  title: ({ pattern, path }) => (path === undefined ? pattern : `${pattern} in ${path}`),
  run: (request, context) => withFileFailures("glob", () => glob(request, context)),
};

async function glob({ pattern, path = "." }: GlobInput, context: ToolContext): Promise<ToolOutput> {
  const base = await searchPath(path, context);
  const end = await ripgrep(["--files", "--null", "--", base], GLOB_BYTES_MAX, context);
  const failed = searchFailure(end, "glob", { instead: "find", narrow: "path" });
  if (failed !== null) return failed;
  const found = matching(end.output, pattern, base);
  const more =
    found.length > GLOB_PATHS_MAX ? `\n[${count(found.length - GLOB_PATHS_MAX, "more file")}: narrow the pattern]` : "";
  const text = found.length === 0 ? `No file matches ${pattern}.` : found.slice(0, GLOB_PATHS_MAX).join("\n") + more;
  return says(text, { from: "workspace", by: path });
}

/** Paths relative to the workspace whose part below `base` fits the pattern. */
function matching(output: string, pattern: string, base: string): readonly string[] {
  const below = base === "." ? "./" : `${base.replace(/\/+$/, "")}/`;
  const wanted = pattern.replace(/^\.?\//, "");
  const fits = picomatch(wanted, { dot: true, basename: !wanted.includes("/") });
  return output
    .split("\0")
    .filter(
      (name) => name !== "" && fits(name.startsWith(below) ? name.slice(below.length) : name.replace(/^\.\//, "")),
    )
    .map((name) => name.replace(/^\.\//, "").replaceAll("\n", "\\n"))
    .sort();
}
