import { describe, expect, it } from "vitest";
import { toolTitle } from "../../../src/cli/view/tool-title.ts";

describe("the line of a tool call", () => {
  it.each([
    [
      "todo",
      {
        items: [
          { text: "read it", status: "done" },
          { text: "write the parser", status: "active" },
        ],
      },
      "1 of 2 done, now: write the parser",
    ],
    ["todo", { items: [{ text: "read it", status: "done" }] }, "1 of 1 done"],
    ["task", { agent: "explore", description: "find auth files", prompt: "Find …" }, "explore: find auth files"],
    ["remember", { kind: "anti_pattern", text: "[memory:mem_01m80avxm9kqtnb8bzyr9rh299]" }, "(anti pattern)"],
    ["remember", { kind: "semantic", text: "the port is 8080" }, "(semantic) the port is 8080"],
    ["skill", { name: "changelog" }, "changelog"],
    ["skill", { name: "changelog", file: "template.md" }, "changelog template.md"],
    ["grep", { pattern: "sum", path: "src" }, "sum in src"],
  ])("of %s says what it is about: %j", (name, input, title) => {
    expect(toolTitle({ name, input })).toBe(title);
  });

  it.each([
    ["todo", { items: ["read it"] }],
    ["task", { agent: "explore" }],
    ["remember", { text: 1 }],
    ["constructor", { a: 1 }],
  ])("of %s shows an input that is not the tool's as it is", (name, input) => {
    expect(toolTitle({ name, input })).toBe(JSON.stringify(input));
  });
});
