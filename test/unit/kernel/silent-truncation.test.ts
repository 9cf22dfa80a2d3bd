import { describe, expect, it } from "vitest";
import type { Message } from "../../../src/kernel/content.ts";
import { emptyState } from "../../../src/kernel/fold.ts";
import type { PrincipalId, SessionId, TenantId, TraceId } from "../../../src/kernel/ids.ts";
import { cutsInput } from "../../../src/kernel/silent-truncation.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import { NO_USAGE, type Usage } from "../../../src/kernel/usage.ts";
import { testConfig } from "../../support/config.ts";

const said: Message = { role: "user", parts: [{ type: "text", text: "go", origin: { from: "user" } }] };
const thought = (length: number): Message => ({
  role: "assistant",
  parts: [
    {
      type: "thinking",
      text: "",
      signature: "",
      origin: { from: "model" },
      opaque: { provider: "openai", data: { encrypted_content: "x".repeat(length) } },
    },
  ],
});

const session = "ses_1" as SessionId; // a test's own ids
const empty = emptyState({
  tenant: "t" as TenantId,
  principal: "p" as PrincipalId,
  session,
  root: session,
  trace: "0" as TraceId,
});

function state(changes: Partial<SessionState> = {}): SessionState {
  const config = testConfig({ provider: "ollama", model: "m" });
  const counted = {
    messages: 2,
    tokens: 8_100,
    reported: { run: 1, provider: "ollama", model: "m:7b", prompt: 8_000 },
  };
  const messages = [said, thought(0), said];
  return { ...empty, config, runs: 1, messages, counted, ...changes };
}

const usage = (prompt: number, facts: Partial<Usage> = {}): Usage => ({ ...NO_USAGE, input_tokens: prompt, ...facts });
const answer = (prompt: number, model = "m:7b") => ({ model, usage: usage(prompt) });

describe("an input that was cut without a word", () => {
  it("is one for which clearly fewer tokens were counted than for its own beginning", () => {
    expect(cutsInput(state(), answer(4_096))).toBe(true);
    expect(cutsInput(state(), answer(7_000))).toBe(true);
  });

  it.each([
    ["more were counted", state(), answer(8_500)],
    ["as many were counted", state(), answer(8_000)],
    ["the provider rounds", state(), answer(7_300)],
    ["they came from the cache", state(), { model: "m:7b", usage: usage(100, { cache_read_tokens: 8_000 }) }],
    ["they went into the cache", state(), { model: "m:7b", usage: usage(100, { cache_write_5m_tokens: 8_000 }) }],
    ["nothing was counted", state(), answer(0)],
    ["another model answered", state(), answer(4_096, "n:7b")],
    ["another provider is used now", state({ config: testConfig({ provider: "openai", model: "m" }) }), answer(4_096)],
    ["it is another run, with prompt and tools of its own", state({ runs: 2 }), answer(4_096)],
    ["the conversation was compacted", state({ counted: null }), answer(1_000)],
    ["the count before is reckoned", state({ counted: { messages: 2, tokens: 8_100 } }), answer(1_000)],
    ["the provider left out as much thinking", state({ messages: [said, thought(4_000), said] }), answer(4_096)],
  ])("is none where %s", (_, before, after) => {
    expect(cutsInput(before, after)).toBe(false);
  });
});
