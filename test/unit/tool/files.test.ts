import { symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TOOL_OUTPUT_CHARS_MAX } from "../../../src/kernel/limits.ts";
import { type Ground, makeGround, plainShell } from "../../support/shell-fixture.ts";
import { makeBench, told, type ToolBench } from "../../support/tool-fixture.ts";

let ground: Ground;
let bench: ToolBench;

beforeEach(() => {
  ground = makeGround();
  bench = makeBench(ground, plainShell(ground));
});
afterEach(() => {
  ground.remove();
});

const lines = (n: number): string => Array.from({ length: n }, (_, i) => `line ${String(i + 1)}\n`).join("");

describe("read", () => {
  const read = async (input: { path: string; offset?: number; limit?: number }): Promise<string> =>
    told(await bench.run("read", input));

  it("numbers the lines, and says where they come from", async () => {
    bench.put("a.txt", "one\r\ntwo\n\nfour");
    const output = await bench.run("read", { path: "a.txt" });
    expect(told(output)).toBe("ok: 1\tone\n2\ttwo\n3\t\n4\tfour");
    expect(output.content[0]?.origin).toEqual({ from: "workspace", by: "a.txt" });
  });

  it("reads a part, and says how to read on", async () => {
    bench.put("a.txt", lines(10));
    expect(await read({ path: "a.txt", offset: 3, limit: 2 })).toBe(
      "ok: 3\tline 3\n4\tline 4\n[6 more lines of 10: read on with offset 5]",
    );
    expect(await read({ path: "a.txt", offset: 9 })).toBe("ok: 9\tline 9\n10\tline 10");
    expect(await read({ path: "a.txt", offset: 11 })).toBe("ok: a.txt has only 10 lines.");
  });

  it("stays below the cap whatever the file, and can be read on to its end", async () => {
    bench.put("long.txt", `${"x".repeat(5_000_000)}\n${lines(5_000)}`);
    let offset = 1;
    let pages = 0;
    for (;;) {
      const text = await read({ path: "long.txt", offset });
      expect(text.length).toBeLessThan(TOOL_OUTPUT_CHARS_MAX + 200);
      pages++;
      const next = /read on with offset (\d+)\]$/.exec(text)?.[1];
      if (next === undefined) break;
      expect(Number(next)).toBeGreaterThan(offset);
      offset = Number(next);
    }
    expect(pages).toBeGreaterThan(2);
    expect(await read({ path: "long.txt", limit: 1 })).toContain("… [4998000 more characters]");
  });

  it("says what it cannot show, and what to do", async () => {
    bench.put("p.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]));
    bench.put("b.bin", Buffer.from([1, 2, 0, 3]));
    bench.put("empty", "");
    expect(await read({ path: "p.png" })).toBe(
      "error: p.png is a PNG image (6 bytes), not text. A command can tell more about it.",
    );
    expect(await read({ path: "b.bin" })).toMatch(/^error: b.bin is binary data/);
    expect(await read({ path: "empty" })).toBe("ok: empty is empty.");
    expect(await read({ path: "missing" })).toBe("error: There is no missing. Look with glob, or read its directory.");
  });

  it("lists a directory", async () => {
    bench.put("d/b.txt", "");
    bench.put("d/a/x", "");
    expect(await read({ path: "d" })).toBe("ok: d is a directory of 2 names:\na/\nb.txt");
  });

  it("lets no name look like two", async () => {
    bench.put("one\ntwo", "x");
    expect(await read({ path: "." })).toContain("\none\\ntwo");
  });

  it("says of a null byte what is wrong with it", async () => {
    expect(await read({ path: "a\0b" })).toBe("error: The path holds a null byte, and no path can. Correct the path.");
  });

  it("stays inside the workspace, and tells the model so", async () => {
    symlinkSync("/etc", join(ground.root, "etc"));
    expect(await read({ path: "../home" })).toMatch(/^error: .*out of the workspace/);
    expect(await read({ path: "etc/passwd" })).toMatch(/^error: /);
    expect(await read({ path: "/etc/passwd" })).toMatch(/^error: /);
  });
});

describe("write", () => {
  it("creates a file with its directories, and replaces one, and says which", async () => {
    expect(told(await bench.run("write", { path: "a/b/c.txt", content: "1\n2\n" }))).toBe(
      "ok: Created a/b/c.txt: 2 lines.",
    );
    expect(told(await bench.run("write", { path: "a/b/c.txt", content: "" }))).toBe("ok: Replaced a/b/c.txt: 0 lines.");
    expect(bench.get("a/b/c.txt")).toBe("");
  });

  it("does not write outside, nor over a directory", async () => {
    bench.put("d/x", "");
    expect(told(await bench.run("write", { path: "d", content: "" }))).toBe(
      "error: d is a directory. Name a file in it.",
    );
    expect(told(await bench.run("write", { path: join(tmpdir(), "belay-never"), content: "" }))).toMatch(/^error: /);
  });
});

describe("edit", () => {
  const edit = async (old_string: string, new_string: string, replace_all?: boolean): Promise<string> =>
    told(
      await bench.run("edit", {
        path: "f.ts",
        old_string,
        new_string,
        ...(replace_all === undefined ? {} : { replace_all }),
      }),
    );

  it("replaces text that occurs once, special characters taken as they are", async () => {
    bench.put("f.ts", "a\nb $1 (c)\nd\n");
    expect(await edit("b $1 (c)", "$& $1")).toBe("ok: Edited f.ts: 1 replacement, line 2.");
    expect(bench.get("f.ts")).toBe("a\n$& $1\nd\n");
  });

  it("refuses text that occurs more than once, says where, and writes nothing", async () => {
    bench.put("f.ts", "x\ny\nx\n");
    expect(await edit("x", "z")).toBe(
      "error: old_string occurs 2 times in f.ts, lines 1, 3: nothing was changed. Include more of the lines around the one you mean, or set replace_all.",
    );
    expect(bench.get("f.ts")).toBe("x\ny\nx\n");
    expect(await edit("x", "z", true)).toBe("ok: Edited f.ts: 2 replacements, lines 1, 3.");
    expect(bench.get("f.ts")).toBe("z\ny\nz\n");
  });

  it("says that text is missing, and where it is when only white space differs", async () => {
    bench.put("f.ts", "if (a) {\n\treturn  b;\n}\n");
    expect(await edit("nowhere", "z")).toMatch(
      /^error: old_string does not occur in f.ts: nothing was changed. It may have changed./,
    );
    expect(await edit("if (a) {\n  return b;\n}", "z")).toContain(
      "Text that differs only in white space begins at line 1.",
    );
    expect(bench.get("f.ts")).toBe("if (a) {\n\treturn  b;\n}\n");
  });

  it("keeps line endings and a byte order mark", async () => {
    bench.put("f.ts", "\uFEFFone\r\ntwo\r\nthree\r\n");
    expect(await edit("one\ntwo", "1\n2\n2b")).toMatch(/^ok/);
    expect(await edit("three", "3\n4")).toMatch(/^ok/);
    expect(bench.get("f.ts")).toBe("\uFEFF1\r\n2\r\n2b\r\n3\r\n4\r\n");
  });

  it("changes nothing else in a file of mixed line endings", async () => {
    bench.put("f.ts", "a\nb\r\nc\n");
    expect(await edit("c", "d\ne")).toMatch(/^ok/);
    expect(bench.get("f.ts")).toBe("a\nb\r\nd\ne\n");
  });

  it("takes a mark for the invisible character that it stands for", async () => {
    bench.put("f.ts", "let a\u200bb = 1;\r\n// \u202Ex\u202C\u200b\u200b\r\n");
    expect(await edit("let a⟨U+200B⟩b = 1;", "let ab = 1;")).toMatch(/^ok/);
    expect(await edit("// ⟨U+202E⟩x⟨U+202C⟩⟨U+200B ×2⟩", "// ⟨U+202E⟩y⟨U+202C⟩\n// z")).toMatch(/^ok/);
    expect(bench.get("f.ts")).toBe("let ab = 1;\r\n// \u202Ey\u202C\r\n// z\r\n");
  });

  it("takes a mark literally where the file has it so", async () => {
    bench.put("f.ts", "the mark ⟨U+200B⟩ stands for \u200b");
    expect(await edit("the mark ⟨U+200B⟩", "the sign ⟨U+200B⟩")).toMatch(/^ok/);
    expect(bench.get("f.ts")).toBe("the sign ⟨U+200B⟩ stands for \u200b");
  });

  it("says why a mark of several characters is not found", async () => {
    bench.put("f.ts", `x${"\u200b\u200c".repeat(20)}y`);
    expect(await edit("x⟨U+200B… ×40⟩y", "xy")).toContain("stands for several characters");
  });

  it("refuses what is not UTF-8 text, so that no byte is lost", async () => {
    bench.put("f.ts", Buffer.from([0x61, 0xff, 0x62]));
    expect(await edit("a", "b")).toBe("error: f.ts is not UTF-8 text: nothing was changed. Use a command.");
  });

  it("refuses a replacement by the same, and a file that is not there", async () => {
    expect(await edit("a", "a")).toMatch(/^error: old_string and new_string are the same/);
    expect(await edit("a", "b")).toBe("error: There is no f.ts. Use write to create it.");
  });
});
