/** Further tools behind one: the list that the model sees stays short, and no call is judged as anything but what it does. */
import * as z from "zod";
import { describe, expect, it } from "vitest";
import { TOOL_OUTPUT_CHARS_MAX } from "../../../src/kernel/limits.ts";
import type { JsonObject } from "../../../src/kernel/json.ts";
import { CALL_TOOL, callTool, TOOLS_LISTED_MAX, unwrapCall, visibleTools } from "../../../src/tool/call-tool.ts";
import { builtInTools, parseToolInput, toolSchemas } from "../../../src/tool/registry.ts";
import { says } from "../../../src/tool/tool-output.ts";
import type { Tool, ToolContext } from "../../../src/tool/tool.ts";
import { told } from "../../support/tool-fixture.ts";

const further = (name: string, description: string = name): Tool => ({
  name,
  description,
  input: () => z.object({ title: z.string() }),
  effect: "network",
  idempotent: false,
  limit_ms: 1,
  limit_max_ms: 1,
  title: () => name,
  run: () => Promise.resolve(says("ran", { from: "tool", by: name })),
});
const many = (count: number): readonly Tool[] =>
  Array.from({ length: count }, (_, i) => further(`tool_${String(i)}`, `Does ${String(i)}.`));
const BUILT_IN = new Set(builtInTools().map(({ name }) => name));

describe("the list of tools", () => {
  it("holds all of them while they are few", () => {
    const tools = [...builtInTools(), ...many(TOOLS_LISTED_MAX - BUILT_IN.size)];
    expect(visibleTools(tools, BUILT_IN)).toEqual({ listed: tools, behind: [] });
  });

  it("holds the built-in ones when they are many, and does not move when one more comes", () => {
    const tools = [...builtInTools(), ...many(TOOLS_LISTED_MAX)];
    const { listed, behind } = visibleTools(tools, BUILT_IN);
    expect(listed).toEqual(builtInTools());
    expect(behind).toEqual(
      many(TOOLS_LISTED_MAX).map((tool) => expect.objectContaining({ name: tool.name }) as unknown),
    );
    expect(visibleTools([...tools, further("one_more")], BUILT_IN).listed).toEqual(listed);
  });

  it("holds a tool whose name is a word of call_tool's own", () => {
    const tools = [...builtInTools(), ...many(TOOLS_LISTED_MAX), further("search")];
    expect(visibleTools(tools, BUILT_IN).listed.map(({ name }) => name)).toContain("search");
  });
});

const behind = [
  further("github_create_issue", "Create an issue in a repository."),
  further("github_list_issues", "List the issues of a repository."),
  further("slack_post", "Post a message in a channel."),
];
const schemaOf = (tool: Tool): JsonObject => toolSchemas([tool])[0]?.input ?? {};
const door = callTool(behind, schemaOf) as unknown as Tool; // a list of tools forgets what each takes
const all = [...builtInTools(), ...behind, door];

describe("a call through call_tool", () => {
  const unwrapped = (input: JsonObject, name = CALL_TOOL): readonly [string | undefined, JsonObject] => {
    const { tool, input: given } = unwrapCall({ name, input }, all);
    return [tool?.name, given];
  };

  it("is the inner tool's call, with the inner tool's effect", () => {
    expect(unwrapped({ name: "slack_post", input: { title: "x" } })).toEqual(["slack_post", { title: "x" }]);
    expect(unwrapCall({ name: CALL_TOOL, input: { name: "slack_post" } }, all).tool?.effect).toBe("network");
  });

  it("of a listed tool is that tool's call, too: nothing is judged as a look that is more", () => {
    expect(unwrapped({ name: "bash", input: { command: "rm -rf ." } })).toEqual(["bash", { command: "rm -rf ." }]);
  });

  it.each<readonly [string, JsonObject]>([
    ["a search", { name: "search", input: { query: "x" } }],
    ["the list", { name: "list" }],
    ["itself", { name: CALL_TOOL, input: { name: "bash", input: { command: "x" } } }],
    ["a tool that is not there", { name: "gone", input: {} }],
    ["an input that is no object", { name: "bash", input: "ls" }],
    ["no name", {}],
  ])("of %s stays its own, and runs nothing", (_, input) => {
    expect(unwrapped(input)).toEqual([CALL_TOOL, input]);
  });

  it("changes no other call", () => {
    expect(unwrapped({ path: "a" }, "read")).toEqual(["read", { path: "a" }]);
    expect(unwrapped({}, "gone")).toEqual([undefined, {}]);
    expect(unwrapCall({ name: CALL_TOOL, input: { name: "bash" } }, builtInTools()).tool).toBeUndefined();
  });
});

describe("call_tool", () => {
  const run = async (input: JsonObject, tool = door): Promise<string> => {
    const parsed = parseToolInput(tool, input);
    if (!parsed.ok) return parsed.problem;
    return told(await tool.run(parsed.value, {} as ToolContext)); // it only looks
  };

  it("finds tools by words, the best first, with what they take", async () => {
    const answer = await run({ name: "search", input: { query: "list issues" } });
    expect(answer.split("\n").map((one) => one.slice(0, 39))).toEqual([
      "ok: github_list_issues: List the issues",
      '  takes {"type":"object","properties":{',
      "github_create_issue: Create an issue in",
      '  takes {"type":"object","properties":{',
    ]);
    expect(await run({ name: "search", input: { query: "weather" } })).toContain('No tool fits "weather"');
    expect(await run({ name: "search" })).toContain('"search" takes {"query": "words"}');
  });

  it("lists all, and no more than fits", async () => {
    expect((await run({ name: "list" })).split("\n")).toHaveLength(3);
    const long = Array.from({ length: 2_000 }, (_, i) => further(`t${String(i)}`, "x".repeat(200)));
    const answer = await run({ name: "list" }, callTool(long, schemaOf) as unknown as Tool); // as above
    expect(answer.length).toBeLessThan(TOOL_OUTPUT_CHARS_MAX + 100);
    expect(answer).toMatch(/\n\[1,\d{3} more tools: search with narrower words\]$/);
  });

  it("says what is near a name that is wrong, and runs nothing", async () => {
    expect(await run({ name: "github_issue" })).toBe(
      'error: There is no further tool "github_issue". Near it: github_create_issue, github_list_issues.',
    );
    expect(await run({ name: "slack_post", input: {} })).toBe(
      "error: The input of slack_post is no object: nothing was run.",
    );
  });
});
