/** What a turn will say, after the faults that change the answer itself. */
import type { AnswerUsage, Said } from "./dialect.ts";
import type { PromptUsage } from "./cache/prompt.ts";
import type { Fault } from "./fault.ts";
import type { Turn } from "./scenario.ts";
import { tokensOf } from "./tokens.ts";

const NOTHING: Said = { think: null, redacted: null, text: null, calls: [], stop: "end_turn" };

export function saidBy(turn: Turn, fault: Fault | null): Said {
  if (fault?.empty) return NOTHING;
  const said: Said = {
    think: turn.think ?? null,
    redacted: turn.redacted_thinking ?? null,
    text: turn.say ?? null,
    calls: (turn.call ?? []).map(({ tool, input }) => ({ tool, json: JSON.stringify(input) })),
    stop: turn.stop ?? (turn.call ? "tool_use" : "end_turn"),
  };
  if (fault?.truncated_json) return { ...said, calls: lastCut(said.calls), stop: "max_tokens" };
  return fault?.cut_tool_json ? { ...said, calls: lastCut(said.calls) } : said;
}

/** The last input ends in the middle of its JSON. */
function lastCut(calls: Said["calls"]): Said["calls"] {
  return calls.map((call, i) =>
    i === calls.length - 1 ? { ...call, json: call.json.slice(0, Math.ceil(call.json.length / 2)) } : call,
  );
}

/** What the turn tells to say goes before what was counted. */
export function usageOf(turn: Turn, said: Said, prompt: PromptUsage): AnswerUsage {
  const told = turn.usage ?? {};
  const written = told.cache_creation_input_tokens;
  const hour = told.ephemeral_1h_input_tokens ?? (written === undefined ? prompt.write1h : 0);
  const reasoning = told.reasoning_tokens ?? (said.think === null ? 0 : tokensOf(said.think));
  return {
    total: prompt.total,
    input: told.input_tokens ?? prompt.input,
    read: told.cache_read_input_tokens ?? prompt.read,
    write1h: hour,
    write5m: told.ephemeral_5m_input_tokens ?? (written === undefined ? prompt.write5m : Math.max(0, written - hour)),
    output: told.output_tokens ?? Math.max(1, outputTokens(said)),
    reasoning,
  };
}

function outputTokens({ think, text, redacted, calls }: Said): number {
  const words = [think, text, redacted].map((part) => (part === null ? 0 : tokensOf(part)));
  const asked = calls.map(({ tool, json }) => tokensOf(tool) + tokensOf(json));
  return [...words, ...asked].reduce((sum, tokens) => sum + tokens, 0);
}
