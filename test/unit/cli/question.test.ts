import { PassThrough, Writable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { askLine, createPrompter } from "../../../src/cli/question.ts";
import type { ApprovalAnswer, ApprovalQuestion } from "../../../src/engine/host.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import { createIds, parseSessionId } from "../../../src/kernel/ids.ts";
import type { JsonObject } from "../../../src/kernel/json.ts";

/** A terminal at which somebody answers with these keys as soon as the question is there. */
function terminal(keys: string | null, prompt = "Sure? ") {
  return terminalWith(keys === null ? [] : [[prompt, keys]]);
}

/** Each step waits for its prompt, behind what the step before saw. */
function terminalWith(steps: readonly (readonly [prompt: string, keys: string])[]) {
  const stdin = new PassThrough();
  const seen: string[] = [];
  const left = [...steps];
  let from = 0;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      seen.push(chunk.toString());
      const [step] = left;
      const at = step === undefined ? -1 : seen.join("").indexOf(step[0], from);
      if (step !== undefined && at !== -1) {
        from = at + step[0].length;
        left.shift();
        stdin.write(step[1]);
      }
      done();
    },
  });
  const out = new OutputStream(output, { colors: false, redraws: false });
  const face = { environment: readEnvironment({}, "/"), cwd: "/", stdin, out, err: out };
  return { face, stdin, output, seen };
}

const SESSION = parseSessionId("ses_01aaaaaaaaaaaaaaaaaaaaaaaa");
/** The last words of the question about a call. */
const ASKED = "say why: ";

function questionAbout(input: JsonObject, facts: Partial<ApprovalQuestion> = {}): ApprovalQuestion {
  const call = createIds(
    () => 0,
    (n) => new Uint8Array(n),
  ).toolCall();
  const part: ApprovalQuestion["part"] = {
    type: "tool_use",
    call,
    name: "bash",
    input,
    provider_id: "toolu_1",
    origin: { from: "model" },
  };
  return {
    session: SESSION,
    part,
    title: "",
    reason: "no sandbox",
    rule: null,
    sources: [],
    suggestion: null,
    ...facts,
  };
}

/** What comes of a question, and what was seen. */
async function asked(
  question: ApprovalQuestion,
  steps: readonly (readonly [prompt: string, keys: string])[],
  refusal?: HarnessError,
): Promise<{ readonly answer: ApprovalAnswer; readonly shown: string; readonly remembered: readonly string[] }> {
  const { face, output, seen } = terminalWith(steps);
  const remembered: string[] = [];
  const remember = (rule: string): Promise<{ path: string }> => {
    remembered.push(rule);
    return refusal === undefined ? Promise.resolve({ path: "/settings.json" }) : Promise.reject(refusal);
  };
  const prompter = createPrompter(face, { pause: () => undefined }, { output, remember });
  const answer = await prompter.ask(question, AbortSignal.timeout(60_000));
  return { answer, shown: seen.join(""), remembered };
}

describe("the question about a call", () => {
  const by = "the user at the terminal";
  const rule = "Bash(npm run build)";
  const no: ApprovalAnswer = { answer: "no", by, reason: null, rule: null };

  it("shows the whole command, what asks, and where text of strangers came from", async () => {
    const long = `printf '%s' ${"word ".repeat(60)}&& curl https://example.com/${"x".repeat(200)}/end`;
    const { shown } = await asked(
      questionAbout(
        { command: long, timeout_ms: 5_000 },
        { rule: "Bash(curl *)", sources: ["web https://evil.example"] },
      ),
      [[ASKED, "n\r"]],
    );
    const joined = shown.replaceAll(/\n\s*↳ /g, "").replaceAll(/\s+/g, " ");
    expect(joined).toContain(long.replaceAll(/\s+/g, " "));
    expect(shown).toContain("timeout_ms: 5000");
    expect(shown).toContain("Bash(curl *): no sandbox");
    expect(shown).toContain("web https://evil.example");
  });

  it("points out what cannot be seen and what looks like something else", async () => {
    const { shown } = await asked(questionAbout({ command: "ls \u202e\u001b[8m; cat p\u0430ssword" }), [
      [ASKED, "n\r"],
    ]);
    expect(shown).toContain("ls ⟨U+202E⟩⟨U+001B⟩[8m; cat");
    expect(shown).toContain("cannot be seen, shown as marks: U+202E, U+001B");
    expect(shown).toContain('"p\u0430ssword" mixes scripts: \u0430 U+0430 is Cyrillic');
    expect(shown).not.toContain("\u001b[8m");
  });

  it.each([
    ["y\r", { ...no, answer: "once" }],
    ["Yes\r", { ...no, answer: "once" }],
    ["s\r", { ...no, answer: "session", rule }],
    ["n\r", no],
    ["\r", no],
    ["yy\r", no],
    ["sure\r", no],
    ["\u0004", no],
  ])("takes %j as %j", async (keys, answer) => {
    expect(
      (await asked(questionAbout({ command: "npm run build" }, { suggestion: rule }), [[ASKED, keys]])).answer,
    ).toEqual(answer);
  });

  it("takes a no with a reason for the model", async () => {
    const { answer } = await asked(questionAbout({ command: "npm run build" }), [
      [ASKED, "r\r"],
      ["tell the model: ", "use the staging server\r"],
    ]);
    expect(answer).toEqual({ ...no, reason: "use the staging server" });
  });

  it.each(["s\r", "a\r", "session\r", "always\r"])(
    "remembers nothing by %j where no rule is narrow enough",
    async (keys) => {
      const { answer, shown, remembered } = await asked(questionAbout({ command: "npm run build; ls" }), [
        [ASKED, keys],
      ]);
      expect(answer).toEqual(no);
      expect(shown).not.toContain("[a]");
      expect(remembered).toEqual([]);
    },
  );

  it("writes an always only after it showed the rule and its file and was told once more", async () => {
    const question = questionAbout({ command: "npm run build" }, { suggestion: rule });
    const { answer, shown, remembered } = await asked(question, [
      [ASKED, "a\r"],
      ["Write it? [y/N] ", "y\r"],
    ]);
    expect(answer).toEqual({ ...no, answer: "always", rule });
    expect(remembered).toEqual([rule]);
    expect(shown).toContain("permissions.allow in /.local/share/belay/settings.json");
    expect(shown).toContain(`\n    ${rule}\n`);
  });

  it("asks again when an always is taken back, and writes nothing", async () => {
    const question = questionAbout({ command: "npm run build" }, { suggestion: rule });
    const { answer, remembered } = await asked(question, [
      [ASKED, "a\r"],
      ["Write it? [y/N] ", "\r"],
      [ASKED, "y\r"],
    ]);
    expect(answer).toEqual({ ...no, answer: "once" });
    expect(remembered).toEqual([]);
  });

  it("says why a rule could not be written, and allows nothing by that", async () => {
    const question = questionAbout({ command: "npm run build" }, { suggestion: rule });
    const refusal = new HarnessError("config_invalid", "The file is no JSON.", "Correct it.");
    const { answer, shown } = await asked(
      question,
      [
        [ASKED, "a\r"],
        ["Write it? [y/N] ", "y\r"],
        [ASKED, "n\r"],
      ],
      refusal,
    );
    expect(answer).toEqual(no);
    expect(shown).toContain("The file is no JSON.");
  });

  it("does not ask about what nobody can read", async () => {
    const { answer, shown } = await asked(questionAbout({ command: `echo ${"x".repeat(50_000)}` }), []);
    expect(answer).toMatchObject({ answer: "no", by: "belay", reason: expect.stringContaining("too long") as unknown });
    expect(shown).toBe("");
  });
});

describe("the question whether to go on spending", () => {
  const session = parseSessionId("ses_01aaaaaaaaaaaaaaaaaaaaaaaa");
  const ask = async (keys: string): Promise<{ readonly approved: boolean; readonly shown: string }> => {
    const { face, output, seen } = terminal(keys, "stop: ");
    const paused: boolean[] = [];
    const prompter = createPrompter(face, { pause: (on) => paused.push(on) }, { output });
    const question = { session, title: "session: $4.02 of $5.00 spent" };
    const { approved } = await prompter.askBudget(question, AbortSignal.timeout(60_000));
    expect(paused).toEqual([true, false]);
    return { approved, shown: seen.join("") };
  };

  it("shows what was spent, and both answers", async () => {
    const { shown } = await ask("y\r");
    expect(shown).toContain("Budget: session: $4.02 of $5.00 spent.");
    expect(shown).toContain("[y] go on / [n] stop");
  });

  it.each([
    ["y\r", true],
    ["Yes\r", true],
    ["n\r", false],
    ["\r", false],
    ["x\r", false],
    ["\u0004", false],
  ])("is a yes only when %j says so clearly: %s", async (keys, approved) => {
    expect((await ask(keys)).approved).toBe(approved);
  });
});

describe("Ctrl+C at the question whether to go on spending", () => {
  it("is a signal first: who asked hears no answer before the run is being stopped", async () => {
    const { face, output } = terminal("\u0003", "stop: ");
    const run = new AbortController();
    const stop = (): void => {
      run.abort();
    };
    process.once("SIGINT", stop);
    onTestFinished(() => void process.off("SIGINT", stop));
    const prompter = createPrompter(face, { pause: () => undefined }, { output });
    const session = parseSessionId("ses_01aaaaaaaaaaaaaaaaaaaaaaaa");
    await prompter.askBudget({ session, title: "session: $4.02 of $5.00" }, run.signal);
    expect(run.signal.aborted).toBe(true);
  });
});

describe("a question at the terminal", () => {
  it("takes one line as its answer", async () => {
    const { face, output } = terminal("yes\r");
    expect(await askLine(face, "Sure? ", { output })).toBe("yes");
  });

  it("takes nothing that was typed before it was seen", async () => {
    const { face, stdin, output } = terminal("no\r");
    stdin.write("y\ny\n");
    expect(await askLine(face, "Sure? ", { output })).toBe("no");
  });

  it("is answered with nothing by Ctrl+C, which goes where it belongs", async () => {
    const { face, output } = terminal("\u0003");
    let interrupted = false;
    const onInterrupt = (): void => {
      interrupted = true;
    };
    expect(await askLine(face, "Sure? ", { output, onInterrupt })).toBe("");
    expect(interrupted).toBe(true);
  });

  it.each(["\u0003", "\u0004"])(
    "leaves its line when %j ends it, so that a prompt does not follow on it",
    async (key) => {
      const { face, output, seen } = terminal(key);
      await askLine(face, "Sure? ", { output });
      expect(seen.at(-1)).toBe("\n");
    },
  );

  it("settles when the run is stopped meanwhile", async () => {
    const { face, output } = terminal(null);
    const stop = new AbortController();
    const answer = askLine(face, "Sure? ", { output, signal: stop.signal });
    stop.abort();
    expect(await answer).toBe("");
  });
});
