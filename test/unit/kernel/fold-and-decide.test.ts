/**
 * Properties of the pure heart, over sessions as they can really occur: answers, failures, denials, cancels and crashes in
 * every place.
 */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { foldAll } from "../../../src/kernel/fold.ts";
import { canonicalJson } from "../../../src/kernel/json.ts";
import type { Message } from "../../../src/kernel/content.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import { totalTokens } from "../../../src/kernel/usage.ts";
import { choicesFrom, simulate } from "../../support/simulated-session.ts";

const numbers = fc.array(fc.nat({ max: 1_000 }), { minLength: 0, maxLength: 400 });
const RUNS = { numRuns: 2_000 };

describe("fold", () => {
  it("of a prefix and then the rest equals the fold of all (F1)", () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (list, cut) => {
        const { start, events, state } = simulate(choicesFrom(list));
        const at = cut % (events.length + 1);
        const resumed = foldAll(foldAll(start, events.slice(0, at)), events.slice(at));
        expect(resumed).toEqual(state);
      }),
      RUNS,
    );
  });

  it("yields plain JSON, so that a snapshot of it can be folded on", () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (list, cut) => {
        const { start, events, state } = simulate(choicesFrom(list));
        const at = cut % (events.length + 1);
        const snapshot = JSON.parse(canonicalJson(foldAll(start, events.slice(0, at)))) as SessionState;
        expect(foldAll(snapshot, events.slice(at))).toEqual(state);
      }),
      RUNS,
    );
  });

  it("counts tokens and money as the sum of the settlements", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const { events, state } = simulate(choicesFrom(list));
        const settled = events.flatMap((event) => (event.kind === "BudgetSettled" ? [event.data] : []));
        expect(totalTokens(state.usage)).toBe(settled.reduce((sum, one) => sum + totalTokens(one.usage), 0));
        expect(state.cost).toBe(settled.reduce((sum, one) => sum + (one.cost ?? 0), 0));
        expect(state.unknown_tokens).toBe(settled.reduce((sum, one) => sum + one.unknown_tokens, 0));
      }),
      RUNS,
    );
  });
});

describe("decide", () => {
  it("ends every run, within the limits that the state carries (D4)", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const { state } = simulate(choicesFrom(list));
        expect(state.end).not.toBeNull();
        expect(state.turn).toBeLessThanOrEqual(state.config?.limits.turns ?? 0);
      }),
      RUNS,
    );
  });

  it("calls the model only with a valid history: no tool call without its result, none twice, roles in turn (D1)", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const { start, events } = simulate(choicesFrom(list));
        let state = start;
        for (const event of events) {
          if (event.kind === "ModelCallStarted") expect(problemsOf(state)).toEqual([]);
          state = foldAll(state, [event]);
        }
      }),
      RUNS,
    );
  });

  it("gives every tool call exactly one result", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const { events } = simulate(choicesFrom(list));
        const asked = events.flatMap((event) =>
          event.kind === "ModelCallFinished"
            ? event.data.parts.flatMap((part) => (part.type === "tool_use" ? [part.call] : []))
            : [],
        );
        const answered = events.flatMap((event) => (event.kind === "ToolFinished" ? [event.data.call] : []));
        expect([...answered].sort()).toEqual([...asked].sort());
      }),
      RUNS,
    );
  });

  it("never starts a call again that was not requeued, and never runs one beside a change", () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const { events } = simulate(choicesFrom(list));
        const open = new Set<string>();
        for (const event of events) {
          if (event.kind === "ToolStarted") {
            expect(open.has(event.data.call)).toBe(false);
            open.add(event.data.call);
          }
          if (event.kind === "ToolRequeued" || event.kind === "ToolFinished") open.delete(event.data.call);
        }
        expect(open.size).toBe(0);
      }),
      RUNS,
    );
  });
});

/** What a provider would refuse. */
function problemsOf(state: SessionState): string[] {
  const problems: string[] = [];
  state.messages.forEach((message, index) => {
    const expected: Message["role"] = index % 2 === 0 ? "user" : "assistant";
    if (message.role !== expected) problems.push(`message ${index} is of role ${message.role}`);
    const uses = message.parts.flatMap((part) => (part.type === "tool_use" ? [part.call] : []));
    const next = state.messages[index + 1];
    const results = next?.parts.flatMap((part) => (part.type === "tool_result" ? [part.call] : [])) ?? [];
    if (canonicalJson(uses) !== canonicalJson(results))
      problems.push(`calls of message ${index} and results do not agree`);
  });
  if (state.messages.at(-1)?.role === "assistant" && state.stop !== "pause_turn")
    problems.push("the last message is the model's own");
  return problems;
}
