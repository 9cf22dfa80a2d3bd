/** The workspace port, on the back-end there is: clone, copy and in place. */
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as given from "../unit/workspace/given.ts";

const { repositoryWith, prepare, requestFor, userGit, writeFiles, workspaces } = given;

describe("prepare", () => {
  test("a clone holds the user's tree as it stands: modified, deleted and untracked files, modes, links, empty directories", async () => {
    const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n", "c/d.txt": "d\n", ".gitignore": "*.log\n" });
    writeFiles(repository, { "a.txt": "changed\n", "new/e.txt": "e\n", "debug.log": "ignored\n" });
    fs.rmSync(join(repository, "b.txt"));
    fs.chmodSync(join(repository, "c/d.txt"), 0o755);
    writeFiles(repository, { "secret.txt": "s\n" });
    fs.chmodSync(join(repository, "secret.txt"), 0o600);
    fs.symlinkSync("c/d.txt", join(repository, "link"));
    fs.symlinkSync("/etc/nowhere", join(repository, "dangling"));
    fs.mkdirSync(join(repository, "empty/inner"), { recursive: true });

    const { workspace, files, left_out } = await prepare(repository);

    const { "./debug.log": ignored, ...expected } = given.filesOf(repository);
    expect(given.filesOf(workspace.root)).toEqual(expected);
    expect(ignored).toBeDefined();
    expect(files).toBe(7);
    expect(left_out).toEqual([{ why: "ignored", count: 1, paths: ["debug.log"] }]);
  });

  test("uncommitted work becomes a commit of its own on the session's branch; without any, the branch starts at HEAD", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    const clean = await prepare(repository);
    expect(userGit(clean.workspace.root, "rev-parse", "HEAD").trim()).toBe(clean.head);
    writeFiles(repository, { "a.txt": "changed\n" });
    const { workspace, head, branch } = await prepare(repository);
    expect(branch).toBe(given.BRANCH);
    expect(userGit(workspace.root, "log", "--format=%s|%an|%P", "-1").trim()).toBe(
      `belay: your uncommitted work|belay|${head}`,
    );
    expect(userGit(workspace.root, "symbolic-ref", "HEAD").trim()).toBe(`refs/heads/${given.BRANCH}`);
    expect(userGit(workspace.root, "status", "--porcelain")).toBe("");
    expect(userGit(workspace.root, "remote")).toBe("");
    expect(userGit(workspace.root, "rev-parse", "main").trim()).toBe(head);
  });

  test("a base starts the clone from that revision and leaves uncommitted work behind", async () => {
    const repository = repositoryWith({ "a.txt": "one\n" });
    writeFiles(repository, { "a.txt": "two\n" });
    userGit(repository, "commit", "-qam", "two");
    writeFiles(repository, { "a.txt": "three\n", "untracked.txt": "u\n" });
    const { workspace } = await prepare(repository, { base: "main~1" });
    expect(fs.readFileSync(join(workspace.root, "a.txt"), "utf8")).toBe("one\n");
    expect(fs.readdirSync(workspace.root).sort()).toEqual([".git", "a.txt"]);
    await expect(prepare(repository, { base: "no-such" })).rejects.toMatchObject({ kind: "usage" });
    await expect(prepare(repository, { base: "--output=x" })).rejects.toMatchObject({ kind: "usage" });
  });

  test("the same content has the same tree, wherever it is", async () => {
    const content = { "a.txt": "a\n", "b/c": "c" };
    const [one, two] = [await prepare(repositoryWith(content)), await prepare(repositoryWith(content))];
    expect(one.base).toBe(two.base);
    expect((await one.workspace.snapshot()).tree).toBe(one.base);
    const plain = repositoryWith({ ...content, "more.txt": "" });
    fs.rmSync(join(plain, "more.txt"));
    expect((await prepare(plain)).base).toBe(one.base);
  });

  test("the objects are the user's own inodes, and none of them is below the tree", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    const request = requestFor(repository);
    const { workspace } = await workspaces().prepare(request);
    const blob = userGit(repository, "rev-parse", "HEAD:a.txt").trim();
    const path = `objects/${blob.slice(0, 2)}/${blob.slice(2)}`;
    const inode = fs.statSync(join(repository, ".git", path)).ino;
    expect(fs.statSync(join(request.directory, "objects.git", path)).ino).toBe(inode);
    const below = fs.readdirSync(workspace.root, { recursive: true, withFileTypes: true });
    expect(
      below.filter((entry) => entry.isFile() && fs.statSync(join(entry.parentPath, entry.name)).nlink > 1),
    ).toEqual([]);
    expect(workspace.readable).toEqual([join(request.directory, "objects.git")]);
    expect(userGit(workspace.root, "cat-file", "-p", blob)).toBe("a\n");
  });

  test("what .worktreeinclude names is brought although it is ignored, and is in no snapshot", async () => {
    const repository = repositoryWith({
      ".gitignore": ".env\nlocal/\n",
      ".worktreeinclude": ".env\nlocal/keep\na.txt\n",
      "a.txt": "a",
    });
    writeFiles(repository, { ".env": "KEY=1", "local/keep/x": "x", "local/other": "o" });
    const { workspace, base } = await prepare(repository);
    expect(fs.readFileSync(join(workspace.root, ".env"), "utf8")).toBe("KEY=1");
    expect(fs.readFileSync(join(workspace.root, "local/keep/x"), "utf8")).toBe("x");
    expect(fs.existsSync(join(workspace.root, "local/other"))).toBe(false);
    expect((await workspace.snapshot()).tree).toBe(base);
  });

  test("a directory that is no repository is copied, with history of its own", async () => {
    const source = join(given.temporaryDirectory(), "plain");
    writeFiles(source, { "a.txt": "a\n", "b/c.txt": "c\n", "nested/.git/HEAD": "x" });
    await expect(prepare(source)).rejects.toMatchObject({ kind: "repo_unsupported" });
    const { workspace, base, head, branch, left_out } = await prepare(source, { mode: "copy" });
    expect([head, branch]).toEqual([null, given.BRANCH]);
    expect(userGit(workspace.root, "log", "--format=%s").trim()).toBe("belay: the directory as it was");
    expect(userGit(workspace.root, "status", "--porcelain")).toBe("");
    expect(left_out).toEqual([{ why: "nested_repository", count: 1, paths: ["nested"] }]);
    const before = given.manifestOf(source);
    writeFiles(workspace.root, { "a.txt": "work\n" });
    const { tree } = await workspace.snapshot();
    const request = { mode: "copy", source, directory: join(workspace.root, ".."), branch: given.BRANCH } as const;
    const reopened = await workspaces().open(request);
    expect((await reopened.snapshot()).tree).toBe(tree);
    expect(given.manifestOf(source)).toEqual(before);
    await expect(reopened.merge({ base, tree, message: "m" })).rejects.toMatchObject({ kind: "repo_unsupported" });
    expect(await reopened.apply({ base, tree, message: "m" })).toEqual({ files: ["a.txt"], commit: null });
    expect(fs.readFileSync(join(source, "a.txt"), "utf8")).toBe("work\n");
  });

  test("a copy beyond its limits is refused with what to do", async () => {
    const source = join(given.temporaryDirectory(), "plain");
    writeFiles(source, { a: "1", b: "2", c: "3" });
    const small = workspaces({ copy_files: 2 });
    await expect(small.prepare(requestFor(source, { mode: "copy" }))).rejects.toMatchObject({
      kind: "workspace_refused",
    });
    const light = workspaces({ copy_bytes: 2 });
    await expect(light.prepare(requestFor(source, { mode: "copy" }))).rejects.toMatchObject({
      kind: "workspace_refused",
    });
  });

  test("in place works in the user's tree: no branch, no commit, .git protected; / and the home directory are refused", async () => {
    const repository = repositoryWith({ "a.txt": "a\n", "b/c.txt": "c\n" });
    const { workspace, branch, base } = await prepare(join(repository, "b"), { mode: "in_place" });
    expect([workspace.root, branch, workspace.protected]).toEqual([repository, null, [join(repository, ".git")]]);
    writeFiles(repository, { "a.txt": "changed\n" });
    const { tree } = await workspace.snapshot();
    expect(await workspace.commit(tree, "x")).toBeNull();
    expect(await workspace.restore(base)).toEqual(["a.txt"]);
    expect(userGit(repository, "status", "--porcelain")).toBe("");
    await expect(prepare("/", { mode: "in_place" })).rejects.toMatchObject({ kind: "workspace_refused" });
    const home = workspaces({}, repository);
    await expect(home.prepare(requestFor(repository, { mode: "in_place" }))).rejects.toMatchObject({
      kind: "workspace_refused",
    });
  });

  test("what an earlier attempt left behind is removed first, and belay's own directory is no part of the tree", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    const directory = join(repository, ".belay/session");
    writeFiles(directory, { "tree/left": "x", "objects.git/config": "[alias]", "notes.txt": "kept" });
    const { workspace, base } = await prepare(repository, { directory });
    expect(fs.readdirSync(workspace.root).sort()).toEqual([".git", "a.txt"]);
    expect((await workspace.snapshot()).tree).toBe(base);
    await workspace.remove();
    expect(fs.readdirSync(directory)).toEqual(["notes.txt"]);
  });

  test("an aborted preparation stops", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    await expect(prepare(repository, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "git_failed" });
  });

  test("a workspace that was never finished is missing", async () => {
    const open = workspaces().open({
      mode: "clone",
      source: "/nowhere",
      directory: given.temporaryDirectory(),
      branch: given.BRANCH,
    });
    await expect(open).rejects.toMatchObject({ kind: "workspace_missing" });
  });

  test("above the file limit snapshots are off, and that is said", async () => {
    const repository = repositoryWith({ a: "1", b: "2", c: "3" });
    const { workspace, snapshots, files } = await workspaces({ files: 2 }).prepare(requestFor(repository));
    expect([snapshots, files]).toEqual([false, 3]);
    await expect(workspace.snapshot()).rejects.toMatchObject({ kind: "snapshot_too_large" });
  });
});

describe("snapshot and restore", () => {
  test("W3: restore brings back bytes, modes, links and empty directories, removes what was added, and names what changed", async () => {
    const repository = repositoryWith({
      "a.txt": "a\n",
      "b/c.txt": "c\n",
      "d/e.txt": "e\n",
      "f.txt": "f\n",
      run: "#!/bin/sh\n",
    });
    fs.mkdirSync(join(repository, "empty"));
    fs.symlinkSync("a.txt", join(repository, "link"));
    const { workspace, base } = await prepare(repository);
    const { root } = workspace;
    const before = given.filesOf(root);

    writeFiles(root, { "a.txt": "changed\n", "new/deep/x": "x" });
    fs.rmSync(join(root, "b"), { recursive: true });
    writeFiles(root, { b: "a file where a directory was" });
    fs.rmSync(join(root, "f.txt"));
    writeFiles(root, { "f.txt/inner": "a directory where a file was" });
    fs.rmSync(join(root, "d"), { recursive: true });
    fs.symlinkSync("/etc", join(root, "d"));
    fs.chmodSync(join(root, "run"), 0o4711);
    fs.rmdirSync(join(root, "empty"));
    fs.rmSync(join(root, "link"));
    fs.mkdirSync(join(root, "added-empty/inner"), { recursive: true });
    const changed = given.filesOf(root);
    const { tree } = await workspace.snapshot();

    const paths = await workspace.restore(base);
    expect(given.filesOf(root)).toEqual(before);
    expect(paths).toEqual(
      expect.arrayContaining([
        "a.txt",
        "b",
        "b/c.txt",
        "d",
        "d/e.txt",
        "f.txt",
        "f.txt/inner",
        "link",
        "new/deep/x",
        "run",
        "empty",
        "added-empty/inner",
      ]),
    );
    await workspace.restore(tree);
    expect(given.filesOf(root)).toEqual(changed);
    expect(fs.existsSync("/etc/e.txt")).toBe(false);
  });

  test("restore leaves ignored files alone, unless one stands in the way", async () => {
    const repository = repositoryWith({ ".gitignore": "*.log\nout/\n", "a.txt": "a\n", "dir/b.txt": "b\n" });
    const { workspace, base } = await prepare(repository);
    const { root } = workspace;
    writeFiles(root, { "keep.log": "k", "dir/keep.log": "k", "out/x": "x", "a.txt": "2" });
    fs.rmSync(join(root, "dir/b.txt"));
    await workspace.restore(base);
    expect(fs.readFileSync(join(root, "dir/keep.log"), "utf8")).toBe("k");
    expect(fs.existsSync(join(root, "out/x"))).toBe(true);
    expect(fs.readFileSync(join(root, "dir/b.txt"), "utf8")).toBe("b\n");
    await workspace.snapshot();
    fs.rmSync(join(root, "dir"), { recursive: true });
    fs.rmSync(join(root, "a.txt"));
    writeFiles(root, { "a.txt/x.log": "an ignored file in a directory where a file belongs" });
    await workspace.restore(base);
    expect(fs.readFileSync(join(root, "a.txt"), "utf8")).toBe("a\n");
  });

  test("names with spaces, quotes, newlines, backslashes and bytes that are no UTF-8 come through", async () => {
    const repository = repositoryWith({
      "a b": "1",
      "q\"uo'te": "2",
      "new\nline": "3",
      "back\\slash": "4",
      "über/ß": "5",
      "tab\t": "6",
    });
    const odd = Buffer.concat([Buffer.from(`${repository}/`), Buffer.from([0x66, 0xff, 0xfe])]);
    fs.writeFileSync(odd, "bytes");
    const { workspace, base } = await prepare(repository);
    expect(given.filesOf(workspace.root)).toEqual(given.filesOf(repository));
    for (const name of fs.readdirSync(workspace.root, { encoding: "buffer" })) {
      if (name.toString() !== ".git")
        fs.rmSync(Buffer.concat([Buffer.from(`${workspace.root}/`), name]), { recursive: true });
    }
    expect(await workspace.restore(base)).toHaveLength(7);
    expect(given.filesOf(workspace.root)).toEqual(given.filesOf(repository));
  });

  test("an ignore rule that the agent writes hides nothing; one that stood at the start does", async () => {
    const repository = repositoryWith({
      ".gitignore": "/build/\n!keep.me\n*.me\n!deep/keep.me\n",
      "sub/.gitignore": "/x\ny\n",
      "a.txt": "a\n",
    });
    writeFiles(repository, {
      "venv/.gitignore": "*\n",
      "venv/lib/z": "z",
      "sub/x": "1",
      "sub/n/x": "2",
      "sub/n/y": "3",
      x: "4",
      "deep/keep.me": "5",
    });
    const { workspace, base } = await prepare(repository);
    const { root } = workspace;
    expect(
      Object.keys(given.filesOf(root))
        .filter((name) => !name.includes("gitignore"))
        .sort(),
    ).toEqual([".", "./a.txt", "./deep", "./deep/keep.me", "./sub", "./sub/n", "./sub/n/x", "./x"].sort());
    writeFiles(root, {
      ".gitignore": "*\n",
      ".git/info/exclude": "*\n",
      "hidden.txt": "h",
      "sub/.gitignore": "*\n",
      "sub/new": "n",
    });
    writeFiles(root, { "build/out": "still ignored", "venv/q": "still ignored", ".gitattributes": "* -diff\n" });
    const { tree } = await workspace.snapshot();
    const changes = await workspace.changes(base, tree);
    expect(changes.map((change) => change.path)).toEqual([
      ".gitattributes",
      ".gitignore",
      "hidden.txt",
      "sub/.gitignore",
      "sub/new",
    ]);
    expect(await workspace.diff(base, tree)).toContain("+h\n");
  });

  test("a tracked file that a rule ignores stays in the scope when it is deleted and made again", async () => {
    const repository = repositoryWith({ "dist/a.js": "1", "b.txt": "b" });
    writeFiles(repository, { ".gitignore": "dist/\n" });
    const { workspace, base } = await prepare(repository);
    fs.rmSync(join(workspace.root, "dist"), { recursive: true });
    expect((await workspace.snapshot()).tree).not.toBe(base);
    writeFiles(workspace.root, { "dist/a.js": "1" });
    expect((await workspace.snapshot()).tree).toBe(base);
  });

  test("what cannot be recorded is left out, and named with its reason", async () => {
    const repository = repositoryWith({ "a.txt": "a\n", ".gitignore": "ignored\n" });
    const { workspace, base } = await workspaces({ file_bytes: 1_000 }).prepare(requestFor(repository));
    const { root } = workspace;
    writeFiles(root, { ignored: "i", "big.bin": "x".repeat(1_001) });
    userGit(root, "init", "-q", "nested");
    writeFiles(root, { "nested/n.txt": "n" });
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(root, "pipe")]);
    const { tree, left_out, files } = await workspace.snapshot();
    expect([tree, files]).toEqual([base, 2]);
    expect(left_out).toEqual([
      { why: "ignored", count: 1, paths: ["ignored"] },
      { why: "nested_repository", count: 1, paths: ["nested"] },
      { why: "too_large", count: 1, paths: ["big.bin"] },
      { why: "special_file", count: 1, paths: ["pipe"] },
    ]);
    await workspace.restore(base);
    expect(fs.existsSync(join(root, "nested/n.txt")) && fs.existsSync(join(root, "big.bin"))).toBe(true);
  });

  test("a snapshot that another process was killed in is no obstacle: a left lock and a damaged index are got over", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    const request = requestFor(repository);
    const { base } = await workspaces().prepare(request);
    writeFiles(request.directory, { "shadow.git/index.lock": "", "shadow.git/index": "DIRC garbage" });
    const workspace = await workspaces().open(request);
    expect((await workspace.snapshot()).tree).toBe(base);
    writeFiles(workspace.root, { "a.txt": "b\n" });
    expect(await workspace.restore(base)).toEqual(["a.txt"]);
  });

  test("what changed outside the scope is seen: ignored files, nested repositories, the clone's own .git, and deletions", async () => {
    const repository = repositoryWith({ ".gitignore": "*.log\nout/\n", "a.txt": "a\n", ".worktreeinclude": "*.log\n" });
    writeFiles(repository, { "old.log": "o", "gone.log": "g" });
    const { workspace } = await prepare(repository);
    const { root } = workspace;
    await workspace.snapshot();
    const future = Date.now() + 3_600_000;
    expect(await workspace.untrackedChangedSince(future, 10)).toEqual([]);
    const mark = workspace.markFileClock();
    await mark.passed;
    writeFiles(root, { "a.txt": "tracked, so no matter" });
    fs.rmSync(join(root, "gone.log"));
    writeFiles(root, { "out/new": "n" });
    const changed = await workspace.untrackedChangedSince(mark.at_ms, 100);
    expect([...changed].sort()).toEqual(["gone.log", "out", "out/new"]);
    expect(await workspace.untrackedChangedSince(0, 2)).toHaveLength(2);
    const few = await workspaces({ untracked_entries: 1 }).open({
      ...requestFor(repository),
      directory: join(root, ".."),
    });
    expect((await few.untrackedChangedSince(future, 10)).at(-1)).toContain("more than 1 entries");
  });
});

describe("commit", () => {
  test("goes to the session's branch, shows in the agent's repository, and is nothing when there is nothing new", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    const { workspace, base, head } = await prepare(repository);
    expect(await workspace.commit(base, "nothing")).toBeNull();
    writeFiles(workspace.root, { "a.txt": "b\n", "new.txt": "n\n" });
    fs.mkdirSync(join(workspace.root, "empty"));
    const { tree } = await workspace.snapshot();
    const commit = await workspace.commit(tree, "checkpoint 1");
    expect(userGit(workspace.root, "log", "--format=%H %s %P", "-1").trim()).toBe(`${commit} checkpoint 1 ${head}`);
    expect(userGit(workspace.root, "status", "--porcelain")).toBe("");
    expect(userGit(workspace.root, "ls-files").trim()).toBe("a.txt\nnew.txt");
    expect(await workspace.commit(tree, "again")).toBeNull();
  });

  test("comes on top of what the agent committed, and needs nothing of what the agent did to its .git", async () => {
    const repository = repositoryWith({ "a.txt": "a\n" });
    const { workspace } = await prepare(repository);
    const { root } = workspace;
    writeFiles(root, { "a.txt": "b\n" });
    userGit(root, "commit", "-qam", "the agent's");
    const agents = userGit(root, "rev-parse", "HEAD").trim();
    expect(await workspace.commit((await workspace.snapshot()).tree, "same tree")).toBeNull();
    writeFiles(root, { "a.txt": "c\n" });
    const commit = await workspace.commit((await workspace.snapshot()).tree, "two");
    expect(userGit(root, "log", "--format=%s %P", "-1").trim()).toBe(`two ${agents}`);

    userGit(root, "checkout", "-q", "-b", "elsewhere");
    userGit(root, "branch", "-qD", given.BRANCH);
    writeFiles(root, { "a.txt": "d\n" });
    const third = await workspace.commit((await workspace.snapshot()).tree, "three");
    expect(userGit(root, "log", "--format=%s %P", "-1", given.BRANCH).trim()).toBe(`three ${commit}`);
    expect(userGit(root, "symbolic-ref", "HEAD").trim()).toBe("refs/heads/elsewhere");

    writeFiles(root, { [`.git/refs/heads/${given.BRANCH}`]: "f".repeat(40), "a.txt": "e\n" });
    await workspace.commit((await workspace.snapshot()).tree, "four");
    expect(userGit(root, "log", "--format=%s %P", "-1", given.BRANCH).trim()).toBe(`four ${third}`);

    fs.rmSync(join(root, ".git"), { recursive: true });
    fs.symlinkSync(given.temporaryDirectory(), join(root, ".git"));
    writeFiles(root, { "a.txt": "f\n" });
    expect(await workspace.commit((await workspace.snapshot()).tree, "five")).toMatch(/^[0-9a-f]{40}$/);
    expect(fs.readdirSync(fs.readlinkSync(join(root, ".git")))).toEqual([]);
  });
});

describe("diff and changes", () => {
  test("count lines, know binary files, and never show the manifest of modes", async () => {
    const repository = repositoryWith({ "a.txt": "1\n2\n", "b.bin": Buffer.from([0, 1, 2]), "c.txt": "c\n" });
    const { workspace, base } = await prepare(repository);
    writeFiles(workspace.root, { "a.txt": "1\n3\n4\n", "b.bin": Buffer.from([0, 9]), "d.txt": "d\n" });
    fs.rmSync(join(workspace.root, "c.txt"));
    fs.mkdirSync(join(workspace.root, "empty"));
    fs.chmodSync(join(workspace.root, "a.txt"), 0o600);
    const { tree } = await workspace.snapshot();
    expect(await workspace.changes(base, tree)).toEqual([
      { path: "a.txt", status: "modified", added: 2, removed: 1 },
      { path: "b.bin", status: "modified", added: null, removed: null },
      { path: "c.txt", status: "deleted", added: 0, removed: 1 },
      { path: "d.txt", status: "added", added: 1, removed: 0 },
    ]);
    const diff = await workspace.diff(base, tree);
    expect(diff).toContain("Binary files a/b.bin and b/b.bin differ");
    expect(diff).not.toContain("manifest");
  });
});

test("scratch directories are private, and empty after a reset", async () => {
  const { workspace } = await prepare(repositoryWith({ a: "a" }));
  const { home, tmp } = workspace.scratch;
  writeFiles(home, { ".bashrc": "x" });
  writeFiles(tmp, { "closed/x": "x" });
  fs.chmodSync(join(tmp, "closed"), 0o000);
  await workspace.resetScratch();
  expect([fs.readdirSync(home), fs.readdirSync(tmp)]).toEqual([[], []]);
  expect([fs.statSync(home).mode & 0o777, fs.statSync(tmp).mode & 0o777]).toEqual([0o700, 0o700]);
});
