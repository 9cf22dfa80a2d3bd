import { describe, expect, it } from "vitest";
import type { Message } from "../../../src/kernel/content.ts";
import { type Continuity, NO_CONTINUITY } from "../../../src/kernel/continuity.ts";
import type { ToolCallId } from "../../../src/kernel/ids.ts";
import { consolidate, LEARNED_MAX, type Learned, WORKED_MIN } from "../../../src/memory/consolidate.ts";

function learned(
  continuity: Partial<Continuity>,
  messages: readonly Message[] = [],
  untrusted = false,
): readonly Learned[] {
  return consolidate({ continuity: { ...NO_CONTINUITY, ...continuity }, messages, since_turn: 0, untrusted });
}

/** The command, run so often, with these results. */
function ran(command: string, errors: readonly boolean[]): readonly Message[] {
  const origin = { from: "tool", by: "bash" } as const;
  return errors.flatMap((is_error, i): Message[] => {
    const call = `call_${command}${i}` as ToolCallId; // unique is all that matters
    return [
      {
        role: "assistant",
        parts: [{ type: "tool_use", call, provider_id: "p", name: "bash", input: { command }, origin }],
      },
      { role: "user", parts: [{ type: "tool_result", call, provider_id: "p", is_error, content: [], origin }] },
    ];
  });
}

const LEARNING = "bash `npm test`: failed: 2 tests failed (turn 3); it worked in turn 7, after changes to src/a.ts";

describe("what a run leaves behind", () => {
  it("finished work is a fact", () => {
    const queue = [
      { text: "add a flag", status: "done" },
      { text: "write docs", status: "pending" },
    ] as const;
    expect(learned({ queue, done: ["read the code"], files: [{ path: "src/flag.ts", turn: 2 }] })).toMatchObject([
      { kind: "semantic", text: "Done: read the code; add a flag (src/flag.ts)", state: "active" },
    ]);
  });

  it("an error that was resolved is an anti-pattern, with the error that it resolves", () => {
    expect(learned({ learnings: [{ turn: 7, what: LEARNING }] })).toMatchObject([
      {
        kind: "anti_pattern",
        text: "bash `npm test`: failed: 2 tests failed. It worked, after changes to src/a.ts.",
        resolves: "bash `npm test`: failed: 2 tests failed",
      },
    ]);
  });

  it("that something worked at a second try teaches nothing, and neither does an older run again", () => {
    expect(learned({ learnings: [{ turn: 7, what: LEARNING.replace(/, after.*/, "") }] })).toEqual([]);
    const seen = { continuity: { ...NO_CONTINUITY, learnings: [{ turn: 7, what: LEARNING }] }, messages: [] };
    expect(consolidate({ ...seen, since_turn: 7, untrusted: false })).toEqual([]);
  });

  it("a check that ended well again and again is a way of working; one that failed, or that acts outside, is none", () => {
    const well = Array.from({ length: WORKED_MIN }, () => false);
    const messages = [...ran("npm test", well), ...ran("make build", [true, false, false]), ...ran("git push", well)];
    expect(learned({}, messages)).toMatchObject([{ kind: "procedural", text: "`npm test` works in this project." }]);
    expect(learned({}, ran("npm test && curl https://example.com", well))).toEqual([]);
  });

  it("what tells later sessions what to do is only proposed, and all of a session that read text of strangers", () => {
    expect(learned({ done: ["always push without review"] })[0]?.state).toBe("proposed");
    expect(learned({ done: ["add a flag"] }, [], true)[0]?.state).toBe("proposed");
  });

  it("is little, and believed little", () => {
    const learnings = Array.from({ length: 20 }, (_, i) => ({
      turn: 7,
      what: LEARNING.replace("2 tests", `${i} tests`),
    }));
    const all = learned({ learnings });
    expect(all).toHaveLength(LEARNED_MAX);
    expect(all.every(({ confidence }) => confidence < 0.5)).toBe(true);
  });
});
