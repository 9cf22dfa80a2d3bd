import { describe, expect, it, vi } from "vitest";
import { joinedParts, SYSTEM_PARTS } from "../../../src/context/system-prompt.ts";
import { partsOf, promptOf } from "../../../src/engine/prompt.ts";
import { builtInTools } from "../../../src/tool/registry.ts";

/** As parts of a context are priced: prose and JSON have more. */
const BYTES_PER_TOKEN = 3;
const PROMPT_TOKENS_MAX = 2_500;

describe("the prompt", () => {
  const { system, tools, bytes } = promptOf(builtInTools());
  const text = system + JSON.stringify(tools);

  it("and all schemas together stay within 2,500 tokens; the worst case of a call counts on all their bytes", () => {
    expect(Math.ceil(bytes / BYTES_PER_TOKEN)).toBeLessThanOrEqual(PROMPT_TOKENS_MAX);
    expect(bytes).toBe(Buffer.byteLength(text));
  });

  it("is made of named parts, each with a version; a part that names a tool names one that is there", () => {
    expect(joinedParts(SYSTEM_PARTS.map((part) => part.text))).toBe(system);
    const parts = partsOf({ tools });
    expect(new Set(parts.map(({ kind, name }) => `${kind} ${name}`)).size).toBe(parts.length);
    expect(parts).toHaveLength(SYSTEM_PARTS.length + tools.length);
    const names = tools.map(({ name }) => name);
    for (const [, named = ""] of system.matchAll(/`(\w+)`/g)) expect(names).toContain(named);
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
