import { expect, it } from "vitest";
import type { JsonObject } from "../../../src/kernel/json.ts";
import { builtInTools, parseToolInput, toolSchemas } from "../../../src/tool/registry.ts";
import { toolNamed } from "../../support/tool-fixture.ts";

/** System prompt and schemas together stay below 2,500; this is the tools' share. */
const TOKENS_MAX = 1_700;
const CHARS_PER_TOKEN = 4;

it("the tools come in one order, with their effects", () => {
  expect(builtInTools().map(({ name, effect, idempotent }) => [name, effect, idempotent])).toEqual([
    ["read", "read", true],
    ["write", "write", true],
    ["edit", "write", false],
    ["grep", "read", true],
    ["glob", "read", true],
    ["bash", "execute", false],
    ["web_fetch", "network", true],
    ["todo", "read", true],
    ["remember", "read", true],
    ["task", "read", true],
    ["skill", "read", true],
  ]);
});

it("all descriptions and schemas together cost no more than their share of tokens", () => {
  expect(JSON.stringify(toolSchemas(builtInTools())).length / CHARS_PER_TOKEN).toBeLessThanOrEqual(TOKENS_MAX);
});

it("a schema is that of an object, without a dialect, and the same on every call", () => {
  const schemas = toolSchemas(builtInTools());
  for (const { input } of schemas) {
    expect(input["type"]).toBe("object");
    expect(Object.keys(input)).not.toContain("$schema");
  }
  expect(toolSchemas(builtInTools())).toEqual(schemas);
});

it("input that does not fit is answered with what is wrong", () => {
  const read = toolNamed("read");
  const problemOf = (input: JsonObject): string => {
    const parsed = parseToolInput(read, input);
    return parsed.ok ? "" : parsed.problem;
  };
  expect(parseToolInput(read, { path: "a", offset: 2 })).toEqual({ ok: true, value: { path: "a", offset: 2 } });
  expect(problemOf({ path: "a", offset: 0 })).toMatch(/^The input of read does not fit: offset: /);
  expect(problemOf({})).toContain("path: ");
});

it("a command is named to people by itself, and its limit is what the input asks for", () => {
  const bash = toolNamed("bash");
  expect(bash.title({ command: "npm test" })).toBe("npm test");
  expect(bash.title({ process: "p1", stop: true })).toBe("stop p1");
  expect(bash.limitOf?.({ command: "x", timeout_ms: 5 })).toBe(5);
  expect(parseToolInput(bash, { command: "x", timeout_ms: bash.limit_max_ms + 1 }).ok).toBe(false);
});

it("going on with a waiting process is never repeatable; starting one is", () => {
  const bash = toolNamed("bash");
  expect([
    bash.repeatable?.({ command: "x", interactive: true }),
    bash.repeatable?.({ process: "p1", input: "y" }),
  ]).toEqual([true, false]);
});
