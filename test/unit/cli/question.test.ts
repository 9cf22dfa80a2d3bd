import { PassThrough, Writable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { parseSessionId } from "../../../src/kernel/ids.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { askLine, createPrompter } from "../../../src/cli/question.ts";

/** A terminal at which somebody answers with these keys as soon as the question is there. */
function terminal(keys: string | null, prompt = "Sure? ") {
  const stdin = new PassThrough();
  const seen: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      seen.push(chunk.toString());
      if (keys !== null && seen.join("").includes(prompt)) {
        stdin.write(keys);
        keys = null;
      }
      done();
    },
  });
  const out = new OutputStream(output, { colors: false, redraws: false });
  const face = { environment: readEnvironment({}, "/"), cwd: "/", stdin, out, err: out };
  return { face, stdin, output, seen };
}

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
