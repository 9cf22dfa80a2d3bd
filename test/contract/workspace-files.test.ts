/** WorkspaceFiles: the paths a model writes, and nothing outside the root. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LINKS_MAX, openWorkspaceFiles } from "../../src/workspace/files/files.ts";
import { temporaryDirectory, writeFiles } from "../unit/workspace/given.ts";

function given(files: Readonly<Record<string, string>> = {}): {
  root: string;
  outside: string;
  files: ReturnType<typeof openWorkspaceFiles>;
} {
  const top = temporaryDirectory();
  const [root, outside] = [join(top, "root"), join(top, "root-neighbour")];
  fs.mkdirSync(root);
  writeFiles(outside, { secret: "SECRET" });
  writeFiles(root, files);
  return { root, outside, files: openWorkspaceFiles(root) };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (content: string): Uint8Array => Buffer.from(content);
const outsideError = { kind: "path_outside" };
const failed = { kind: "file_failed" };

describe("reading", () => {
  test("relative and absolute paths, dots and double slashes", async () => {
    const { root, files } = given({ "a/b.txt": "b", "c.txt": "c" });
    for (const path of ["a/b.txt", "./a//b.txt", "a/../a/b.txt", join(root, "a/b.txt"), `${root}//a/./b.txt`]) {
      expect(text(await files.read(path, 10))).toBe("b");
    }
  });

  test("a file larger than asked for fails, and says how large it is", async () => {
    const { files } = given({ big: "12345" });
    expect(text(await files.read("big", 5))).toBe("12345");
    await expect(files.read("big", 4)).rejects.toMatchObject({
      ...failed,
      message: expect.stringContaining("5 bytes") as string,
    });
  });

  test("what leads out is refused: .., absolute paths, a neighbour with the same beginning, NUL", async () => {
    const { outside, files } = given({ a: "a" });
    for (const path of [
      "../root-neighbour/secret",
      "a/../../root-neighbour/secret",
      join(outside, "secret"),
      "/etc/passwd",
      "..",
      "a\0b",
    ]) {
      const refusal = path.startsWith("a/") ? failed : outsideError; // `a` is a file, so nothing is below it
      await expect(files.read(path, 100)).rejects.toMatchObject(refusal);
    }
  });

  test("a link inside is followed, also over directories and with absolute targets; one that leads out is refused", async () => {
    const { root, outside, files } = given({ "real/file": "x" });
    fs.symlinkSync("real", join(root, "dir"));
    fs.symlinkSync(join(root, "real/file"), join(root, "absolute"));
    fs.symlinkSync("../dir/file", join(root, "real/back"));
    for (const path of ["dir/file", "absolute", "real/back", "dir/back"])
      expect(text(await files.read(path, 9))).toBe("x");
    fs.symlinkSync(outside, join(root, "out"));
    fs.symlinkSync("../root-neighbour/secret", join(root, "up"));
    fs.symlinkSync("/proc/self/environ", join(root, "proc"));
    for (const path of ["out/secret", "up", "proc"]) {
      await expect(files.read(path, 99)).rejects.toMatchObject(outsideError);
      await expect(files.stat(path)).rejects.toMatchObject(outsideError);
      await expect(files.write(path, bytes("x"))).rejects.toMatchObject(outsideError);
    }
    await expect(files.list("out")).rejects.toMatchObject(outsideError);
    expect(fs.readFileSync(join(outside, "secret"), "utf8")).toBe("SECRET");
  });

  test(`${LINKS_MAX} links are followed and no more, and a circle ends`, async () => {
    const { root, files } = given({ l0: "end" });
    for (let n = 1; n <= LINKS_MAX + 1; n++) fs.symlinkSync(`l${n - 1}`, join(root, `l${n}`));
    expect(text(await files.read(`l${LINKS_MAX}`, 9))).toBe("end");
    await expect(files.read(`l${LINKS_MAX + 1}`, 9)).rejects.toMatchObject(failed);
    fs.symlinkSync("circle", join(root, "circle"));
    await expect(files.read("circle", 9)).rejects.toMatchObject(failed);
  });

  test("pipes and devices neither block nor act, and directories are no files", async () => {
    const { root, files } = given({ "dir/x": "x" });
    execFileSync("mkfifo", [join(root, "pipe")]);
    for (const path of ["pipe", "dir", ""]) await expect(files.read(path, 9)).rejects.toMatchObject(failed);
    await expect(files.write("pipe", bytes("x"))).rejects.toMatchObject(failed);
    await expect(files.write("dir", bytes("x"))).rejects.toMatchObject(failed);
    expect(await files.stat("pipe")).toMatchObject({ type: "other" });
  });
});

describe("looking", () => {
  test("stat knows files and directories, and says null for what is not there", async () => {
    const { root, files } = given({ "a/b.txt": "four" });
    expect(await files.stat("a/b.txt")).toMatchObject({ type: "file", size: 4 });
    expect(await files.stat("a")).toMatchObject({ type: "directory" });
    expect(await files.stat("")).toMatchObject({ type: "directory" });
    fs.symlinkSync("nowhere", join(root, "dangling"));
    for (const path of ["none", "a/none", "none/none", "a/b.txt/none", "dangling"])
      expect(await files.stat(path)).toBeNull();
  });

  test("list is sorted and says what each name is", async () => {
    const { root, files } = given({ b: "", "a/x": "", "c d": "" });
    fs.symlinkSync("/etc", join(root, "link"));
    expect(await files.list(".")).toEqual([
      { name: "a", type: "directory" },
      { name: "b", type: "file" },
      { name: "c d", type: "file" },
      { name: "link", type: "link" },
    ]);
    await expect(files.list("b")).rejects.toMatchObject(failed);
    await expect(files.list("none")).rejects.toMatchObject(failed);
  });
});

describe("writing", () => {
  test("makes directories, keeps the mode of what it replaces, and leaves nothing else behind", async () => {
    const { root, files } = given({ "run.sh": "old" });
    fs.chmodSync(join(root, "run.sh"), 0o751);
    await files.write("run.sh", bytes("new"));
    await files.write("deep/er/file", bytes("x"));
    expect([fs.readFileSync(join(root, "run.sh"), "utf8"), fs.statSync(join(root, "run.sh")).mode & 0o777]).toEqual([
      "new",
      0o751,
    ]);
    expect(fs.readdirSync(root).sort()).toEqual(["deep", "run.sh"]);
    expect(fs.readdirSync(join(root, "deep/er"))).toEqual(["file"]);
  });

  test("F2: another hard link keeps its bytes", async () => {
    const { root, outside, files } = given();
    fs.linkSync(join(outside, "secret"), join(root, "linked"));
    await files.write("linked", bytes("mine"));
    expect([fs.readFileSync(join(root, "linked"), "utf8"), fs.readFileSync(join(outside, "secret"), "utf8")]).toEqual([
      "mine",
      "SECRET",
    ]);
  });

  test("through a link it writes what the link names, and the link stays", async () => {
    const { root, files } = given({ "real.txt": "old" });
    fs.symlinkSync("real.txt", join(root, "link"));
    await files.write("link", bytes("new"));
    expect([
      fs.readFileSync(join(root, "real.txt"), "utf8"),
      fs.lstatSync(join(root, "link")).isSymbolicLink(),
    ]).toEqual(["new", true]);
  });

  test("F3: .git is never written, by whatever spelling, and nothing is made on the way", async () => {
    const { root, files } = given({ ".git/config": "theirs", "nested/.git/config": "n", "a.txt": "a" });
    fs.symlinkSync(".git", join(root, "innocent"));
    for (const path of [
      ".git/config",
      "./.git/hooks/new/post-checkout",
      ".GIT/config",
      "innocent/config",
      "nested/../.git/x",
      ".git",
    ]) {
      await expect(files.write(path, bytes("x"))).rejects.toMatchObject(outsideError);
    }
    expect(fs.readdirSync(join(root, ".git"))).toEqual(["config"]);
    await files.write("nested/.git/config", bytes("allowed"));
    const strict = openWorkspaceFiles(root, { nested_git: "protected" });
    await expect(strict.write("nested/.git/config", bytes("x"))).rejects.toMatchObject(outsideError);
    expect(text(await files.read(".git/config", 99))).toBe("theirs");
    await files.write(".gitignore", bytes("fine"));
  });

  test("a failed write leaves the old file and no temporary one", async () => {
    const { root, files } = given({ "dir/a": "a" });
    await expect(files.write("dir/a/below", bytes("x"))).rejects.toMatchObject(failed);
    await expect(files.write(`dir/${"n".repeat(300)}`, bytes("x"))).rejects.toMatchObject(failed);
    expect(fs.readdirSync(join(root, "dir"))).toEqual(["a"]);
  });

  test("where the sandbox covers what is missing there is room for what a person allowed, but nothing of anybody's is removed", async () => {
    const { root, files } = given();
    for (const name of [".mcp.json", ".vscode", ".claude", "mine"]) fs.mkdirSync(join(root, name), { mode: 0o1555 });
    for (const name of [".mcp.json", ".vscode", ".claude", "mine"]) fs.chmodSync(join(root, name), 0o1555);
    fs.chmodSync(join(root, ".claude"), 0o755);
    await files.write(".mcp.json", bytes("{}"));
    await files.write(".vscode/settings.json", bytes("{}"));
    expect(text(await files.read(".mcp.json", 9))).toBe("{}");
    expect(fs.statSync(join(root, ".vscode")).mode & 0o1000).toBe(0);
    for (const name of [".claude", "mine"]) await expect(files.write(name, bytes("x"))).rejects.toMatchObject(failed);
  });
});
