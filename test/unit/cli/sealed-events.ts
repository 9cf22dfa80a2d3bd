/** Events as a journal would seal them, with only the facts that matter to a test. */
import { sealEvent } from "../../../src/kernel/envelope.ts";
import type { Draft, Event } from "../../../src/kernel/events/index.ts";
import { isUnknown, parseEvent, versionOf } from "../../../src/kernel/fold.ts";
import { createIds, LOCAL_PRINCIPAL, LOCAL_TENANT, type ToolCallId } from "../../../src/kernel/ids.ts";
import type { ToolUsePart } from "../../../src/kernel/content.ts";
import type { JsonObject } from "../../../src/kernel/json.ts";
import { NO_MONEY, nanoDollars } from "../../../src/kernel/money.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";

let count = 0;
export const ids = createIds(
  () => 1,
  (n) => Uint8Array.from({ length: n }, (_, i) => Math.floor(++count / 32 ** i) % 32),
);

export const SESSION = ids.session();
const TRACE = ids.trace();

/** Seals drafts in order; the turn of each is the last that was named. */
export function sealed(...drafts: readonly Draft[]): readonly Event[] {
  let turn = 0;
  return drafts.map((draft, i) => {
    turn = draft.turn ?? turn;
    const envelope = {
      tenant: LOCAL_TENANT,
      principal: LOCAL_PRINCIPAL,
      session: SESSION,
      root: SESSION,
      parent: null,
      run: null,
      turn,
      phase: null,
      seq: i + 1,
      epoch: 1,
      kind: draft.kind,
      version: versionOf(draft.kind),
      at: 1_000_000 + i,
      causation: null,
      actor: draft.actor ?? ("belay" as const),
      trace: TRACE,
      span: ids.span(),
      redactions: 0,
      prev_hash: "0".repeat(64),
      data: draft.data,
    };
    const event = parseEvent(envelope, sealEvent(envelope).hash);
    if (isUnknown(event)) throw new TypeError("a draft is of a known kind");
    return event;
  });
}

export function toolUse(name: string, input: JsonObject, call: ToolCallId = ids.toolCall()): ToolUsePart {
  return { type: "tool_use", call, provider_id: "p", name, input, origin: { from: "model" } };
}

/** A model call that answered, and what it cost. */
export function answered(text: string, tools: readonly ToolUsePart[] = [], turn = 1): readonly Draft[] {
  const call = ids.modelCall();
  const usage = { ...NO_USAGE, input_tokens: 1_000, output_tokens: 234 };
  return [
    { kind: "BudgetReserved", turn, data: { call, scopes: [], tokens: 9, cost: null, max_tokens: null } },
    {
      kind: "ModelCallStarted",
      turn,
      data: {
        call,
        provider: "p",
        model: "m",
        attempt: 1,
        purpose: "turn",
        max_tokens: 100,
        messages: 1,
        request: "",
        prompt: "",
        tools: "",
      },
    },
    {
      kind: "ModelCallFinished",
      data: {
        call,
        parts: [
          ...(text === "" ? [] : [{ type: "text" as const, text, origin: { from: "model" as const } }]),
          ...tools,
        ],
        stop: tools.length > 0 ? "tool_use" : "end_turn",
        usage,
        model: "m",
        request_id: null,
        duration_ms: 10,
        first_delta_ms: 1,
      },
    },
    {
      kind: "BudgetSettled",
      data: { call, usage, cost: nanoDollars(12_000_000), price: "m", unknown_tokens: 0, unknown_cost: NO_MONEY },
    },
  ];
}

export function toolStarted(part: ToolUsePart): Draft {
  return {
    kind: "ToolStarted",
    data: { call: part.call, tool: part.name, tree: null, file_time: null, confined: true, limit_ms: 1_000 },
  };
}

export function toolFinished(
  part: ToolUsePart,
  end: {
    readonly status?: "ok" | "error" | "denied" | "timed_out" | "canceled";
    readonly text?: string;
    readonly code?: number;
  } = {},
): Draft {
  return {
    kind: "ToolFinished",
    data: {
      call: part.call,
      status: end.status ?? "ok",
      content: [{ type: "text", text: end.text ?? "fine", origin: { from: "tool", by: part.name } }],
      output: null,
      exit: end.code === undefined ? null : { code: end.code, signal: null, killed: false },
      duration_ms: 1_234,
    },
  };
}
