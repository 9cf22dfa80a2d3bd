/**
 * Runs ripgrep in the shell of the tool, so that a search reaches no further than a command does. Its own configuration
 * and its preprocessors, which execute programs, are off.
 */
import { HarnessError } from "../kernel/harness-error.ts";
import { lazy } from "../kernel/lazy.ts";
import { quoted } from "../workspace/process/pty.ts";
import type { CommandEnd } from "../workspace/shell.ts";
import { failsWith } from "./tool-output.ts";
import type { ToolContext, ToolOutput } from "./tool.ts";

/** ripgrep's own exit codes. */
const FOUND = 0;
export const FOUND_NOTHING = 1;
/** Of the script below: there is no ripgrep. */
const NO_RIPGREP = 127;
/** Of what ripgrep says is wrong, in characters. */
const PROBLEM_CHARS_MAX = 1_000;

/** Dot files are searched, the repository's insides are not; ignore rules count also where there is no repository. */
const ALWAYS: readonly string[] = [
  "--no-config",
  "--no-follow",
  "--no-messages",
  "--hidden",
  "--glob",
  "!.git",
  "--no-require-git",
  "--color",
  "never",
];

/** Absolute path of the ripgrep that is shipped, null where it is not; the sandbox must be able to read it. */
export const ripgrepProgram: () => Promise<string | null> = lazy(async () => {
  try {
    return (await import("@vscode/ripgrep")).rgPath;
  } catch (error) {
    // Installed without optional dependencies: then the one on PATH is used.
    if (error instanceof Error) return null;
    throw error;
  }
});

/** @param bytes_max output after which the search is ended @throws `process_failed`, `sandbox_failed` */
export async function ripgrep(words: readonly string[], bytes_max: number, context: ToolContext): Promise<CommandEnd> {
  const shipped = await ripgrepProgram();
  const search = [...ALWAYS, ...words].map(quoted).join(" ");
  const script = `rg=${quoted(shipped ?? "rg")}; [ -x "$rg" ] || rg=rg
command -v "$rg" >/dev/null || exit ${String(NO_RIPGREP)}
"$rg" ${search} | head -c ${String(bytes_max)}
exit "\${PIPESTATUS[0]}"`;
  const running = await context.shell.start({
    command: script,
    cwd: context.workspace.root,
    interactive: false,
    network: "none",
    output_bytes_max: bytes_max + 4_096,
    onHeld: context.onProcess,
    onOutput: () => undefined,
  });
  const kill = (): void => {
    void running.kill(context.signal.reason === "timed_out" ? "timed_out" : "canceled");
  };
  context.signal.addEventListener("abort", kill, { once: true });
  if (context.signal.aborted) kill();
  try {
    return await running.ended;
  } finally {
    context.signal.removeEventListener("abort", kill);
  }
}

/** What the model is told of a search that came to nothing usable; null when it found something, or nothing at all. */
export function searchFailure(
  end: CommandEnd,
  tool: "grep" | "glob",
  say: { readonly instead: string; readonly narrow: string },
): ToolOutput | null {
  if (end.code === NO_RIPGREP) return failsWith(`ripgrep is not installed here. Use \`${say.instead}\` in bash.`, tool);
  if (end.killed !== null) {
    const output = failsWith(`The search was ended before it was done. Narrow it with ${say.narrow}.`, tool);
    return { ...output, status: end.killed === "timed_out" ? "timed_out" : "canceled" };
  }
  if (isUsable(end) || end.code === FOUND_NOTHING) return null;
  return failsWith(end.output.trim().slice(0, PROBLEM_CHARS_MAX) || "The search failed. Try a simpler pattern.", tool);
}

/** Whether a search that found something was cut off at its size: ripgrep then ends by the closed pipe. */
function isUsable(end: CommandEnd): boolean {
  return end.killed === null && (end.code === FOUND || end.code === 128 + 13);
}

/** The path to search, as a word that cannot be an option. @throws `path_outside`, `file_failed` */
export async function searchPath(path: string, context: ToolContext): Promise<string> {
  const { root, files } = context.workspace;
  const relative = path === root ? "." : path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  if (relative === ".") return ".";
  if ((await files.stat(relative)) === null) {
    throw new HarnessError("file_failed", `There is no ${path}.`, "Look with glob.");
  }
  return `./${relative}`;
}
