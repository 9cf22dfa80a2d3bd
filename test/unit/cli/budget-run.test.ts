/** Caps of money on real runs: the real command in this process, the real SDK over HTTP, a store of its own. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { program, type ProgramEnd } from "../../support/program.ts";

let directory = "";
let emulator: Emulator;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-budget-run-"));
  await mkdir(join(directory, "project"));
  await mkdir(join(directory, "home"));
  await writeFile(join(directory, "project", "a.txt"), "a\n");
  emulator = await startEmulator({
    scenario: {
      turns: [
        { say: "I write it.", call: [{ tool: "write", input: { path: "hello.txt", content: "hello\n" } }] },
        { say: "Written." },
      ],
    },
  });
});
afterEach(async () => {
  await emulator.close();
  await rm(directory, { recursive: true, force: true });
});

function belay(...argv: readonly string[]): Promise<ProgramEnd> {
  const variables = {
    PATH: process.env["PATH"],
    ANTHROPIC_BASE_URL: emulator.url,
    ANTHROPIC_API_KEY: "key-of-a-test",
  };
  return program({ directory, cwd: join(directory, "project"), variables }, argv);
}

const reportIn = ({ out }: ProgramEnd): unknown => JSON.parse(out.trim().split("\n").at(-1) ?? "");

describe("a run with a cap of money", () => {
  it("ends when the next call may cost more than is left, and goes on with a higher one", async () => {
    const stopped = await belay("run", "do it", "--no-sandbox", "--output", "json", "--budget", "0.0001");
    expect([stopped.code, reportIn(stopped)]).toEqual([6, expect.objectContaining({ outcome: "budget_exhausted" })]);
    const raised = await belay("resume", "--last", "--output", "json", "--budget", "1");
    expect([raised.code, reportIn(raised)]).toEqual([0, expect.objectContaining({ outcome: "completed" })]);
  });

  it("that nobody asked for lets a model without a price through, and says what holds instead", async () => {
    const ended = await belay("run", "do it", "--no-sandbox", "--model", "claude-of-tomorrow");
    expect(ended.code).toBe(0);
    expect(`${ended.out}${ended.err}`).toContain(
      "! The price of anthropic/claude-of-tomorrow is not known, so what it costs is not either: the cap of 5,000,000 tokens",
    );
  });

  it("counts with the prices of the settings", async () => {
    const prices = { "anthropic/claude-of-tomorrow": { input: 1_000, output: 1_000 } };
    await writeFile(join(directory, "home", "settings.json"), JSON.stringify({ prices }));
    const ended = await belay("run", "do it", "--no-sandbox", "--model", "claude-of-tomorrow", "--output", "json");
    expect([ended.code, reportIn(ended)]).toEqual([6, expect.objectContaining({ outcome: "budget_exhausted" })]);
  });
});
