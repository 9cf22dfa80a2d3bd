/** FT1: a tree in memory has the name that git gives to the same files. */
import { join } from "node:path";
import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { pathFromText } from "../../../src/workspace/byte-path.ts";
import { FileTree } from "../../../src/workspace/snapshot/file-tree.ts";
import { createGit } from "../../../src/workspace/git/git.ts";
import { listTree, MODE_EXECUTABLE, MODE_FILE, MODE_LINK, writeObject } from "../../../src/workspace/git/objects.ts";
import { gitSettings, repositoryWith, userGit, writeFiles } from "./given.ts";

/** Names that sort differently as text, as paths and as git sorts them. */
const FILES = {
  a: "1",
  "a.b": "2",
  "a-b": "3",
  "b/c": "4",
  "b.c": "5",
  "b/c.d/e": "6",
  "ü/é": "7",
  "with space/and\nnewline": "8",
  "z/y/x/w": "9",
};

describe("a tree in memory", () => {
  it("FT1: is written as git writes it, after changes at any depth", async () => {
    const repository = repositoryWith(FILES);
    const git_dir = join(repository, ".git");
    const place = { git_dir, objects: join(git_dir, "objects") };
    const git = createGit(gitSettings);
    const head = userGit(repository, "rev-parse", "HEAD^{tree}").trim();
    const tree = new FileTree(await listTree(git, place, head, { recursive: true, directories: true }));
    expect(tree.write(place.objects)).toBe(head);

    const changes = { "a.b": "changed", "b/c.d/e": "changed too", "z/y/x/w": "deep", "z/new": "new", "made/here": "n" };
    writeFiles(repository, changes);
    fs.chmodSync(join(repository, "b/c"), 0o755);
    fs.rmSync(join(repository, "a"));
    fs.symlinkSync("b.c", join(repository, "a"));
    userGit(repository, "add", "-A");
    const wanted = userGit(repository, "write-tree").trim();

    for (const [path, content] of Object.entries(changes)) {
      tree.set(pathFromText(path), MODE_FILE, writeObject(place.objects, "blob", Buffer.from(content)));
    }
    tree.set(pathFromText("b/c"), MODE_EXECUTABLE, writeObject(place.objects, "blob", Buffer.from(FILES["b/c"])));
    tree.set(pathFromText("a"), MODE_LINK, writeObject(place.objects, "blob", Buffer.from("b.c")));
    expect(tree.write(place.objects)).toBe(wanted);
    expect(userGit(repository, "ls-tree", "-r", "--name-only", "-z", wanted)).toContain("made/here");
  });
});
