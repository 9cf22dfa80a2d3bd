/**
 * The agent owns `.git` of its clone. Can it make belay, which is not confined, run something or write elsewhere? belay
 * never runs git there, and writes there only through the race-free walk.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  manifestOf,
  PATH,
  prepare,
  repositoryWith,
  temporaryDirectory,
  userGit,
  writeCanary,
  writeFiles,
} from "../unit/workspace/given.ts";

test("hooks, configuration and filters that the agent sets up never run in belay", async () => {
  const canary = join(temporaryDirectory(), "canary");
  const { workspace, base } = await prepare(repositoryWith({ "a.txt": "a\n" }));
  const { root } = workspace;
  const program = join(root, "evil");
  writeCanary(program, canary);
  for (const hook of ["post-checkout", "pre-commit", "reference-transaction", "post-index-change"]) {
    writeCanary(join(root, ".git/hooks", hook), canary);
  }
  for (const key of [
    "core.fsmonitor",
    "filter.x.clean",
    "filter.x.process",
    "diff.external",
    "core.sshCommand",
    "gpg.program",
  ]) {
    userGit(root, "config", key, program);
  }
  writeFiles(root, {
    ".gitattributes": "* filter=x diff=x\n",
    ".git/info/attributes": "* filter=x\n",
    "a.txt": "changed\n",
  });
  fs.rmSync(canary, { force: true });

  const { tree } = await workspace.snapshot();
  expect(await workspace.commit(tree, "checkpoint")).not.toBeNull();
  expect(await workspace.diff(base, tree)).toContain("+changed");
  await workspace.restore(base);
  await workspace.untrackedChangedSince(0, 10);

  expect(fs.existsSync(canary)).toBe(false);
  spawnSync("git", ["status"], { cwd: root, env: { PATH, HOME: "/nonexistent" } });
  expect(fs.existsSync(canary)).toBe(true); // the positive control: git in that repository does run it
});

test("links and other things inside the agent's .git lead belay's writes nowhere", async () => {
  const victim = join(temporaryDirectory(), "victim");
  writeFiles(victim, { file: "theirs\n", "objects/keep": "k" });
  const before = manifestOf(victim);
  const plots: readonly ((git: string) => void)[] = [
    (git) => (fs.rmSync(join(git, "refs"), { recursive: true }), fs.symlinkSync(victim, join(git, "refs"))),
    (git) => (fs.rmSync(join(git, "refs/heads"), { recursive: true }), fs.symlinkSync(victim, join(git, "refs/heads"))),
    (git) => (fs.rmSync(join(git, "index")), fs.symlinkSync(join(victim, "file"), join(git, "index"))),
    (git) => (
      fs.rmSync(join(git, "objects"), { recursive: true }),
      fs.symlinkSync(join(victim, "objects"), join(git, "objects"))
    ),
    (git) => (fs.rmSync(git, { recursive: true }), fs.symlinkSync(victim, git)),
    (git) => (fs.rmSync(git, { recursive: true }), fs.writeFileSync(git, `gitdir: ${victim}\n`)),
    (git) =>
      spawnSync("mkfifo", [join(git, "packed-refs.new")]) &&
      fs.renameSync(join(git, "packed-refs.new"), join(git, "packed-refs")),
  ];
  const repository = repositoryWith({ "a.txt": "a\n" });
  for (const plot of plots) {
    const { workspace, base } = await prepare(repository);
    plot(join(workspace.root, ".git"));
    writeFiles(workspace.root, { "a.txt": "changed\n" });
    const { tree } = await workspace.snapshot();
    expect(await workspace.commit(tree, "checkpoint")).toMatch(/^[0-9a-f]{40}$/);
    expect(await workspace.restore(base)).toEqual(["a.txt"]);
    await workspace.remove();
    expect(manifestOf(victim)).toEqual(before);
  }
});

test("what the agent may write shares no inode with the user, and what it shares it may not write", async () => {
  const repository = repositoryWith({ "a.txt": "a\n", "b/c.txt": "c\n" });
  userGit(repository, "repack", "-adq");
  const { workspace } = await prepare(repository);
  const inodes = new Set<number>();
  for (const entry of fs.readdirSync(repository, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) inodes.add(fs.statSync(join(entry.parentPath, entry.name)).ino);
  }
  const below = fs
    .readdirSync(workspace.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile());
  expect(below.filter((entry) => inodes.has(fs.statSync(join(entry.parentPath, entry.name)).ino))).toEqual([]);
  const [objects = ""] = workspace.readable;
  expect(objects.startsWith(`${workspace.root}/`)).toBe(false);
  const shared = fs
    .readdirSync(join(objects, "objects/pack"))
    .map((name) => fs.statSync(join(objects, "objects/pack", name)).ino);
  expect(shared.some((inode) => inodes.has(inode))).toBe(true);
});
