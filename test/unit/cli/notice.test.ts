import { describe, expect, it } from "vitest";
import { contextPhrase, NO_USE, usedContext } from "../../../src/cli/view/context-phrase.ts";
import { noticeLines, noticeOf } from "../../../src/cli/view/notice.ts";
import { paintFor } from "../../../src/cli/view/paint.ts";
import type { Draft } from "../../../src/kernel/events/index.ts";
import { ids, sealed } from "./sealed-events.ts";

function lines(draft: Draft): readonly string[] {
  return sealed(draft).flatMap((event) => {
    const notice = noticeOf(event);
    return notice === null ? [] : noticeLines(notice, paintFor(false));
  });
}

describe("what a run says of its context", () => {
  const assembled = (...findings: string[]): Draft => ({ kind: "ContextAssembled", data: { parts: [], findings } });

  it("names what of the project's files the model does not read, and no more than can be looked at", () => {
    expect(lines(assembled())).toEqual([]);
    expect(lines(assembled("AGENTS.md imports a\u001b[31m.md, and there is no such file"))).toEqual([
      "! AGENTS.md imports a.md, and there is no such file",
    ]);
    const many = lines(assembled(...Array.from({ length: 20 }, (_, i) => `rule ${i} is left out`)));
    expect(many).toHaveLength(10);
    expect(many[0]).toBe("! 20 findings in what the model is to read:");
    expect(many.at(-1)).toBe("  │ … and 12 more findings");
  });

  it("says of a sub-agent's files that did not come in why, and where they are", () => {
    const session = ids.session();
    const merged = (status: "merged" | "conflict" | "red" | "kept"): string =>
      lines({
        kind: "AgentMerged",
        data: { session, status, files: [], conflicts: ["a.ts"], tree: null, verification: null, say: "" },
      }).join("\n");
    expect(merged("merged")).toBe(`✓ files of sub-agent ${session}: merged`);
    for (const status of ["conflict", "red", "kept"] as const)
      expect(merged(status)).toContain(`belay diff ${session}`);
    expect(merged("conflict")).toContain("a.ts");
  });

  it("does not count a conversation that begins anew as a compaction", () => {
    const compacted = (layer: "fresh" | "auto"): Draft => ({
      kind: "ContextCompacted",
      data: {
        layer,
        reason: "r",
        before: 5_000,
        after: 1_000,
        same: 0,
        cache_lost: 0,
        cleared: [],
        head: [],
        kept: 0,
        summarized: false,
      },
    });
    const after = sealed(compacted("fresh"), compacted("auto")).reduce(usedContext, { ...NO_USE, tokens: 6_400 });
    expect(contextPhrase(after)).toBe("5 % of 128k tokens, 1 compaction freed 4.0k");
  });
});
