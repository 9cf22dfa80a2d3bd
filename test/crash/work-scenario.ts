/** The session that is crashed everywhere: it reads, edits, runs slow commands, fails and retries. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";

/** Every line that a command appends is seen twice when the command ran twice. */
export const WORK: ScenarioInput = {
  turns: [
    {
      say: "Looking.",
      call: [
        { tool: "read", input: { path: "src/app.js" } },
        { tool: "read", input: { path: "notes.txt" } },
      ],
    },
    { call: [{ tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } }] },
    // A slow writer: killed in between, half of it is there.
    { call: [{ tool: "bash", input: { command: "echo one >> log.txt; sleep 0.15; echo two >> log.txt" } }] },
    { call: [{ tool: "bash", input: { command: "echo failing >> log.txt; rm notes.txt; exit 3" } }] },
    {
      call: [{ tool: "write", input: { path: "new/deep/file.txt", content: "made by the agent\n" } }],
      fault: { status: 529 },
    },
    { call: [{ tool: "edit", input: { path: "src/app.js", old_string: "is not there", new_string: "x" } }] },
    // A child that would outlive its command, in a session of its own: it ends with the command.
    {
      call: [
        {
          tool: "bash",
          input: {
            command:
              "setsid sh -c 'sleep 30; echo late >> late.txt' & for i in 1 2 3; do echo $i >> slow.txt; sleep 0.05; done",
          },
        },
      ],
    },
    {
      call: [
        { tool: "grep", input: { pattern: "return" } },
        { tool: "glob", input: { pattern: "**/*.txt" } },
      ],
      fault: { cut_after_event: 3 },
    },
    {
      call: [
        { tool: "bash", input: { command: "echo first >> log.txt" } },
        { tool: "write", input: { path: "second.txt", content: "2\n" } },
        { tool: "bash", input: { command: "echo third >> log.txt; chmod +x src/app.js" } },
      ],
    },
    {
      call: [
        {
          tool: "bash",
          input: {
            command: "mkdir -p gen empty; for i in 1 2 3 4 5 6 7 8; do echo $i > gen/$i.txt; done; ln -s gen link",
          },
        },
      ],
    },
    { say: "Done: it returns 2 now." },
  ],
};

export function makeRepository(directory: string): void {
  mkdirSync(join(directory, "src"), { recursive: true });
  writeFileSync(join(directory, "src/app.js"), "export function answer() {\n  return 1;\n}\n");
  writeFileSync(join(directory, "notes.txt"), "some notes\n");
  writeFileSync(join(directory, "log.txt"), "zero\n");
  writeFileSync(join(directory, ".gitignore"), "ignored/\n");
  const git = (...args: string[]): void => {
    execFileSync("git", ["-C", directory, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
      stdio: "ignore",
    });
  };
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-qm", "start");
  // Uncommitted work of the user's is part of the start.
  writeFileSync(join(directory, "uncommitted.txt"), "the user's own\n");
}
