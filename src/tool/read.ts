/** Reads a text file of the workspace, with line numbers. Never follows a path out of it and never shows binary data. */
import * as z from "zod";
import { TOOL_OUTPUT_CHARS_MAX } from "../kernel/limits.ts";
import { lazy } from "../kernel/lazy.ts";
import { clipLine, countLines } from "./clip.ts";
import { kindOfBytes } from "./file-kind.ts";
import { count, failsWith, says, withFileFailures } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";

export const READ_FILE_BYTES_MAX = 32 * 1024 * 1024;
export const READ_LINES_DEFAULT = 2_000;
export const READ_LINE_CHARS_MAX = 2_000;
/** Names of a directory that are shown. */
export const READ_ENTRIES_MAX = 500;

const input = lazy(() =>
  z.object({
    path: z.string().min(1).describe("File, relative to the workspace"),
    offset: z.int().positive().optional().describe("First line, from 1"),
    limit: z
      .int()
      .positive()
      .optional()
      .describe(`Lines, default ${String(READ_LINES_DEFAULT)}`),
  }),
);
type ReadInput = z.infer<ReturnType<typeof input>>;

export const readTool: Tool<ReadInput> = {
  name: "read",
  description: "Read a text file; lines come as `number<tab>text`. Of a directory: its names.",
  input,
  effect: "read",
  idempotent: true,
  limit_ms: 30_000,
  limit_max_ms: 30_000,
  title: ({ path }) => path,
  run: (request, context) => withFileFailures("read", () => read(request, context)),
};

async function read(request: ReadInput, { workspace, pastOutput }: ToolContext): Promise<ToolOutput> {
  const { path } = request;
  if (path.startsWith(PAST_OUTPUT)) return outputOf(path.slice(PAST_OUTPUT.length), pastOutput);
  const stat = await workspace.files.stat(path);
  if (stat === null) return failsWith(`There is no ${path}. Look with glob, or read its directory.`, "read");
  if (stat.type === "directory") return listing(path, await workspace.files.list(path));
  const bytes = await workspace.files.read(path, READ_FILE_BYTES_MAX);
  const kind = kindOfBytes(bytes);
  if (kind !== "text")
    return failsWith(
      `${path} is ${kind} (${count(bytes.length, "byte")}), not text. A command can tell more about it.`,
      "read",
    );
  return says(numbered(request, new TextDecoder().decode(bytes)), { from: "workspace", by: path });
}

/** Before the id of a call: what it gave back, where that was cleared from the conversation. */
const PAST_OUTPUT = "output:";

async function outputOf(call: string, pastOutput: ToolContext["pastOutput"]): Promise<ToolOutput> {
  const content = await pastOutput(call);
  if (content === null) return failsWith(`No call ${call} of this session gave anything back.`, "read");
  return { status: "ok", content, output: null, exit: null };
}

function numbered({ path, offset = 1, limit = READ_LINES_DEFAULT }: ReadInput, text: string): string {
  const total = countLines(text);
  if (total === 0) return `${path} is empty.`;
  if (offset > total) return `${path} has only ${count(total, "line")}.`;
  const wanted = text.split("\n").slice(offset - 1, Math.min(offset - 1 + limit, total));
  const shown: string[] = [];
  let chars = 0;
  for (const [index, line] of wanted.entries()) {
    const row = `${String(offset + index)}\t${clipLine(line.replace(/\r$/, ""), READ_LINE_CHARS_MAX)}`;
    chars += row.length + 1;
    if (chars > TOOL_OUTPUT_CHARS_MAX && shown.length > 0) break;
    shown.push(row);
  }
  const next = offset + shown.length;
  const rest =
    next <= total
      ? `\n[${count(total - next + 1, "more line")} of ${String(total)}: read on with offset ${String(next)}]`
      : "";
  return shown.join("\n") + rest;
}

function listing(path: string, entries: readonly { readonly name: string; readonly type: string }[]): ToolOutput {
  const names = entries.slice(0, READ_ENTRIES_MAX).map(({ name, type }) => {
    const line = name.replaceAll("\n", "\\n"); // a name must not look like two
    return type === "directory" ? `${line}/` : line;
  });
  const rest = entries.length > names.length ? `\n[${count(entries.length - names.length, "more name")}]` : "";
  return says(`${path} is a directory of ${count(entries.length, "name")}:\n${names.join("\n")}${rest}`, {
    from: "workspace",
    by: path,
  });
}
