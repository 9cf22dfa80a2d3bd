/** Bringing work back: `apply` into the user's files, `merge` as a commit. Exactly the work, or nothing. */
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TreeHash } from "../../src/kernel/ids.ts";
import type { Workspace } from "../../src/workspace/workspace.ts";
import * as given from "../unit/workspace/given.ts";

const { repositoryWith, prepare, temporaryDirectory, userGit, writeCanary, writeFiles } = given;

const read = (directory: string, name: string): string => fs.readFileSync(join(directory, name), "utf8");
const status = (repository: string): string => userGit(repository, "status", "--porcelain");

interface Done {
  readonly workspace: Workspace;
  readonly base: TreeHash;
  readonly tree: TreeHash;
  readonly request: { readonly base: TreeHash; readonly tree: TreeHash; readonly message: string };
}

async function worked(repository: string, work: (root: string) => void): Promise<Done> {
  const { workspace, base } = await prepare(repository);
  work(workspace.root);
  const { tree } = await workspace.snapshot();
  return { workspace, base, tree, request: { base, tree, message: "the work" } };
}

const TEN = Array.from({ length: 10 }, (_, n) => `line ${n}\n`).join("");
const KINDS = { "a.txt": TEN, "b.txt": "b\n", "c/d.txt": "d\n", "e.bin": Buffer.from([0, 1, 2]), run: "#!/bin/sh\n" };

function workOfAllKinds(root: string): void {
  writeFiles(root, {
    "a.txt": TEN.replace("line 1\n", "work 1\n"),
    "new/deep.txt": "new\n",
    "e.bin": Buffer.from([0, 9]),
    "sp ace\n": "odd",
  });
  fs.rmSync(join(root, "c"), { recursive: true });
  fs.chmodSync(join(root, "run"), 0o755);
  fs.symlinkSync("b.txt", join(root, "link"));
  fs.mkdirSync(join(root, "empty"));
  fs.chmodSync(join(root, "b.txt"), 0o600);
}

const WORK_PATHS = ["a.txt", "c/d.txt", "e.bin", "link", "new/deep.txt", "run", "sp ace\n"];

describe("apply", () => {
  test("brings exactly the work into the user's files: bytes, deletions, links, the executable bit; index and HEAD stay", async () => {
    const repository = repositoryWith(KINDS);
    const index = fs.readFileSync(join(repository, ".git/index"));
    const { workspace, request } = await worked(repository, workOfAllKinds);
    expect(await workspace.apply(request)).toEqual({ files: WORK_PATHS, commit: null });
    const { "./empty": empty, "./b.txt": theirs, ...expected } = given.filesOf(workspace.root);
    const { "./b.txt": ours, ...files } = given.filesOf(repository);
    expect(files).toEqual(expected);
    expect([empty !== undefined, ours === theirs]).toEqual([true, false]);
    expect(fs.readFileSync(join(repository, ".git/index"))).toEqual(index);
    const again = given.manifestOf(repository);
    await workspace.apply(request);
    expect(given.manifestOf(repository)).toEqual(again);
  });

  test("names only what it wrote: a second time that is nothing", async () => {
    const repository = repositoryWith(KINDS);
    const { workspace, request } = await worked(repository, workOfAllKinds);
    await workspace.apply(request);
    expect(await workspace.apply(request)).toEqual({ files: [], commit: null });
  });

  test.each(["apply", "merge"] as const)("%s says when the user's directory is gone, and makes none", async (how) => {
    const repository = repositoryWith(KINDS);
    const { workspace, request } = await worked(repository, workOfAllKinds);
    fs.rmSync(repository, { recursive: true });
    await expect(workspace[how](request)).rejects.toMatchObject({
      kind: "workspace_missing",
      happened: `The work came from ${repository}, and there is no such directory any more.`,
    });
    expect(fs.existsSync(repository)).toBe(false);
  });

  test("merges with what the user changed meanwhile, and keeps what the user changed elsewhere", async () => {
    const repository = repositoryWith({ "a.txt": TEN, "b.txt": "b\n" });
    const { workspace, request } = await worked(repository, (root) =>
      writeFiles(root, { "a.txt": TEN.replace("line 1\n", "work 1\n") }),
    );
    writeFiles(repository, { "a.txt": TEN.replace("line 8\n", "user 8\n"), "b.txt": "user\n" });
    await workspace.apply(request);
    expect(read(repository, "a.txt")).toBe(TEN.replace("line 1\n", "work 1\n").replace("line 8\n", "user 8\n"));
    expect(read(repository, "b.txt")).toBe("user\n");
  });

  test("goes on from what it brought before, also in the same lines", async () => {
    const repository = repositoryWith({ "a.txt": "one\n" });
    const { workspace, base, request } = await worked(repository, (root) =>
      writeFiles(root, { "a.txt": "two\n", "n.txt": "1\n" }),
    );
    await workspace.apply(request);
    writeFiles(workspace.root, { "a.txt": "three\n", "n.txt": "2\n" });
    const { tree } = await workspace.snapshot();
    await workspace.apply({ base, tree, message: "more" });
    expect([read(repository, "a.txt"), read(repository, "n.txt")]).toEqual(["three\n", "2\n"]);
  });

  const refusals: readonly (readonly [string, (repository: string) => void, (root: string) => void, string])[] = [
    [
      "both changed the same line",
      (r) => writeFiles(r, { "a.txt": "user\n" }),
      (w) => writeFiles(w, { "a.txt": "work\n" }),
      "merge_conflict",
    ],
    [
      "the user deleted what the work changed",
      (r) => fs.rmSync(join(r, "a.txt")),
      (w) => writeFiles(w, { "a.txt": "work\n" }),
      "merge_conflict",
    ],
    [
      "the work deleted what the user changed",
      (r) => writeFiles(r, { "a.txt": "user\n" }),
      (w) => fs.rmSync(join(w, "a.txt")),
      "merge_conflict",
    ],
    [
      "both changed a binary file",
      (r) => writeFiles(r, { "e.bin": Buffer.from([0, 3]) }),
      (w) => writeFiles(w, { "e.bin": Buffer.from([0, 4]) }),
      "merge_conflict",
    ],
    [
      "the user made a file of the same name",
      (r) => writeFiles(r, { "new.txt": "user\n" }),
      (w) => writeFiles(w, { "new.txt": "work\n" }),
      "work_would_be_lost",
    ],
    [
      "the user has a file where the work needs a directory",
      (r) => writeFiles(r, { dir: "user\n" }),
      (w) => writeFiles(w, { "dir/x": "w" }),
      "work_would_be_lost",
    ],
    [
      "the user has a directory where the work needs a file",
      (r) => writeFiles(r, { "dir/x": "user\n" }),
      (w) => writeFiles(w, { dir: "w" }),
      "work_would_be_lost",
    ],
    [
      "the user has a link to elsewhere where the work needs a directory",
      (r) => fs.symlinkSync("/tmp", join(r, "dir")),
      (w) => writeFiles(w, { "dir/belay-x": "w" }),
      "work_would_be_lost",
    ],
  ];

  test.each(refusals)("refuses and changes nothing when %s", async (_name, user, work, kind) => {
    const repository = repositoryWith({ "a.txt": "a\n", "e.bin": Buffer.from([0, 1]), "z.txt": "z\n" });
    const { workspace, request } = await worked(repository, (root) => {
      writeFiles(root, { "z.txt": "also work, which could be applied\n" });
      work(root);
    });
    user(repository);
    const before = given.manifestOf(repository);
    await expect(workspace.apply(request)).rejects.toMatchObject({ kind });
    expect(given.manifestOf(repository)).toEqual(before);
  });

  test("a file where a directory was, and the reverse", async () => {
    const repository = repositoryWith({ "a/x": "x", "a/y": "y", b: "b" });
    const { workspace, request } = await worked(repository, (root) => {
      fs.rmSync(join(root, "a"), { recursive: true });
      fs.rmSync(join(root, "b"));
      writeFiles(root, { a: "now a file", "b/z": "now a directory" });
    });
    await workspace.apply(request);
    expect([read(repository, "a"), read(repository, "b/z")]).toEqual(["now a file", "now a directory"]);
  });

  test("a failure in the middle is taken back", async () => {
    const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" });
    const { workspace, request, tree } = await worked(repository, (root) => {
      writeFiles(root, { "a.txt": "work\n", "new/n.txt": "n\n", "q.txt": "missing object\n" });
      fs.rmSync(join(root, "b.txt"));
    });
    const before = given.filesOf(repository);
    const objects = join(workspace.root, "../objects.git/objects");
    const blob = userGit(join(objects, ".."), "rev-parse", `${tree}:q.txt`).trim();
    const path = join(objects, blob.slice(0, 2), blob.slice(2));
    fs.chmodSync(path, 0o644);
    fs.writeFileSync(path, "damaged");
    await expect(workspace.apply(request)).rejects.toMatchObject({ name: "HarnessError" });
    expect(given.filesOf(repository)).toEqual(before);
  });

  test("keeps the bytes of a CRLF working tree", async () => {
    const repository = repositoryWith({
      ".gitattributes": "*.txt text eol=crlf\n",
      "a.txt": TEN.replaceAll("\n", "\r\n"),
    });
    const { workspace, request } = await worked(repository, (root) => {
      expect(read(root, "a.txt")).toContain("\r\n");
      writeFiles(root, { "a.txt": read(root, "a.txt").replace("line 1", "work 1") });
    });
    await workspace.apply(request);
    expect(read(repository, "a.txt")).toBe(TEN.replace("line 1", "work 1").replaceAll("\n", "\r\n"));
  });

  test("never touches other names of a file: a hard link keeps its bytes", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    fs.linkSync(join(repository, "a.txt"), join(repository, "../other-name"));
    const { workspace, request } = await worked(repository, (root) => writeFiles(root, { "a.txt": "work\n" }));
    await workspace.apply(request);
    expect([read(repository, "a.txt"), read(repository, "../other-name")]).toEqual(["work\n", "a\n"]);
  });
});

describe("merge", () => {
  test("makes one commit with exactly the work on the user's branch; the tree is clean and nothing of the repository ran", async () => {
    const canary = join(temporaryDirectory(), "canary");
    const repository = repositoryWith(KINDS);
    for (const hook of [
      "pre-commit",
      "post-commit",
      "post-merge",
      "reference-transaction",
      "post-index-change",
      "post-checkout",
    ]) {
      writeCanary(join(repository, ".git/hooks", hook), canary);
    }
    userGit(repository, "config", "commit.gpgsign", "true");
    userGit(repository, "config", "gpg.program", join(repository, ".git/hooks/pre-commit"));
    userGit(repository, "config", "core.fsmonitor", join(repository, ".git/hooks/pre-commit"));
    userGit(repository, "config", "user.name", "Somebody Else");
    const head = userGit(repository, "rev-parse", "HEAD").trim();
    const { workspace, request } = await worked(repository, workOfAllKinds);

    const { files, commit } = await workspace.merge(request);

    expect(fs.existsSync(canary)).toBe(false);
    userGit(repository, "config", "--unset", "core.fsmonitor");
    fs.rmSync(join(repository, ".git/hooks"), { recursive: true });
    expect(files).toEqual(WORK_PATHS);
    expect(userGit(repository, "log", "-1", "--format=%H|%P|%s|%an|%cn|%ce").trim()).toBe(
      `${commit}|${head}|the work|belay|belay|belay@localhost`,
    );
    expect(userGit(repository, "symbolic-ref", "HEAD").trim()).toBe("refs/heads/main");
    expect(userGit(repository, "rev-parse", given.BRANCH).trim()).toBe(commit);
    expect(userGit(repository, "diff", "--name-status", "--no-renames", "-z", head, "HEAD").split("\0")).toEqual([
      "M",
      "a.txt",
      "D",
      "c/d.txt",
      "M",
      "e.bin",
      "A",
      "link",
      "A",
      "new/deep.txt",
      "M",
      "run",
      "A",
      "sp ace\n",
      "",
    ]);
    expect(status(repository)).toBe("");
    userGit(repository, "fsck", "--strict");
  });

  test("leaves what was dirty before dirty, staged what was staged, and stash and reflog in order", async () => {
    const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "d.txt": "d\n" });
    writeFiles(repository, { "d.txt": "stashed\n" });
    userGit(repository, "stash", "-q");
    writeFiles(repository, { "b.txt": "staged\n", "c.txt": "unstaged\n", "u.txt": "untracked\n" });
    userGit(repository, "add", "b.txt");
    const before = status(repository);
    const { workspace, request } = await worked(repository, (root) => writeFiles(root, { "a.txt": "work\n" }));
    await workspace.merge(request);
    expect(status(repository)).toBe(before);
    expect(userGit(repository, "show", "--name-only", "--format=", "HEAD").trim()).toBe("a.txt");
    expect(userGit(repository, "stash", "list")).toContain("stash@{0}");
    expect(userGit(repository, "reflog", "-1", "--format=%gs").trim()).toBe(`belay: merge ${given.BRANCH}`);
  });

  test("merges with what the user committed meanwhile", async () => {
    const repository = repositoryWith({ "a.txt": TEN, "b.txt": "b\n" });
    const { workspace, request } = await worked(repository, (root) =>
      writeFiles(root, { "a.txt": TEN.replace("line 1\n", "work 1\n"), "n.txt": "n\n" }),
    );
    writeFiles(repository, { "a.txt": TEN.replace("line 8\n", "user 8\n"), "b.txt": "user\n" });
    userGit(repository, "commit", "-qam", "meanwhile");
    await workspace.merge(request);
    expect(read(repository, "a.txt")).toBe(TEN.replace("line 1\n", "work 1\n").replace("line 8\n", "user 8\n"));
    expect(status(repository)).toBe("");
    expect(userGit(repository, "log", "--format=%s").trim()).toBe("the work\nmeanwhile\none");
  });

  test("goes on from what it brought before; work that is there already makes no commit", async () => {
    const repository = repositoryWith({ "a.txt": "one\n" });
    const { workspace, base, request } = await worked(repository, (root) => writeFiles(root, { "a.txt": "two\n" }));
    await workspace.merge(request);
    expect(await workspace.merge(request)).toEqual({ files: [], commit: null });
    writeFiles(workspace.root, { "a.txt": "three\n" });
    const { tree } = await workspace.snapshot();
    await workspace.merge({ base, tree, message: "more" });
    expect([read(repository, "a.txt"), status(repository)]).toEqual(["three\n", ""]);
    expect(await workspace.merge({ base, tree: base, message: "none" })).toEqual({ files: [], commit: null });
  });

  test("after an apply, a merge commits what is there", async () => {
    const repository = repositoryWith({ "a.txt": "one\n" });
    const { workspace, request } = await worked(repository, (root) =>
      writeFiles(root, { "a.txt": "two\n", "n.txt": "n\n" }),
    );
    await workspace.apply(request);
    await workspace.merge(request);
    expect([read(repository, "a.txt"), status(repository)]).toEqual(["two\n", ""]);
  });

  test("stores text with LF where the attributes say so, and the user's file keeps CRLF", async () => {
    const crlf = (text: string): string => text.replaceAll("\n", "\r\n");
    const repository = repositoryWith({
      ".gitattributes": "*.txt text eol=crlf\n",
      "a.txt": crlf(TEN),
      "b.txt": crlf(TEN),
      "raw.dat": "x\r\n",
    });
    const { workspace, request } = await worked(repository, (root) => {
      writeFiles(root, {
        "a.txt": crlf(TEN.replace("line 1", "work 1")),
        "b.txt": crlf(TEN.replace("line 1", "work 1")),
        "n.txt": "n\r\n",
        "raw.dat": "y\r\n",
      });
    });
    writeFiles(repository, { "b.txt": crlf(TEN.replace("line 8", "user 8")) });
    userGit(repository, "commit", "-qam", "meanwhile");
    await workspace.merge(request);
    expect(userGit(repository, "cat-file", "-p", "HEAD:a.txt")).toBe(TEN.replace("line 1", "work 1"));
    expect(userGit(repository, "cat-file", "-p", "HEAD:n.txt")).toBe("n\n");
    expect(userGit(repository, "cat-file", "-p", "HEAD:raw.dat")).toBe("y\r\n");
    expect(read(repository, "a.txt")).toBe(crlf(TEN.replace("line 1", "work 1")));
    expect(read(repository, "b.txt")).toBe(crlf(TEN.replace("line 1", "work 1").replace("line 8", "user 8")));
    expect(status(repository)).toBe("");
  });

  test("follows the evidence where the user's own settings turn LF into CRLF", async () => {
    const repository = repositoryWith({ "a.txt": TEN });
    userGit(repository, "config", "core.autocrlf", "true");
    fs.rmSync(join(repository, "a.txt"));
    userGit(repository, "checkout", "-q", "a.txt");
    expect(read(repository, "a.txt")).toContain("\r\n");
    const { workspace, request } = await worked(repository, (root) =>
      writeFiles(root, { "a.txt": read(root, "a.txt").replace("line 1", "work 1") }),
    );
    await workspace.merge(request);
    expect(userGit(repository, "cat-file", "-p", "HEAD:a.txt")).toBe(TEN.replace("line 1", "work 1"));
    expect(status(repository)).toBe("");
  });

  test("a first commit in a repository that has none", async () => {
    const repository = repositoryWith({});
    const { workspace, request } = await worked(repository, (root) => writeFiles(root, { "a.txt": "a\n" }));
    await workspace.merge(request);
    expect(userGit(repository, "log", "--format=%s").trim()).toBe("the work");
    expect([read(repository, "a.txt"), status(repository)]).toEqual(["a\n", ""]);
  });

  test("a linked worktree gets the commit on its own branch", async () => {
    const main = repositoryWith({ "a.txt": "a\n" });
    userGit(main, "worktree", "add", "-q", "../linked", "-b", "side");
    const linked = join(main, "../linked");
    const { workspace, request } = await worked(linked, (root) => writeFiles(root, { "a.txt": "work\n" }));
    const { commit } = await workspace.merge(request);
    expect(userGit(main, "rev-parse", "side").trim()).toBe(commit);
    expect([status(linked), status(main), read(main, "a.txt")]).toEqual(["", "", "a\n"]);
  });

  test("a shallow repository gets the commit too", async () => {
    const origin = repositoryWith({ "a.txt": "a\n" });
    writeFiles(origin, { "a.txt": "b\n" });
    userGit(origin, "commit", "-qam", "two");
    userGit(origin, "clone", "-q", "--depth=1", `file://${origin}`, "../shallow");
    const shallow = join(origin, "../shallow");
    const { workspace, request } = await worked(shallow, (root) => writeFiles(root, { "a.txt": "c\n" }));
    await workspace.merge(request);
    expect([status(shallow), userGit(shallow, "log", "--format=%s").trim()]).toEqual(["", "the work\ntwo"]);
  });

  const work = (root: string): void => writeFiles(root, { "a.txt": "work\n", "z.txt": "more work\n" });
  const refusals: readonly (readonly [string, (repository: string) => void, string])[] = [
    ["a touched file has uncommitted changes", (r) => writeFiles(r, { "a.txt": "user\n" }), "work_would_be_lost"],
    [
      "a touched file has staged changes",
      (r) => (writeFiles(r, { "a.txt": "user\n" }), userGit(r, "add", "a.txt"), writeFiles(r, { "a.txt": "a\n" })),
      "work_would_be_lost",
    ],
    ["an untracked file has the name of a new one", (r) => writeFiles(r, { "z.txt": "user\n" }), "work_would_be_lost"],
    [
      "the user committed a change of the same lines",
      (r) => (writeFiles(r, { "a.txt": "user\n" }), userGit(r, "commit", "-qam", "x")),
      "merge_conflict",
    ],
    ["HEAD is detached", (r) => userGit(r, "checkout", "-q", "--detach"), "repo_unsupported"],
    ["a merge is under way", (r) => writeFiles(r, { ".git/MERGE_HEAD": "x" }), "work_would_be_lost"],
    ["another git holds the index", (r) => writeFiles(r, { ".git/index.lock": "" }), "git_failed"],
    [
      "a touched file needs a filter",
      (r) => writeFiles(r, { ".git/info/attributes": "a.txt filter=lfs\n" }),
      "repo_unsupported",
    ],
    ["a branch of the user's stands in the way of ours", (r) => userGit(r, "branch", "belay"), "git_failed"],
  ];

  test.each(refusals)("refuses and changes nothing when %s", async (_name, user, kind) => {
    const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n" });
    const { workspace, request } = await worked(repository, work);
    user(repository);
    const visible = (): unknown => {
      const entries = Object.entries(given.manifestOf(repository)).filter(
        ([name]) => !name.startsWith("./.git/objects/"),
      );
      return Object.fromEntries(entries);
    };
    const before = visible();
    await expect(workspace.merge(request)).rejects.toMatchObject({ kind });
    expect(visible()).toEqual(before);
  });

  test("work on files that the user had not committed is for apply", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    writeFiles(repository, { "a.txt": "dirty\n", "u.txt": "untracked\n" });
    const { workspace, request } = await worked(repository, (root) =>
      writeFiles(root, { "u.txt": "work\n", "a.txt": "work\n" }),
    );
    await expect(workspace.merge(request)).rejects.toMatchObject({
      kind: "work_would_be_lost",
      message: expect.stringContaining("belay apply") as string,
    });
    await workspace.apply(request);
    expect([read(repository, "a.txt"), read(repository, "u.txt")]).toEqual(["work\n", "work\n"]);
  });
});
