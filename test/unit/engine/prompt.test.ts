import { describe, expect, it, vi } from "vitest";
import { promptOf } from "../../../src/engine/prompt.ts";
import { builtInTools } from "../../../src/tool/registry.ts";

/** Text in English and JSON has about this many characters a token. */
const CHARS_PER_TOKEN = 4;
const PROMPT_TOKENS_MAX = 1_500;

describe("the prompt", () => {
  const { system, tools, bytes } = promptOf(builtInTools());
  const text = system + JSON.stringify(tools);

  it("and all schemas together stay within 1,500 tokens; the worst case of a call counts on all their bytes", () => {
    expect(text.length / CHARS_PER_TOKEN).toBeLessThanOrEqual(PROMPT_TOKENS_MAX);
    expect(bytes).toBe(Buffer.byteLength(text));
  });

  it("names no directory, date or user, so that every session shares the provider's cache of it", () => {
    expect(text).not.toMatch(/\/(home|root|tmp\/|work)\b.*\/|20\d\d-\d\d|\$\{/);
    expect(promptOf(builtInTools()).versions).toEqual(promptOf(builtInTools()).versions);
  });

  it("takes the schemas that the build printed for belay's own tools, and makes those of any others", async () => {
    const printed = tools.map((tool) => ({ ...tool, description: "printed" }));
    vi.stubGlobal("BELAY_TOOL_SCHEMAS", printed);
    vi.resetModules(); // what is built is kept
    const fresh = await import("../../../src/engine/prompt.ts");
    const own = (await import("../../../src/tool/registry.ts")).builtInTools();
    expect(fresh.promptOf(own).tools).toEqual(printed);
    expect(fresh.promptOf([...own]).tools).toEqual(tools);
    vi.unstubAllGlobals();
  });
});
