import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { answerTo, classifyLines } from "../../../src/cli/commands/errors-classify.ts";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";

const OVERLOADED =
  '{"provider":"anthropic","http":529,"body":{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}}';

describe("`belay errors classify`", () => {
  it("answers each line with kind, handling and whether the same again can help", () => {
    expect(answerTo(OVERLOADED, 1)).toEqual({ kind: "overloaded", handling: "retry", retryable: true });
  });

  it("says how long the provider asked to wait", () => {
    const line =
      '{"provider":"anthropic","http":429,"headers":{"retry-after":"3"},"body":{"type":"error","error":{"type":"rate_limit_error","message":"x"}}}';
    expect(answerTo(line, 1)).toEqual({ kind: "rate_limit", handling: "wait", retryable: true, after_ms: 3_000 });
  });

  it.each([
    ["not json", "it is no JSON object"],
    ["[1]", "it is no JSON object"],
    ['{"http":500}', '"provider" must be a string'],
    ['{"provider":"a","http":"500"}', '"http" must be a whole number'],
    ['{"provider":"a","headers":{"a":1}}', '"headers" must be an object of strings'],
  ])("says what is wrong with the line %s", (line, problem) => {
    expect(answerTo(line, 7)).toEqual({ error: `line 7: ${problem}` });
  });

  it("goes on after a bad line, and leaves empty ones out", async () => {
    const stdout = new PassThrough();
    const out = new OutputStream(stdout, { colors: false, redraws: false });
    const face = {
      environment: readEnvironment({}, "/"),
      cwd: "/",
      stdin: Readable.from([`bad\n\n${OVERLOADED}\n`]),
      out,
      err: out,
    };
    expect(await classifyLines(face)).toBe(0);
    stdout.end();
    const lines = (await stdout.toArray()).join("").trim().split("\n");
    expect(lines).toEqual([
      '{"error":"line 1: it is no JSON object"}',
      '{"kind":"overloaded","handling":"retry","retryable":true}',
    ]);
  });
});
