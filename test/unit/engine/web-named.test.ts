/** Which addresses the web named: whole ones, relative to where they stood; never what only begins like one, or what else says it. */
import { expect, it } from "vitest";
import { type Message, type Origin, textPart } from "../../../src/kernel/content.ts";
import type { ToolCallId } from "../../../src/kernel/ids.ts";
import { namedByTheWeb } from "../../../src/engine/web-named.ts";

const AT = "https://docs.example/guide/start";

function saying(text: string, origin: Origin = { from: "web", by: AT }): readonly Message[] {
  const call = "call_1" as ToolCallId; // of the shape of one
  const content = [textPart(text, origin)];
  const result = { type: "tool_result", call, provider_id: "x", is_error: false, content, origin } as const;
  return [{ role: "user", parts: [result] }];
}

const named = (text: string, url: string, origin?: Origin): boolean => namedByTheWeb(saying(text, origin), url);

it("links are named, in text, Markdown, HTML and JSON", () => {
  for (const text of [
    ...[
      "see https://docs.example/a.",
      "[a](https://docs.example/a)",
      "<https://docs.example/a>",
      "HTTPS://DOCS.example/a#part",
    ],
    ...[
      '<a href="https://docs.example/a">',
      '{"next":"https://docs.example/a"}',
      "[a](/a)",
      "[a](../a)",
      "[a](./../a#part)",
    ],
  ])
    expect({ text, is: named(text, "https://docs.example/a") }).toEqual({ text, is: true });
  const wiki = "https://docs.example/Shell_(Unix)";
  expect(named(`[Shell](${wiki}), and more`, wiki)).toBe(true);
});

it("so are the page itself, what is above it, and the same with another fragment", () => {
  for (const url of [AT, `${AT}#x`, "https://docs.example/guide/", "https://docs.example/"])
    expect({ url, is: named("", url) }).toEqual({ url, is: true });
});

it("what the model makes of them is not", () => {
  const text = "see https://docs.example/a?q= and https://docs.example/long/path and {name}.docs.example";
  for (const url of [
    ...[
      "https://docs.example/a",
      "https://docs.example/a?q=secret",
      "https://docs.example/long",
      "https://docs.example/long/pat",
    ],
    ...["https://docs.example/long/path/more", "https://docs.example:444/long/path", "http://docs.example/long/path"],
    ...[
      "https://secret.docs.example/",
      "https://docs.example/guide/other",
      "https://docs.example/guide/?x",
      "not an address",
    ],
  ])
    expect({ url, is: named(text, url) }).toEqual({ url, is: false });
});

it("only the web names: not a file, not a command, not belay", () => {
  for (const origin of [
    { from: "tool", by: "bash", untrusted: true },
    { from: "workspace", by: "a" },
    { from: "belay" },
  ] as const)
    expect(named("https://docs.example/a", "https://docs.example/a", origin)).toBe(false);
  const asked: readonly Message[] = [
    { role: "user", parts: [textPart("https://docs.example/a", { from: "web", by: AT })] },
  ];
  expect(namedByTheWeb(asked, "https://docs.example/a")).toBe(false);
});
