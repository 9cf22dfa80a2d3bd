import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { batchFiles } from "../../../src/workflow/batch/files.ts";
import { customId, jobNamed, parseJob, requestOf } from "../../../src/workflow/batch/job.ts";
import { makeJobsFile } from "../../../src/workflow/batch/source.ts";
import { DEFAULTS, linesFor } from "./batch-world.ts";

function parsed(value: unknown): ReturnType<typeof parseJob> {
  return parseJob(typeof value === "string" ? value : JSON.stringify(value), 7, DEFAULTS);
}

describe("a line of a file of jobs", () => {
  it("takes what it does not say from the command", () => {
    expect(parsed({ prompt: "hello" })).toEqual({
      id: "line-7",
      model: "claude-sonnet-4-5",
      system: "",
      messages: [{ role: "user", content: "hello" }],
      max_tokens: 100,
      json: false,
    });
  });

  it.each([
    ["{", /no JSON/],
    [{}, /either "prompt" or "messages"/],
    [{ prompt: "a", messages: [{ role: "user", content: "b" }] }, /either "prompt" or "messages"/],
    [{ prompt: "a", temprature: 1 }, /temprature/],
    [{ prompt: "a", max_tokens: 0 }, /max_tokens/],
    [{ prompt: "a", model: "gpt-5.5" }, /not one of this batch's provider/],
    [{ messages: [{ role: "assistant", content: "b" }] }, /alternate/],
    [
      {
        messages: [
          { role: "user", content: "b" },
          { role: "assistant", content: "c" },
        ],
      },
      /last/,
    ],
  ])("that is wrong is named with what is wrong: %j", (value, problem) => {
    expect(parsed(value)).toMatchObject({ line: 7, problem: expect.stringMatching(problem) as string });
  });

  it("becomes a request without tools", () => {
    const job = parseJob('{"prompt":"hello","system":"be brief","max_tokens":9}', 1, DEFAULTS);
    if ("problem" in job) throw new TypeError(job.problem);
    expect(requestOf(job)).toMatchObject({ system: "be brief", tools: [], max_tokens: 9, thinking_tokens: null });
  });
});

describe("a custom id", () => {
  it("names the job, and nothing of another submission does", () => {
    const marker = "ses_01hv0000000000000000000000-12-3";
    expect(customId(marker, 99_999)).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(jobNamed(marker, customId(marker, 99_999))).toBe(99_999);
    expect(jobNamed(marker, customId("ses_01hv0000000000000000000000-1", 2))).toBeNull();
    expect(jobNamed(marker, `${marker}-zz!`)).toBeNull();
  });
});

describe("a batch's own file of jobs", () => {
  const made = (lines: readonly string[]): ReturnType<typeof makeJobsFile> =>
    makeJobsFile(batchFiles(mkdtempSync(join(tmpdir(), "belay-jobs-"))), linesFor(lines), DEFAULTS);

  it("has the good lines, each model's together, and names the bad ones", async () => {
    const files = batchFiles(mkdtempSync(join(tmpdir(), "belay-jobs-")));
    const lines = [
      { id: "a", prompt: "1", model: "claude-haiku-4-5" },
      { id: "b", prompt: "2" },
      { id: "c", prompt: "3", model: "claude-haiku-4-5" },
      { id: "a", prompt: "4" },
      {},
    ];
    const source = await makeJobsFile(files, linesFor(lines.map((line) => JSON.stringify(line))), DEFAULTS);
    const text = readFileSync(files.jobs, "utf8");
    const ids = text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids).toEqual(["a", "c", "b"]);
    expect(source).toMatchObject({ jobs: 3, bad: 2, bytes: Buffer.byteLength(text) });
    expect(source.sha256).toBe(createHash("sha256").update(text).digest("hex"));
    expect(source.problems.map(({ line }) => line)).toEqual([4, 5]);
  });

  it("knows a shared system prompt from one that only some have", async () => {
    const shared = await made(['{"prompt":"1","system":"same"}', '{"prompt":"2","system":"same"}']);
    expect(shared.models[0]?.shared_bytes).toBe(4);
    const mixed = await made(['{"prompt":"1","system":"same"}', '{"prompt":"2","system":"diff"}']);
    expect(mixed.models[0]?.shared_bytes).toBe(0);
  });
});
