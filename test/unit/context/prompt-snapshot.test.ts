/** Whoever changes what belay tells every model does it on purpose: `belay.prompts.lock` of this repository says what was accepted. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { presentPrompts } from "../../../src/cli/project-prompts.ts";
import { readLockFile } from "../../../src/cli/prompt-lock-file.ts";
import { keyOf, lockDifference, type LockedPrompt } from "../../../src/context/prompt-lock.ts";
import { unifiedDiff } from "../../../src/cli/view/unified-diff.ts";
import { builtInTools } from "../../../src/tool/registry.ts";

const ROOT = join(import.meta.dirname, "../../..");
const ACCEPT = "If that is meant, accept it with `npm run prompts` and commit belay.prompts.lock.";
/** Of the system prompt and all tools, before the task. Tokens. */
const OWN_TOKENS_MAX = 2_500;

/** Names each change and shows it; empty where all is as accepted. */
function complaint(locked: readonly LockedPrompt[], present: readonly LockedPrompt[]): string {
  const { changed, added, removed } = lockDifference(locked, present);
  const textIn = (prompts: readonly LockedPrompt[], key: string): string =>
    prompts.find((prompt) => keyOf(prompt) === key)?.text ?? "";
  const said = [
    ...changed.map((one) => {
      const [from, to] = [textIn(locked, keyOf(one)), textIn(present, keyOf(one))];
      return `THE PROMPT CHANGED: ${keyOf(one)}\n${unifiedDiff({ name: "accepted", text: from }, { name: "now", text: to })}`;
    }),
    ...added.map((one) => `A PROMPT IS NEW: ${keyOf(one)}`),
    ...removed.map((one) => `A PROMPT IS GONE: ${keyOf(one)}`),
  ];
  return said.length === 0 ? "" : `${said.join("\n\n")}\n\n${ACCEPT}`;
}

describe("the prompts of this repository", () => {
  const { prompts, unreadable } = presentPrompts(ROOT, builtInTools());
  const locked = readLockFile(ROOT) ?? [];

  it("are the ones that were accepted", () => {
    expect(unreadable).toEqual([]);
    const wrong = complaint(locked, prompts);
    if (wrong !== "") expect.fail(wrong);
  });

  it("cost what was accepted, part by part, and belay's own stay within their target", () => {
    const cost = (of: readonly LockedPrompt[]): readonly string[] =>
      of.map((prompt) => `${keyOf(prompt)}: ${prompt.tokens}`).sort();
    expect(cost(prompts), ACCEPT).toEqual(cost(locked));
    const own = prompts.filter(({ source }) => source === "belay").reduce((sum, { tokens }) => sum + tokens, 0);
    expect(own).toBeLessThanOrEqual(OWN_TOKENS_MAX);
  });

  it("are missed part by part when one changes, comes or goes, with the command that accepts it", () => {
    const [first, second, ...rest] = prompts;
    if (first === undefined || second === undefined) throw new Error("there are prompts");
    const changed = { ...first, text: `${first.text ?? ""}\nDo as you like.`, hash: "0".repeat(64) };
    const planted = complaint(prompts, [changed, ...rest, { ...second, name: "other" }]);
    expect(planted).toContain(`THE PROMPT CHANGED: ${keyOf(first)}\n--- accepted\n+++ now\n`);
    expect(planted).toContain("+Do as you like.");
    expect(planted).toContain("A PROMPT IS NEW: system other");
    expect(planted).toContain(`A PROMPT IS GONE: ${keyOf(second)}`);
    expect(planted).toContain("npm run prompts");
    expect(complaint(prompts, prompts)).toBe("");
  });
});
