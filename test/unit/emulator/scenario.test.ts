import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import { parseScenario } from "../../../src/testing/emulator/scenario-file.ts";
import { builtInTools } from "../../../src/tool/registry.ts";

function refusal(text: string): string {
  try {
    parseScenario(text, "test.yaml");
  } catch (error) {
    if (error instanceof HarnessError && error.kind === "config_invalid") return error.message;
    throw error;
  }
  return "accepted";
}

describe("a scenario", () => {
  it("has defaults for everything but what a turn says", () => {
    expect(parseScenario("turns:\n  - say: hi\n").turns).toEqual([
      { say: "hi", latency_ms: 0, chunk_chars: 20, chunk_delay_ms: 0, repeat: 1 },
    ]);
  });

  it("names the line of a key that does not exist", () => {
    expect(refusal("turns:\n  - say: hi\n  - say: ho\n    fualt: {}\n")).toContain("line 4, turns.1.fualt");
    expect(refusal("turns:\n  - say: hi\n    fault:\n      reset: true\n      retries: 3\n")).toContain(
      "line 5, turns.0.fault",
    );
    expect(refusal("turn:\n  - say: hi\n")).toContain("line 1, turn");
  });

  it("names the line of a value that is wrong", () => {
    expect(refusal("turns:\n  - say: hi\n    latency_ms: soon\n")).toContain("line 3, turns.0.latency_ms");
  });

  it("says of an alias that leads nowhere, and of a few that stand for millions, that this is the mistake", () => {
    expect(refusal("turns: *nobody\n")).toContain("nobody");
    const ten = (name: string): string => Array.from({ length: 10 }, () => name).join(", ");
    const bomb = Array.from({ length: 8 }, (_, n) => `a${n + 1}: &a${n + 1} [${ten(`*a${n}`)}]`).join("\n");
    expect(refusal(`a0: &a0 [${ten("x")}]\n${bomb}\n`)).toContain("alias count");
    expect(refusal("turns: []\n---\nturns: []\n")).toMatch(/multiple documents at line 2, column 1\./);
  });

  it("names the first mistakes in the order of the file, and how many more there are", () => {
    const told = refusal(`wire: { chunk_bytes: 0 }\ncache: 5\nturns:\n${"  - sya: hi\n".repeat(50)}`);
    expect(told.indexOf("line 1, wire")).toBeLessThan(told.indexOf("line 4, turns.0"));
    expect(told).toMatch(/; and \d+ more\./);
    expect(told.length).toBeLessThan(3_000);
  });

  it("refuses a turn that does nothing, and a fault that is two or none", () => {
    expect(refusal("turns:\n  - latency_ms: 5\n")).toContain("a turn says, thinks or calls something");
    expect(refusal("turns:\n  - say: x\n    fault: { times: 2 }\n")).toContain("a fault is exactly one of");
    expect(refusal("turns:\n  - say: x\n    fault: { reset: true, status: 500 }\n")).toContain(
      "a fault is exactly one of",
    );
  });

  it("refuses what is no YAML", () => {
    expect(refusal("turns: [")).toContain("is not YAML");
  });

  it("is documented by examples that are valid", async () => {
    const manual = await readFile(new URL("../../../docs/emulator.md", import.meta.url), "utf8");
    const examples = [...manual.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((found) => found[1] ?? "");
    expect(examples.length).toBeGreaterThan(1);
    for (const example of examples) {
      const { turns, generate, batches } = parseScenario(example);
      expect(turns.length > 0 || generate !== undefined || batches !== undefined).toBe(true);
    }
    const calls = examples.flatMap((example) => parseScenario(example).turns.flatMap(({ call = [] }) => call));
    const tools = new Map(builtInTools().map((tool) => [tool.name, tool]));
    for (const { tool, input } of calls)
      expect([tool, tools.get(tool)?.input().safeParse(input).error]).toEqual([tool, undefined]);
    expect(calls.map(({ tool }) => tool)).toContain("edit");
  });

  it("has every key in its manual", async () => {
    const manual = await readFile(new URL("../../../docs/emulator.md", import.meta.url), "utf8");
    const files = ["scenario", "fault", "limits/limits", "outage", "generate"].map(
      (name) => new URL(`../../../src/testing/emulator/${name}.ts`, import.meta.url),
    );
    const source = (await Promise.all(files.map((file) => readFile(file, "utf8")))).join("\n");
    const keys = [
      ...source.matchAll(
        /^ +([a-z0-9_]+): (?:z[.\n]|times\(|count\(|delay\(|headers\(|flag\(|perMinute\(|perMillion\(|seconds\(|nth\(|between\(|usage|match|fault|wire|cache|chaos)/gm,
      ),
    ].map((found) => found[1] ?? "");
    expect(keys.length).toBeGreaterThan(60);
    expect(keys.filter((key) => !manual.includes(`\`${key}\``))).toEqual([]);
  });
});
