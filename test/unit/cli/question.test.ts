import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { askLine } from "../../../src/cli/question.ts";

/** A terminal at which somebody answers with these keys as soon as the question is there. */
function terminal(keys: string | null) {
  const stdin = new PassThrough();
  const seen: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      seen.push(chunk.toString());
      if (keys !== null && seen.join("").includes("Sure? ")) {
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
