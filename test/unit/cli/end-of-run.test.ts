/** What the end of a run asks git: nothing where nothing can have changed. Counted by a `git` that notes how it is called. */
import { execFile, execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { COMPILE_CACHE } from "../../support/compile-cache.ts";
import { startBenchServer, type ToolUse } from "../../../scripts/bench-server.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");
/** In the log of git, where a request came. */
const MARK = "request";
const RUN_LIMIT_MS = 120_000;

const directory = mkdtempSync(join(tmpdir(), "belay-end-"));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly report: { readonly outcome: string };
  /** The git commands after the last request had come. */
  readonly git: readonly string[];
}

async function runOf(name: string, call: ToolUse): Promise<Ended> {
  const at = join(directory, name);
  const [repository, bin, log] = [join(at, "repository"), join(at, "bin"), join(at, "git.log")];
  for (const made of [repository, bin]) mkdirSync(made, { recursive: true });
  writeFileSync(join(repository, "a.txt"), "a\n");
  for (const words of [
    ["init", "-q"],
    ["add", "-A"],
    ["commit", "-qm", "first"],
  ]) {
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...words], { cwd: repository });
  }
  const real = execFileSync("/bin/sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(join(bin, "git"), `#!/bin/sh\necho "$*" >> '${log}'\nexec '${real}' "$@"\n`);
  chmodSync(join(bin, "git"), 0o755);
  const server = await startBenchServer(
    (n) => (n === 0 ? { kind: "calls", calls: [call] } : { kind: "text", text: "Done." }),
    (n) => {
      appendFileSync(log, `${MARK} ${n}\n`);
    },
  );
  try {
    const args = [MAIN, "run", "look", "--no-sandbox", "--output", "json"];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: repository,
      timeout: RUN_LIMIT_MS,
      env: {
        ...COMPILE_CACHE,
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
        HOME: at,
        BELAY_HOME: join(at, "home"),
        ANTHROPIC_BASE_URL: server.url,
        ANTHROPIC_API_KEY: "key-of-a-test",
      },
    });
    const last = readFileSync(log, "utf8").split(`${MARK} 1\n`)[1] ?? "";
    return { report: JSON.parse(stdout) as Ended["report"], git: last.split("\n").filter((line) => line !== "") }; // printed by the command under test
  } finally {
    await server.close();
  }
}

describe("the end of a run", () => {
  it("starts no git when the model was given nothing but tools that read", { timeout: RUN_LIMIT_MS }, async () => {
    const reads = await runOf("reads", { tool: "read", input: { path: "a.txt" } });
    const writes = await runOf("writes", { tool: "write", input: { path: "b.txt", content: "b\n" } });
    for (const { report } of [reads, writes]) expect(report).toMatchObject({ outcome: "completed" });
    expect(reads.git).toEqual([]);
    expect(writes.git.filter((line) => line.includes("diff-tree"))).not.toEqual([]);
  });
});
