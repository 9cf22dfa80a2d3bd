import { execFileSync } from "node:child_process";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileLines, mentionedFiles, mentionsIn, MENTION_BYTES_MAX, readTask, taskOf } from "../../../src/cli/task.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";

let cwd = "";
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "belay-task-"));
  await writeFile(join(cwd, "a.ts"), "export {};\n");
  await writeFile(join(cwd, "with space.md"), "hello");
  await writeFile(join(cwd, "binary"), Buffer.from([1, 0, 2]));
  await writeFile(join(cwd, "large"), Buffer.alloc(MENTION_BYTES_MAX + 1, "x"));
  await mkdir(join(cwd, "directory"));
  execFileSync("mkfifo", [join(cwd, "pipe")]);
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const stdin = (text: string, isTTY = false): Readable & { readonly isTTY: boolean } =>
  Object.assign(Readable.from([Buffer.from(text)]), { isTTY });

async function refusal(
  work: Promise<unknown>,
): Promise<{ readonly kind: string; readonly happened: string; readonly todo: string }> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HarnessError)) throw new TypeError("it was not refused");
  return { kind: error.kind, happened: error.happened, todo: error.todo };
}

describe("the task", () => {
  it("is the words of the command line, and its first line is the title", async () => {
    expect(await readTask({ words: ["fix", "the test\nand more"], stdin: stdin(""), cwd })).toEqual({
      title: "fix the test",
      parts: [{ type: "text", text: "fix the test\nand more", origin: { from: "user" } }],
      files: [],
    });
  });

  it("is stdin for `-`, and when there are no words", async () => {
    for (const words of [["-"], []]) {
      const { title } = await readTask({ words, stdin: stdin("from a file\n"), cwd });
      expect(title).toBe("from a file");
    }
  });

  it("is asked for at a terminal instead of being waited for", async () => {
    expect((await refusal(readTask({ words: [], stdin: stdin("", true), cwd }))).kind).toBe("usage");
    expect((await refusal(readTask({ words: ["  "], stdin: stdin(""), cwd }))).happened).toBe("The task is empty.");
  });

  it("cuts a long title", async () => {
    const { title } = await taskOf("x".repeat(300), cwd);
    expect(title).toBe(`${"x".repeat(79)}…`);
  });
});

describe("`@path` in a task", () => {
  it("of a named pipe is refused instead of being waited for", async () => {
    expect((await refusal(taskOf("see @pipe", cwd))).happened).toBe("The task mentions @pipe, which is no file.");
  });

  it("brings the file's text, with where it came from", async () => {
    const { parts } = await taskOf('explain @a.ts, and @"with space.md".', cwd);
    expect(parts).toEqual([
      { type: "text", text: 'explain @a.ts, and @"with space.md".', origin: { from: "user" } },
      { type: "text", text: '<file path="a.ts">\nexport {};\n\n</file>', origin: { from: "workspace", by: "a.ts" } },
      {
        type: "text",
        text: '<file path="with space.md">\nhello\n</file>',
        origin: { from: "workspace", by: "with space.md" },
      },
    ]);
  });

  it("is found at the beginning of words only, each once, without the sentence's punctuation", () => {
    expect(mentionsIn("@a.ts (see b@c.de) and @a.ts! @x/y.ts). @")).toEqual(["a.ts", "x/y.ts"]);
  });

  it("is no mention when escaped", async () => {
    const { parts } = await taskOf("upgrade \\@types/node", cwd);
    expect(parts).toEqual([{ type: "text", text: "upgrade @types/node", origin: { from: "user" } }]);
  });

  it.each([
    ["missing.ts", "and there is no such file"],
    ["directory", "which is no file"],
    ["binary", "which is no text"],
    ["large", "more than"],
  ])("refuses @%s, and says what to do", async (path, reason) => {
    const { kind, happened, todo } = await refusal(taskOf(`see @${path}`, cwd));
    expect(kind).toBe("usage");
    expect(happened).toContain(reason);
    expect(todo).toContain("@");
  });
});

describe("a file that is named beside the task", () => {
  it("comes as a mention does, after those of the text, each once, with its price", async () => {
    const words = ["explain", "@a.ts"];
    const { parts, files } = await readTask({ words, stdin: stdin(""), cwd, files: ["with space.md", "./a.ts"] });
    expect(parts.map(({ origin }) => origin.by ?? origin.from)).toEqual(["user", "a.ts", "with space.md"]);
    expect(files).toEqual([
      { path: "a.ts", part: parts[1], tokens: 13 },
      { path: "with space.md", part: parts[2], tokens: 14 },
    ]);
  });

  it("is shown with its price, the dearest first; of many the rest is counted", async () => {
    const files = await mentionedFiles(["a.ts", "with space.md", "a.ts"], cwd);
    expect(fileLines(files)).toEqual(["files: with space.md 14 tokens", "files: a.ts 13 tokens"]);
    const [one] = files;
    const many = Array.from({ length: 22 }, (_, i) => ({
      path: `f\u202e${String(i)}`,
      part: one?.part,
      tokens: 1_240 * i,
    }));
    const lines = fileLines(many as typeof files); // the part is there
    expect(lines[0]).toBe("files: f⟨U+202E⟩21 26,040 tokens");
    expect(lines.slice(-2)).toEqual(["files: f⟨U+202E⟩2 2,480 tokens", "files: 2 more, 1,240 tokens"]);
    expect(fileLines([])).toEqual([]);
  });

  it.each(["missing.ts", "directory", "binary", "large", "pipe"])(
    "is refused when it is %s, in its own words",
    async (path) => {
      const { kind, happened, todo } = await refusal(mentionedFiles([path], cwd));
      expect(kind).toBe("usage");
      expect(happened).toContain(`The task names the file ${path}, `);
      expect(todo).not.toContain("@");
    },
  );

  it("is one of a hundred at most", async () => {
    const many = Array.from({ length: 101 }, (_, i) => `f${String(i)}`);
    expect((await refusal(mentionedFiles(many, cwd))).happened).toBe("The task brings 101 files, more than 100.");
  });
});
