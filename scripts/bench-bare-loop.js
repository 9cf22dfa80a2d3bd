/** The loop that belay is measured against: fetch, read the stream, run the tool, go on. No journal, no sandbox, no limits. */
import { readFile } from "node:fs/promises";

const url = `${process.env.ANTHROPIC_BASE_URL}/v1/messages`;
const tools = [
  {
    name: "read",
    description: "Reads a file.",
    input_schema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  },
];
const messages = [{ role: "user", content: "bench" }];

async function* events(body) {
  const decoder = new TextDecoder();
  let buffer = "";
  for await (const chunk of body) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const data = buffer
        .slice(0, end)
        .split("\n")
        .find((line) => line.startsWith("data: "));
      buffer = buffer.slice(end + 2);
      if (data) yield JSON.parse(data.slice("data: ".length));
    }
  }
}

async function call() {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-api-key": process.env.ANTHROPIC_API_KEY,
      "anthropic-version": "2023-06-01",
    },
    body: JSON.stringify({ model: "claude-sonnet-4-5", max_tokens: 8192, stream: true, tools, messages }),
  });
  if (!response.ok) throw new Error(await response.text());
  const content = [];
  for await (const event of events(response.body)) {
    if (event.type === "content_block_start") content.push({ ...event.content_block, json: "" });
    if (event.type === "content_block_delta") {
      content.at(-1).json += event.delta.partial_json ?? "";
      content.at(-1).text = (content.at(-1).text ?? "") + (event.delta.text ?? "");
    }
  }
  return content.map(({ json, ...block }) =>
    block.type === "tool_use"
      ? { type: "tool_use", id: block.id, name: block.name, input: JSON.parse(json || "{}") }
      : { type: "text", text: block.text },
  );
}

for (;;) {
  const content = await call();
  messages.push({ role: "assistant", content });
  const uses = content.filter((block) => block.type === "tool_use");
  if (uses.length === 0) break;
  const results = uses.map(async (use) => ({
    type: "tool_result",
    tool_use_id: use.id,
    content: await readFile(use.input.path, "utf8"),
  }));
  messages.push({ role: "user", content: await Promise.all(results) });
}
