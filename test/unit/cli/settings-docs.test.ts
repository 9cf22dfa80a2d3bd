/** The pages about models, budgets and settings: their settings can be used as they stand, and their commands are commands. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { createProgram } from "../../../src/cli/program.ts";
import { readSettings } from "../../../src/cli/resolved-settings.ts";

const PAGES = ["models.md", "budgets.md", "settings.md", "narrow-scope.md"] as const;
const page = (name: string): string => readFileSync(join(import.meta.dirname, "../../../docs", name), "utf8");
const blocks = (name: string, language: string): readonly string[] =>
  [...page(name).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);

/** A command line as a shell without surprises splits it. */
const words = (line: string): readonly string[] =>
  [...line.replace(/ +#.*$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");

/** What the parser makes of it; nothing is run. */
async function parsed(argv: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const out = new OutputStream(new PassThrough().resume(), { colors: false, redraws: false });
  const face = { environment: readEnvironment({}, "/"), cwd: "/", stdin: new PassThrough(), out, err: out };
  const context = { face, debug: () => false, does: () => Promise.resolve() };
  const program = createProgram(face, context);
  let options: Readonly<Record<string, unknown>> | null = null;
  program.hook("preAction", (_, acting: Command) => {
    options = acting.opts();
  });
  await program.parseAsync([...argv], { from: "user" });
  if (options === null) throw new TypeError(`${argv.join(" ")} did nothing`);
  return options;
}

describe.each(PAGES)("docs/%s", (name) => {
  it("has settings that can be used, as the user's and as the machine's", () => {
    const home = mkdtempSync(join(tmpdir(), "belay-docs-"));
    try {
      const found = blocks(name, "json");
      expect(found.length).toBeGreaterThan(0);
      for (const settings of found) {
        for (const file of ["settings.json", "managed.json"]) writeFileSync(join(home, file), settings);
        expect(readSettings(home, join(home, "managed.json")).user_path).toContain(home);
      }
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it("has commands that are understood", async () => {
    const lines = blocks(name, "bash").flatMap((block) => block.trim().split("\n"));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
      const [program, ...argv] = words(line);
      expect(program).toBe("belay");
      await parsed(argv);
    }
  });
});

describe("the options about money", () => {
  it("come to amounts, by name, in the order in which they were said", async () => {
    const argv = ["--budget", "2.00", "--turn-alert", "0.5", "--turn-budget", "1", "--no-alert", "--patience", "1m"];
    const repeated = ["--phase", "plan=10k", "--phase", "work=0.50usd", "--group", "a=1", "--group", "b=2"];
    const models = ["--fallback", "fast", "--fallback", "gpt-5.5", "--fallback-on", "refusal, budget"];
    expect(await parsed(["run", "x", ...argv, ...repeated, ...models])).toEqual({
      output: "text",
      budget: 2e9,
      turnAlert: 5e8,
      turnBudget: 1e9,
      alert: false,
      patience: 60_000,
      phase: [
        { name: "plan", amount: { cost: null, tokens: 10_000 } },
        { name: "work", amount: { cost: 5e8, tokens: null } },
      ],
      group: [
        { name: "a", cost: 1e9 },
        { name: "b", cost: 2e9 },
      ],
      fallback: ["fast", "gpt-5.5"],
      fallbackOn: ["refusal", "budget"],
      summary: true,
      memory: true,
    });
    expect(await parsed(["resume"])).toEqual({ output: "text", alert: true, summary: true, memory: true });
  });

  it.each([
    ["--budget", "-1"],
    ["--budget", "2e3"],
    ["--budget", "0.0000000001"],
    ["--phase", "plan"],
    ["--phase", "=10k"],
    ["--phase", "plan=10"],
    ["--group", "a b=1"],
    ["--fallback", " "],
    ["--fallback-on", "auth"],
    ["--patience", "30"],
  ])("refuse %s %j", async (option, value) => {
    await expect(parsed(["run", "x", option, value])).rejects.toThrow("is invalid");
  });
});
