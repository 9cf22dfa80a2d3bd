/** Workspaces made of what others recorded; and trees that somebody made to do harm. */
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseTreeHash, type TreeHash } from "../../../src/kernel/ids.ts";
import type { RecreatedWorkspace } from "../../../src/workspace/workspace.ts";
import { filesOf, prepare, repositoryWith, temporaryDirectory, userGit, workspaces } from "./given.ts";

const NO_FACTS = { head: null, submodules: [], ignored_but_tracked: [], sparse: [], rules: "" };

interface Crafted {
  readonly pack: string;
  readonly tree: TreeHash;
}

/** A pack with one tree whose entries are written as they are, whatever git would say of them. */
function crafted(entries: readonly (readonly [mode: string, name: string, content: string])[]): Crafted {
  const directory = join(temporaryDirectory(), "crafted");
  mkdirSync(directory);
  userGit(directory, "init", "-q");
  const git = (args: readonly string[], input: Uint8Array): string =>
    execFileSync("git", args, { cwd: directory, input }).toString().trim();
  const names: string[] = [];
  const parts = entries.map(([mode, name, content]) => {
    const object = mode === "40000" ? content : git(["hash-object", "-w", "--stdin"], Buffer.from(content));
    names.push(object);
    return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]);
  });
  const tree = git(["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], Buffer.concat(parts));
  const hash = git(["pack-objects", "-q", join(directory, "pack")], Buffer.from(`${[...names, tree].join("\n")}\n`));
  return { pack: join(directory, `pack-${hash}.pack`), tree: parseTreeHash(tree) };
}

function recreated({ pack, tree }: Crafted, directory: string, limits = {}): Promise<RecreatedWorkspace> {
  const source = temporaryDirectory();
  return workspaces(limits).recreate({
    directory,
    branch: "belay/ses_test",
    base: tree,
    tree,
    trees: [tree],
    commit: null,
    from: { kind: "pack", path: pack, facts: NO_FACTS, source },
    signal: new AbortController().signal,
  });
}

describe("a tree from elsewhere", () => {
  const hostile: readonly (readonly [string, readonly (readonly [string, string, string])[]])[] = [
    ["a name that leads out", [["100644", "..", "x"]]],
    ["a name with a slash", [["100644", "../out", "x"]]],
    ["git's own directory", [["100644", ".git", "x"]]],
    ["git's own directory in other letters", [["100644", ".GIT", "x"]]],
    ["a list of modes that leads out", [["100644", ".belay-manifest", "../out\0d755\0"]]],
    ["a list of modes that makes a git directory", [["100644", ".belay-manifest", ".git/hooks\0d\0"]]],
    ["a link that is too long", [["120000", "link", "x".repeat(5_000)]]],
    [
      "a link and a directory of one name",
      [
        ["120000", "a", "/tmp"],
        ["100644", "a", "x"],
      ],
    ],
  ];
  it.each(hostile)("with %s is refused, and nothing is written outside", async (_name, entries) => {
    const home = temporaryDirectory();
    const directory = join(home, "session");
    await expect(recreated(crafted(entries), directory)).rejects.toMatchObject({
      kind: expect.stringMatching(/^(archive_invalid|git_failed|snapshot_failed)$/) as string,
    });
    expect(readdirSync(home)).toEqual(["session"]);
    expect(existsSync(join(directory, "workspace.json"))).toBe(false);
    const tree = join(directory, "tree");
    expect(existsSync(tree) ? readdirSync(tree) : []).toEqual([]);
  });

  it("with more files, or larger ones, than a workspace may have is refused", async () => {
    const two = crafted([
      ["100644", "a", "aaaa"],
      ["100644", "b", "bbbb"],
    ]);
    await expect(recreated(two, join(temporaryDirectory(), "s"), { files: 0 })).rejects.toMatchObject({
      kind: "archive_invalid",
    });
    await expect(recreated(two, join(temporaryDirectory(), "s"), { file_bytes: 3 })).rejects.toMatchObject({
      kind: "archive_invalid",
    });
  });

  it("keeps a link that names something outside as a link, and never writes through it", async () => {
    const outside = join(temporaryDirectory(), "outside");
    writeFileSync(outside, "mine");
    const made = await recreated(crafted([["120000", "link", outside]]), join(temporaryDirectory(), "s"));
    expect(lstatSync(join(made.workspace.root, "link")).isSymbolicLink()).toBe(true);
    await expect(made.workspace.files.write("link", Buffer.from("theirs"))).rejects.toMatchObject({
      kind: "path_outside",
    });
    expect(readFileSync(outside, "utf8")).toBe("mine");
  });
});

describe("a workspace made of another one's trees", () => {
  it("has its bytes, modes, links and empty directories, and the same tree", async () => {
    const repository = repositoryWith({ "a.txt": "a\n", "dir/b.sh": "#!/bin/sh\n" });
    const first = await prepare(repository);
    const { root } = first.workspace;
    execFileSync("sh", ["-c", "mkdir -m 700 empty; ln -s a.txt link; chmod 700 dir/b.sh; printf 'x\\0y' > bytes"], {
      cwd: root,
    });
    const { tree } = await first.workspace.snapshot();
    const commit = await first.workspace.commit(tree, "work");
    const directory = join(temporaryDirectory(), "fork");
    const made = await workspaces().recreate({
      directory,
      branch: "belay/ses_fork",
      base: first.base,
      tree,
      trees: [],
      commit,
      from: { kind: "workspace", directory: join(root, "..") },
      signal: new AbortController().signal,
    });
    expect(filesOf(made.workspace.root)).toEqual(filesOf(root));
    expect((await made.workspace.snapshot()).tree).toBe(tree);
    expect(userGit(made.workspace.root, "rev-parse", "HEAD").trim()).toBe(commit);
    expect(userGit(made.workspace.root, "status", "--porcelain")).toBe("");
    expect(made).toMatchObject({ source: repository, connected: true });
  });
});
