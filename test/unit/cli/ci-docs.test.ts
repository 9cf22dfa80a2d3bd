/** Workflows and pages that people copy: they parse, they are cautious, and every command in them is one that belay takes. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { createProgram } from "../../../src/cli/program.ts";

const ROOT = join(import.meta.dirname, "../../..");
const WORKFLOW = "examples/github-actions/belay.yml";
const PAGES = ["docs/ci.md", ...globSync("examples/**/*.yml", { cwd: ROOT }).sort()];

const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Command lines that begin with `belay`, as words. Variables stand for themselves; redirections are the shell's. */
function commandsIn(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .flatMap((line) => line.match(/(?:"[^"]*"|'[^']*'|[^"';|&])+/g) ?? [])
    .map((part) => part.trim().replace(/^(- |run: )+/, ""))
    .filter((part) => part.startsWith("belay "))
    .map((part) => [...part.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "").slice(1))
    .map((words) => (words.includes(">") ? words.slice(0, words.indexOf(">")) : words));
}

/** What the parser says to it, without running it. */
async function complaint(words: readonly string[]): Promise<string | null> {
  const out = new OutputStream(new PassThrough(), { colors: false, redraws: false });
  const face = { environment: readEnvironment({}, "/"), cwd: "/", stdin: new PassThrough(), out, err: out };
  const program = createProgram(face, { face, debug: () => false, does: () => Promise.resolve() });
  try {
    await program.parseAsync([...words], { from: "user" });
    return null;
  } catch (error) {
    if (error instanceof CommanderError) return error.message;
    throw error;
  }
}

describe("a page for people who copy", () => {
  it.each(PAGES)("%s names commands that belay takes", async (path) => {
    const commands = commandsIn(path.endsWith(".md") ? fencesOf(textOf(path)) : textOf(path));
    expect(commands.length).toBeGreaterThan(0);
    for (const words of commands) expect([words, await complaint(words)]).toEqual([words, null]);
  });

  it("would be caught with a command that belay does not take", async () => {
    expect(await complaint(["run", "--sandbox", "podman", "x"])).toContain("podman");
    expect(await complaint(["sessions", "explode"])).not.toBeNull();
    expect(commandsIn('x | belay run - --verify "a && b" > y')).toEqual([["run", "-", "--verify", "a && b"]]);
  });
});

function fencesOf(markdown: string): string {
  return [...markdown.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, text]) => text).join("\n");
}

const step = z.object({ uses: z.string().optional(), run: z.string().optional(), if: z.string().optional() });
const workflow = z.object({
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.string()),
  env: z.record(z.string(), z.string()),
  jobs: z.record(z.string(), z.object({ "timeout-minutes": z.number(), steps: z.array(step) })),
});

describe("the workflow of GitHub Actions", () => {
  const { on, permissions, env, jobs } = workflow.parse(parse(textOf(WORKFLOW)));
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  it("may read the repository and nothing else", () => {
    expect(permissions).toEqual({ contents: "read" });
    expect(Object.keys(on)).toEqual(["workflow_dispatch"]);
    expect(textOf(WORKFLOW)).toContain("persist-credentials: false");
  });

  it("names a version of everything it takes", () => {
    expect(env["BELAY_VERSION"]).toMatch(/^\d+\.\d+\.\d+$/);
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^actions\/[\w/-]+@v\d+$/);
  });

  it("puts nothing that somebody typed into a script", () => {
    for (const { run = "" } of steps) expect(run).not.toContain("${{");
  });

  it("keeps what a killed job has done, and tries again only where that can help", () => {
    const texts = steps.map((one) => one.run ?? "").join("\n");
    expect(texts).toMatch(/"\$code" -eq 75/);
    expect(texts).toContain("belay resume --last");
    const kept = steps.filter(({ uses = "" }) => uses.startsWith("actions/cache/save"));
    expect(kept.map((one) => one.if)).toEqual(["always()"]);
  });
});
