/**
 * A table of repositories as users have them. Each is byte for byte as before, `.git` included, after everything a session
 * does short of delivering (W2), and nothing of it runs (W1).
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as given from "../unit/workspace/given.ts";

const { repositoryWith, requestFor, temporaryDirectory, userGit, workspaces, writeCanary, writeFiles } = given;

interface Kind {
  readonly name: string;
  /** Makes the repository; `canary` is a file that must never come to be. */
  readonly make: (canary: string) => string;
}

const HOOKS = [
  "post-checkout",
  "pre-commit",
  "post-commit",
  "reference-transaction",
  "post-index-change",
  "pre-auto-gc",
  "update",
  "post-merge",
];

const kinds: readonly Kind[] = [
  { name: "clean", make: () => repositoryWith({ "a.txt": "a\n", "b/c.txt": "c\n" }) },
  {
    name: "with staged, unstaged and untracked work",
    make: () => {
      const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" });
      writeFiles(repository, { "a.txt": "staged\n", "b.txt": "unstaged\n", "new.txt": "n\n" });
      userGit(repository, "add", "a.txt");
      fs.rmSync(join(repository, "c.txt"));
      return repository;
    },
  },
  {
    name: "with a stash",
    make: () => {
      const repository = repositoryWith({ "a.txt": "a\n" });
      writeFiles(repository, { "a.txt": "stashed\n" });
      userGit(repository, "stash", "-q");
      return repository;
    },
  },
  {
    name: "with hooks",
    make: (canary) => {
      const repository = repositoryWith({ "a.txt": "a\n" });
      for (const hook of HOOKS) writeCanary(join(repository, ".git/hooks", hook), canary);
      return repository;
    },
  },
  {
    name: "with a submodule",
    make: () => {
      const inner = repositoryWith({ "inner.txt": "i\n" });
      const repository = repositoryWith({ "a.txt": "a\n" });
      userGit(repository, "submodule", "--quiet", "add", inner, "sub");
      userGit(repository, "commit", "-q", "-m", "submodule");
      return repository;
    },
  },
  {
    name: "with signing on",
    make: (canary) => {
      const repository = repositoryWith({ "a.txt": "a\n" });
      writeCanary(join(repository, "../gpg"), canary);
      userGit(repository, "config", "commit.gpgsign", "true");
      userGit(repository, "config", "gpg.program", join(repository, "../gpg"));
      return repository;
    },
  },
  {
    name: "with CRLF attributes",
    make: () => {
      const repository = repositoryWith({
        ".gitattributes": "*.txt text eol=crlf\n",
        "a.txt": "a\r\nb\r\n",
        "b.bin": "x\r\n",
      });
      expect(userGit(repository, "cat-file", "-p", "HEAD:a.txt")).toBe("a\nb\n");
      return repository;
    },
  },
  { name: "without commits", make: () => repositoryWith({}) },
  {
    name: "without commits, with files",
    make: () => {
      const repository = repositoryWith({});
      writeFiles(repository, { "a.txt": "a\n", "b.txt": "b\n" });
      userGit(repository, "add", "a.txt");
      return repository;
    },
  },
  {
    name: "with a detached HEAD",
    make: () => {
      const repository = repositoryWith({ "a.txt": "a\n" });
      userGit(repository, "checkout", "-q", "--detach");
      return repository;
    },
  },
  {
    name: "with a bare and a plain repository inside",
    make: () => {
      const repository = repositoryWith({ "a.txt": "a\n" });
      userGit(repository, "init", "-q", "--bare", "neighbour.git");
      userGit(repository, "init", "-q", "nested");
      writeFiles(repository, { "nested/n.txt": "n" });
      return repository;
    },
  },
  {
    name: "with odd names",
    make: () =>
      repositoryWith({
        "a b": "1",
        'q"uote': "2",
        "new\nline": "3",
        ünïcode: "4",
        "-dash": "5",
        ":(top)magic": "6",
        "*?[x]": "7",
      }),
  },
  {
    name: "with modes, links, ignored files and empty directories",
    make: () => {
      const repository = repositoryWith({ run: "#!/bin/sh\n", ".gitignore": "out/\n*.log\n", "a.txt": "a\n" });
      fs.chmodSync(join(repository, "run"), 0o755);
      fs.chmodSync(join(repository, "a.txt"), 0o640);
      fs.symlinkSync("run", join(repository, "link"));
      fs.symlinkSync("/nowhere", join(repository, "dangling"));
      writeFiles(repository, { "out/o": "o", "x.log": "l" });
      fs.mkdirSync(join(repository, "empty/inner"), { recursive: true });
      return repository;
    },
  },
  {
    name: "that is a linked worktree",
    make: () => {
      const main = repositoryWith({ "a.txt": "a\n" });
      userGit(main, "worktree", "add", "-q", "../linked", "-b", "side");
      return join(main, "../linked");
    },
  },
  {
    name: "that is shallow",
    make: () => {
      const origin = repositoryWith({ "a.txt": "a\n" });
      writeFiles(origin, { "a.txt": "b\n" });
      userGit(origin, "commit", "-qam", "two");
      userGit(origin, "clone", "-q", "--depth=1", `file://${origin}`, "../shallow");
      return join(origin, "../shallow");
    },
  },
  {
    name: "that borrows objects of another",
    make: () => {
      const origin = repositoryWith({ "a.txt": "a\n" });
      userGit(origin, "clone", "-q", "--shared", ".", "../borrower");
      return join(origin, "../borrower");
    },
  },
  {
    name: "that is packed",
    make: () => {
      const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n" });
      userGit(repository, "gc", "-q");
      return repository;
    },
  },
  {
    name: "with a split index, assumed and skipped files",
    make: () => {
      const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" });
      userGit(repository, "update-index", "--split-index");
      userGit(repository, "update-index", "--assume-unchanged", "a.txt");
      userGit(repository, "update-index", "--skip-worktree", "b.txt");
      writeFiles(repository, { "a.txt": "hidden change\n", "b.txt": "hidden too\n" });
      return repository;
    },
  },
  { name: "with a hostile configuration", make: (canary) => hostileRepository(canary) },
];

/** Every setting that makes some git command start a program. */
function hostileRepository(canary: string): string {
  const repository = repositoryWith({ "a.txt": "a\n", "b.evil": "b\n" });
  const program = join(repository, "../evil");
  writeCanary(program, canary);
  writeCanary(join(repository, "../hooks/post-checkout"), canary);
  writeCanary(join(repository, "../hooks/reference-transaction"), canary);
  writeCanary(join(repository, "../hooks/post-index-change"), canary);
  fs.writeFileSync(
    join(repository, "../included"),
    `[core]\n\tfsmonitor = ${program}\n[diff]\n\texternal = ${program}\n`,
  );
  const settings: Readonly<Record<string, string>> = {
    "core.fsmonitor": program,
    "core.hooksPath": join(repository, "../hooks"),
    "core.sshCommand": program,
    "core.gitProxy": program,
    "core.alternateRefsCommand": program,
    "core.pager": program,
    "core.editor": program,
    "core.askPass": program,
    "core.attributesFile": join(repository, "../attributes"),
    "credential.helper": program,
    "diff.external": program,
    "diff.evil.command": program,
    "diff.evil.textconv": program,
    "filter.evil.clean": program,
    "filter.evil.smudge": program,
    "filter.evil.process": program,
    "filter.evil.required": "true",
    "merge.evil.driver": program,
    "gpg.program": program,
    "commit.gpgsign": "true",
    "uploadpack.packObjectsHook": program,
    "remote.origin.url": `ext::${program}`,
    "remote.origin.uploadpack": program,
    "protocol.ext.allow": "always",
    "protocol.allow": "always",
    "alias.rev-parse": `!${program}`,
    "alias.ls-files": `!${program}`,
    "include.path": join(repository, "../included"),
    "maintenance.auto": "true",
  };
  for (const [key, value] of Object.entries(settings)) userGit(repository, "config", key, value);
  writeFiles(repository, {
    ".gitattributes": "*.evil filter=evil diff=evil merge=evil\n",
    ".git/info/attributes": "*.txt filter=evil diff=evil\n",
  });
  fs.writeFileSync(join(repository, "b.evil"), "changed\n");
  return repository;
}

describe.each(kinds)("a repository $name", ({ make }) => {
  test("is as before after prepare, work, snapshots, rollback, commit, diff, reopening and removal", async () => {
    const canary = join(temporaryDirectory(), "canary");
    const repository = make(canary);
    fs.rmSync(canary, { force: true });
    const before = given.manifestOf(join(repository, ".."));
    const request = requestFor(repository);

    const { workspace, base } = await workspaces().prepare(request);
    expect((await workspace.snapshot()).tree).toBe(base);
    for (const name of fs.readdirSync(workspace.root)) {
      if (name !== ".git") fs.rmSync(join(workspace.root, name), { recursive: true });
    }
    writeFiles(workspace.root, { "work.txt": "work\n", ".gitattributes": "* filter=evil diff=evil\n" });
    const reopened = await workspaces().open(request);
    const { tree } = await reopened.snapshot();
    expect(await reopened.commit(tree, "checkpoint")).toMatch(/^[0-9a-f]{40}$/);
    expect(await reopened.diff(base, tree)).toContain("work.txt");
    await reopened.restore(base);
    expect((await reopened.snapshot()).tree).toBe(base);
    await reopened.untrackedChangedSince(0, 10);
    await reopened.remove();

    expect(given.manifestOf(join(repository, ".."))).toEqual(before);
    expect(fs.existsSync(canary)).toBe(false);
    expect(fs.existsSync(request.directory)).toBe(false);
  });
});

test("the canaries can sing: the user's own git starts the hostile program", () => {
  const canary = join(temporaryDirectory(), "canary");
  const repository = hostileRepository(canary);
  fs.rmSync(canary, { force: true });
  spawnSync("git", ["status"], { cwd: repository, env: { PATH: given.PATH, HOME: "/nonexistent" } });
  expect(fs.existsSync(canary)).toBe(true);
});

test("killed at any call of git, a preparation leaves the user's repository as it was, and the next one succeeds", async () => {
  const repository = repositoryWith({ "a.txt": "a\n", ".gitignore": "x\n" });
  writeFiles(repository, { "a.txt": "changed\n" });
  const before = given.manifestOf(repository);
  const directory = join(temporaryDirectory(), "session");
  const child = join(import.meta.dirname, "../unit/workspace/prepare-child.ts");
  let killed = 0;
  for (let call = 1; ; call += 3) {
    const end = spawnSync(process.execPath, [child, repository, directory, String(call)], {
      env: { PATH: given.PATH },
      encoding: "utf8",
    });
    if (end.status === 0) break;
    expect([end.signal, end.stderr]).toEqual(["SIGKILL", ""]);
    expect(given.manifestOf(repository)).toEqual(before);
    await expect(workspaces().open({ ...requestFor(repository), directory })).rejects.toMatchObject({
      kind: "workspace_missing",
    });
    killed++;
  }
  expect(killed).toBeGreaterThan(3);
  const { workspace, base } = await workspaces().prepare(requestFor(repository, { directory }));
  expect((await workspace.snapshot()).tree).toBe(base);
});

describe("what cannot be cloned faithfully is refused with the reason", () => {
  test("a bare repository", async () => {
    const bare = temporaryDirectory();
    userGit(bare, "init", "-q", "--bare", ".");
    await expect(workspaces().prepare(requestFor(bare))).rejects.toMatchObject({
      kind: "repo_unsupported",
      message: expect.stringContaining("bare") as string,
    });
  });

  test("a repository that names objects by sha256", async () => {
    const directory = temporaryDirectory();
    userGit(directory, "init", "-q", "--object-format=sha256", ".");
    await expect(workspaces().prepare(requestFor(directory))).rejects.toMatchObject({
      kind: "repo_unsupported",
      message: expect.stringContaining("sha256") as string,
    });
  });

  test("a partial clone that lacks objects of its HEAD; one that has them works, and nothing is fetched", async () => {
    const origin = repositoryWith({ "a.txt": "a\n" });
    userGit(origin, "config", "uploadpack.allowFilter", "true");
    userGit(origin, "clone", "-q", "--filter=blob:none", "--no-checkout", `file://${origin}`, "../lacking");
    await expect(workspaces().prepare(requestFor(join(origin, "../lacking")))).rejects.toMatchObject({
      kind: "repo_unsupported",
      message: expect.stringContaining("partial") as string,
    });
    userGit(origin, "clone", "-q", "--filter=blob:none", `file://${origin}`, "../checked-out");
    const before = given.manifestOf(join(origin, "../checked-out"));
    const { workspace } = await workspaces().prepare(requestFor(join(origin, "../checked-out")));
    expect(fs.readFileSync(join(workspace.root, "a.txt"), "utf8")).toBe("a\n");
    expect(given.manifestOf(join(origin, "../checked-out"))).toEqual(before);
  });
});

test("a base that is missing from a partial clone is not fetched: the program that its remote names never runs", async () => {
  const origin = repositoryWith({ "a.txt": "a\n" });
  userGit(origin, "config", "uploadpack.allowFilter", "true");
  userGit(origin, "clone", "-q", "--filter=blob:none", `file://${origin}`, "../partial");
  const partial = join(origin, "../partial");
  const canary = join(origin, "../canary");
  writeCanary(join(origin, "../upload-pack"), canary);
  userGit(partial, "config", "remote.origin.uploadpack", join(origin, "../upload-pack"));
  const base = "f".repeat(40);
  await expect(workspaces().prepare(requestFor(partial, { base }))).rejects.toMatchObject({ kind: "usage" });
  expect(fs.existsSync(canary)).toBe(false);
  expect(() => userGit(partial, "rev-parse", `${base}^{commit}`)).toThrow();
  expect(fs.existsSync(canary)).toBe(true); // the control: the user's own git would have fetched
});

test("bytes are bytes: no attribute of the repository changes a file on its way", async () => {
  const repository = repositoryWith({ "a.txt": "a\n" });
  writeFiles(repository, {
    ".gitattributes":
      "*.txt text eol=crlf\n*.id ident\n*.u16 working-tree-encoding=UTF-16LE\n[attr]odd text=auto\nq* odd\n",
    "a.txt": "LF although the rule says CRLF\n",
    "b.txt": "mixed\r\nendings\n",
    "c.id": "$Id$ $Id: something$\n",
    "d.u16": Buffer.from("ab\n", "utf16le"),
    q: "auto\r\n",
  });
  const { workspace, base } = await workspaces().prepare(requestFor(repository));
  expect(given.filesOf(workspace.root)).toEqual(given.filesOf(repository));
  for (const name of ["a.txt", "b.txt", "c.id", "d.u16", "q"]) fs.rmSync(join(workspace.root, name));
  await workspace.restore(base);
  expect(given.filesOf(workspace.root)).toEqual(given.filesOf(repository));
});

test("left out and said: submodules and nested repositories", async () => {
  const inner = repositoryWith({ "inner.txt": "i\n" });
  const repository = repositoryWith({ "a.txt": "a\n" });
  userGit(repository, "submodule", "--quiet", "add", inner, "sub");
  userGit(repository, "commit", "-q", "-m", "submodule");
  userGit(repository, "init", "-q", "nested");
  const { workspace, left_out } = await workspaces().prepare(requestFor(repository));
  expect(left_out).toEqual([
    { why: "nested_repository", count: 1, paths: ["nested"] },
    { why: "submodule", count: 1, paths: ["sub"] },
  ]);
  expect(fs.readdirSync(join(workspace.root, "sub"))).toEqual([]);
  expect(userGit(workspace.root, "rev-parse", "HEAD")).toBe(userGit(repository, "rev-parse", "HEAD"));
});

test("hidden changes of assumed and skipped files are part of the work, and a sparse checkout is no deletion", async () => {
  const repository = repositoryWith({ "a.txt": "a\n", "b.txt": "b\n", "in/x": "x", "out/y": "y" });
  userGit(repository, "sparse-checkout", "set", "in");
  userGit(repository, "update-index", "--assume-unchanged", "a.txt");
  writeFiles(repository, { "a.txt": "hidden\n" });
  expect(fs.existsSync(join(repository, "out/y"))).toBe(false);
  const { workspace } = await workspaces().prepare(requestFor(repository));
  expect(fs.readFileSync(join(workspace.root, "a.txt"), "utf8")).toBe("hidden\n");
  expect(fs.readFileSync(join(workspace.root, "out/y"), "utf8")).toBe("y");
});

test("a checkout that belongs to somebody else works", async (context) => {
  if (process.getuid?.() !== 0) context.skip("only root can give files away: run as root to see it");
  const repository = repositoryWith({ "a.txt": "a\n" });
  execFileSync("chown", ["-R", "65534:65534", repository]);
  const { workspace, base } = await workspaces().prepare(requestFor(repository));
  writeFiles(workspace.root, { "a.txt": "b\n" });
  const { tree } = await workspace.snapshot();
  const { commit } = await workspace.merge({ base, tree, message: "work" });
  expect(commit).not.toBeNull();
});

test("the objects are copied where they cannot be linked: another device", async (context) => {
  const repository = repositoryWith({ "a.txt": "a\n" });
  const other = "/dev/shm";
  if (!fs.existsSync(other) || fs.statSync(other).dev === fs.statSync(repository).dev)
    context.skip("no second device: mount one at /dev/shm");
  const directory = fs.mkdtempSync(join(other, "belay-"));
  try {
    const { workspace, base } = await workspaces().prepare(requestFor(repository, { directory }));
    expect((await workspace.snapshot()).tree).toBe(base);
    await workspace.remove();
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
});

test("a clone of 1,000 files: how long it takes is printed", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, n) => [`d${n % 40}/f${n}.txt`, `file ${n}\n`.repeat(40)]),
  );
  const repository = repositoryWith(files);
  const start = performance.now();
  const { workspace } = await workspaces().prepare(requestFor(repository));
  const prepared = performance.now();
  await workspace.snapshot();
  writeFiles(workspace.root, { "d1/f1.txt": "changed\n" });
  const changed = performance.now();
  await workspace.snapshot();
  const taken = performance.now();
  process.stdout.write(
    `clone ${(prepared - start).toFixed(0)} ms, snapshot after a change ${(taken - changed).toFixed(0)} ms\n`,
  );
  expect(Object.keys(given.filesOf(workspace.root)).filter((name) => name.endsWith(".txt"))).toHaveLength(1_000);
});
