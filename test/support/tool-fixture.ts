/** A tool's context over real files and a real shell, for tests of tools. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { plainText } from "../../src/kernel/content.ts";
import type { BlobHash } from "../../src/kernel/ids.ts";
import type { JsonObject } from "../../src/kernel/json.ts";
import type { ProcessIdentity } from "../../src/kernel/process-identity.ts";
import { builtInTools, parseToolInput } from "../../src/tool/registry.ts";
import type { Tool, ToolContext, ToolOutput } from "../../src/tool/tool.ts";
import type { Shell } from "../../src/workspace/shell.ts";
import type { Workspace } from "../../src/workspace/workspace.ts";
import { openWorkspaceFiles } from "../../src/workspace/files/files.ts";
import { type Ground, realClock } from "./shell-fixture.ts";

export interface ToolBench {
  readonly context: ToolContext;
  readonly kept: string[];
  readonly processes: ProcessIdentity[];
  readonly progress: string[];
  /** Cancels or times out what runs. */
  stop(reason: "canceled" | "timed_out"): void;
  run(name: string, input: JsonObject): Promise<ToolOutput>;
  put(path: string, content: string | Uint8Array): void;
  get(path: string): string;
}

export function makeBench(ground: Ground, shell: Shell, changes: Partial<ToolContext> = {}): ToolBench {
  const kept: string[] = [];
  const processes: ProcessIdentity[] = [];
  const progress: string[] = [];
  const controller = new AbortController();
  const context: ToolContext = {
    // Only what tools use: they make no snapshots and deliver nothing.
    workspace: {
      mode: "copy",
      root: ground.root,
      scratch: ground.scratch,
      files: openWorkspaceFiles(ground.root),
      readable: [],
      protected: [],
    } as unknown as Workspace,
    shell,
    signal: controller.signal,
    clock: realClock,
    limit_ms: 120_000,
    network: "none",
    onProcess: (identity) => Promise.resolve(void processes.push(identity)),
    onProgress: (text) => void progress.push(text),
    keep: (text) =>
      Promise.resolve((kept.push(text), `sha256:${createHash("sha256").update(text).digest("hex")}` as BlobHash)), // of the shape of one
    pastOutput: () => Promise.resolve(null),
    interactive: new Map(),
    ...changes,
  };
  return {
    context,
    kept,
    processes,
    progress,
    stop: (reason) => {
      controller.abort(reason);
    },
    run: async (name, input) => {
      const parsed = parseToolInput(toolNamed(name), input);
      if (!parsed.ok) throw new Error(parsed.problem);
      return toolNamed(name).run(parsed.value, context);
    },
    put: (path, content) => {
      mkdirSync(dirname(join(ground.root, path)), { recursive: true });
      writeFileSync(join(ground.root, path), content);
    },
    get: (path) => readFileSync(join(ground.root, path), "utf8"),
  };
}

export function toolNamed(name: string): Tool {
  const tool = builtInTools().find((each) => each.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return tool;
}

/** What the model reads, with its status in front. */
export function told(output: ToolOutput): string {
  return `${output.status}: ${plainText(output.content)}`;
}
