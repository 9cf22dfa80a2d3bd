import { describe, expect, it } from "vitest";
import type { ApprovalQuestion } from "../../../src/engine/host.ts";
import { createIds } from "../../../src/kernel/ids.ts";
import { RecordingPrompter } from "../../../src/testing/recording-prompter.ts";

const ids = createIds(
  () => 0,
  (n) => new Uint8Array(n),
);

function question(command: string, suggestion: string | null = null): ApprovalQuestion {
  return {
    session: ids.session(),
    part: {
      type: "tool_use",
      call: ids.toolCall(),
      name: "bash",
      input: { command },
      provider_id: "toolu_1",
      origin: { from: "model" },
    },
    title: command,
    reason: "no sandbox",
    rule: null,
    sources: [],
    suggestion,
  };
}

const NEVER = new AbortController().signal;
const of = { by: "a scripted person", reason: null, rule: null };

describe("a scripted person", () => {
  it("answers in order and keeps every question with its answer", async () => {
    const prompter = new RecordingPrompter([
      "once",
      { no: "not there" },
      "session",
      "always",
      ({ part }) => (part.input["command"] === "ls" ? "once" : "no"),
    ]);
    const questions = [question("a"), question("b"), question("c", "Bash(c)"), question("d"), question("ls")];
    const answers = [
      { ...of, answer: "once" },
      { ...of, answer: "no", reason: "not there" },
      { ...of, answer: "session", rule: "Bash(c)" },
      { ...of, answer: "once" },
      { ...of, answer: "once" },
    ];
    for (const [i, one] of questions.entries()) expect(await prompter.ask(one, NEVER)).toEqual(answers[i]);
    expect(prompter.asked).toEqual(questions.map((one, i) => ({ question: one, answer: answers[i] })));
    prompter.assertComplete();
  });

  it("throws at a question that the script has no answer for, and names it", async () => {
    await expect(new RecordingPrompter([]).ask(question("rm x"), NEVER)).rejects.toThrow(
      /question 1 .* {"command":"rm x"}/,
    );
  });

  it("throws while answers are unused", () => {
    expect(() => new RecordingPrompter(["once"]).assertComplete()).toThrow("1 answer(s)");
  });

  it("that is silent answers when the run is stopped, and that is a no", async () => {
    const stop = new AbortController();
    const prompter = new RecordingPrompter(["silent"]);
    const answer = prompter.ask(question("a"), stop.signal);
    expect(prompter.asked).toMatchObject([{ answer: null }]);
    stop.abort();
    expect(await answer).toEqual({ ...of, answer: "no" });
  });

  it("says whether to go on spending as it was told", async () => {
    const prompter = new RecordingPrompter([], { goOnSpending: false, by: "me" });
    expect(await prompter.askBudget({ session: ids.session(), title: "half" })).toEqual({ approved: false, by: "me" });
    expect(prompter.askedAboutBudget.map(({ title }) => title)).toEqual(["half"]);
  });
});
