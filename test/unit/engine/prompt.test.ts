import { describe, expect, it } from "vitest";
import { promptOf } from "../../../src/engine/prompt.ts";
import { FIXED_PROMPT_BYTES } from "../../../src/kernel/bound.ts";
import { builtInTools } from "../../../src/tool/registry.ts";

/** Text in English and JSON has about this many characters a token. */
const CHARS_PER_TOKEN = 4;
const PROMPT_TOKENS_MAX = 1_500;

describe("the prompt", () => {
  const { system, tools } = promptOf(builtInTools());
  const text = system + JSON.stringify(tools);

  it("and all schemas together stay within 1,500 tokens, and within the bytes that the worst case of a call counts on", () => {
    expect(text.length / CHARS_PER_TOKEN).toBeLessThanOrEqual(PROMPT_TOKENS_MAX);
    expect(Buffer.byteLength(text)).toBeLessThan(FIXED_PROMPT_BYTES);
  });

  it("names no directory, date or user, so that every session shares the provider's cache of it", () => {
    expect(text).not.toMatch(/\/(home|root|tmp\/|work)\b.*\/|20\d\d-\d\d|\$\{/);
    expect(promptOf(builtInTools()).versions).toEqual(promptOf(builtInTools()).versions);
  });
});
