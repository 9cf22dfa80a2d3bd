/** A snapshot that does without git is the one that git would have made: K1, K2. */
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type BytePath, pathFromText } from "../../../src/workspace/byte-path.ts";
import type { FileMark } from "../../../src/workspace/snapshot/file-mark.ts";
import { changedSince } from "../../../src/workspace/snapshot/known-scope.ts";
import type { ScopeWalk } from "../../../src/workspace/snapshot/scope.ts";
import type { Workspace } from "../../../src/workspace/workspace.ts";
import { createWorkspaces } from "../../../src/workspace/workspaces.ts";
import { clock, gitSettings, requestFor, repositoryWith, temporaryDirectory, userGit, workspaces } from "./given.ts";

const FILES = {
  "a.txt": "a\n",
  "b/c.txt": "c\n",
  "b/d/e.txt": "e\n",
  ".gitignore": "node_modules/\n*.log\n*.o\n",
  "script.sh": "#!/bin/sh\n",
};

interface Given {
  readonly workspace: Workspace;
  /** The snapshot of somebody who knows nothing yet. */
  readonly asGitMakesIt: () => Promise<unknown>;
  /** Calls of git so far. */
  readonly calls: () => number;
}

async function given(files: Readonly<Record<string, string>> = FILES): Promise<Given> {
  const log = join(temporaryDirectory(), "calls");
  const program = join(temporaryDirectory(), "git");
  fs.writeFileSync(log, "");
  fs.writeFileSync(program, `#!/bin/sh\necho "$1" >> '${log}'\nexec git "$@"\n`, { mode: 0o755 });
  const request = requestFor(repositoryWith(files));
  const counted = createWorkspaces({ git: { ...gitSettings, program }, clock });
  const { workspace } = await counted.prepare(request);
  await workspace.snapshot();
  return {
    workspace,
    asGitMakesIt: async () => (await workspaces().open(request)).snapshot(),
    calls: () => fs.readFileSync(log, "utf8").split("\n").length - 1,
  };
}

type Change = (root: string) => void;

const KNOWN_FILES_CHANGE: Readonly<Record<string, Change>> = {
  "nothing at all": () => undefined,
  "a file's content": (root) => {
    fs.appendFileSync(join(root, "a.txt"), "more\n");
  },
  "content of the same length, with its time set back": (root) => {
    const { atime, mtime } = fs.statSync(join(root, "b/c.txt"));
    fs.writeFileSync(join(root, "b/c.txt"), "d\n");
    fs.utimesSync(join(root, "b/c.txt"), atime, mtime);
  },
  "a file that is put in another's place": (root) => {
    fs.writeFileSync(join(root, "b/d/.new"), "new\n");
    fs.renameSync(join(root, "b/d/.new"), join(root, "b/d/e.txt"));
  },
  "an executable bit": (root) => {
    fs.chmodSync(join(root, "script.sh"), 0o755);
  },
  "a bit that git does not know": (root) => {
    fs.chmodSync(join(root, "a.txt"), 0o600);
  },
};

const GIT_IS_ASKED: Readonly<Record<string, Change>> = {
  "a new file": (root) => {
    fs.writeFileSync(join(root, "new.txt"), "new");
  },
  "a new file that is ignored": (root) => {
    fs.writeFileSync(join(root, "new.log"), "new");
  },
  "a new directory that is ignored": (root) => {
    fs.mkdirSync(join(root, "node_modules"));
    fs.writeFileSync(join(root, "node_modules/x"), "x");
  },
  "an empty directory": (root) => {
    fs.mkdirSync(join(root, "empty"));
  },
  "a file that is gone": (root) => {
    fs.rmSync(join(root, "b/c.txt"));
  },
  "a link in place of a file": (root) => {
    fs.rmSync(join(root, "a.txt"));
    fs.symlinkSync("b", join(root, "a.txt"));
  },
  "a directory in place of a file": (root) => {
    fs.rmSync(join(root, "a.txt"));
    fs.mkdirSync(join(root, "a.txt"));
    fs.writeFileSync(join(root, "a.txt/x"), "x");
  },
  "a repository inside": (root) => {
    userGit(join(root, "b"), "init", "-q");
  },
};

describe("a snapshot after another", () => {
  it.each(Object.entries(KNOWN_FILES_CHANGE))("starts no git for %s, and is the same", async (_, change) => {
    const { workspace, asGitMakesIt, calls } = await given();
    fs.appendFileSync(join(workspace.root, "a.txt"), "first\n");
    await workspace.snapshot(); // the tree in memory is loaded by the first that needs it
    const before = calls();
    change(workspace.root);
    const snapshot = await workspace.snapshot();
    const manifest = fs.statSync(join(workspace.root, "a.txt")).mode.toString(8).endsWith("600");
    if (!manifest) expect(calls()).toBe(before);
    expect(snapshot).toEqual(await asGitMakesIt());
  });

  it.each(Object.entries(GIT_IS_ASKED))(
    "asks git about %s, and is the same, also the one after it",
    async (_, change) => {
      const { workspace, asGitMakesIt } = await given();
      fs.appendFileSync(join(workspace.root, "script.sh"), "first\n");
      await workspace.snapshot();
      change(workspace.root);
      expect(await workspace.snapshot()).toEqual(await asGitMakesIt());
      fs.appendFileSync(join(workspace.root, "script.sh"), "second\n");
      expect(await workspace.snapshot()).toEqual(await asGitMakesIt());
    },
  );

  it("K2: looks again into a directory that was ignored only because all in it was", async () => {
    const { workspace, asGitMakesIt } = await given();
    fs.mkdirSync(join(workspace.root, "out"));
    fs.writeFileSync(join(workspace.root, "out/x.o"), "x");
    await workspace.snapshot();
    fs.writeFileSync(join(workspace.root, "out/source.c"), "int x;\n");
    const snapshot = await workspace.snapshot();
    expect(snapshot).toEqual(await asGitMakesIt());
    expect(snapshot.left_out).toEqual([{ why: "ignored", count: 1, paths: ["out/x.o"] }]);
  });

  it("K2: sees that an ignored directory is gone, or is a file now", async () => {
    const { workspace, asGitMakesIt } = await given();
    const ignored = join(workspace.root, "node_modules");
    fs.mkdirSync(ignored);
    fs.writeFileSync(join(ignored, "x"), "x");
    await workspace.snapshot();
    fs.rmSync(ignored, { recursive: true });
    expect((await workspace.snapshot()).left_out).toEqual([]);
    fs.mkdirSync(ignored);
    fs.writeFileSync(join(ignored, "x"), "x");
    await workspace.snapshot();
    fs.rmSync(ignored, { recursive: true });
    fs.writeFileSync(ignored, "a file of that name is not ignored");
    expect(await workspace.snapshot()).toEqual(await asGitMakesIt());
  });

  it("K1: looks again at what was changed in the very tick of the snapshot before", () => {
    const seen = (marks: Readonly<Record<string, FileMark>>): ScopeWalk => ({
      files: 2,
      ignored_met: 0,
      odd: false,
      marks: new Map(Object.entries(marks).map(([path, mark]) => [pathFromText(path), mark])),
      walked: new Set(),
      modes: new Map(),
      directories: new Map(),
      too_large: new Set(),
      special: new Set(),
      unreadable: new Set(),
    });
    const mark = (changed_ms: number): FileMark => ({ inode: 1, size: 1, mode: 1, modified_ms: 1, changed_ms });
    const none: ReadonlySet<BytePath> = new Set();
    const listing = { candidates: [], ignored: none, ignored_directories: none, nested: none };
    const walk = seen({ before: mark(99), same_tick: mark(100) });
    const known = { looked_ms: 100, listing, walk, plain: "", tree: null };
    expect(changedSince(known, walk)).toEqual(["same_tick"]);
    expect(changedSince(known, seen({ before: mark(99), other: mark(99) }))).toBeNull();
    expect(changedSince(known, { ...walk, odd: true })).toBeNull();
    expect(changedSince(known, { ...walk, walked: new Set([pathFromText("new")]) })).toBeNull();
  });

  it("goes back to git, and to the truth, when content came back to what the index knows", async () => {
    const { workspace, asGitMakesIt } = await given();
    const path = join(workspace.root, "a.txt");
    fs.appendFileSync(path, "changed\n");
    const changed = await workspace.snapshot();
    fs.writeFileSync(path, FILES["a.txt"]);
    fs.writeFileSync(join(workspace.root, "new.txt"), "asks git");
    const back = await workspace.snapshot();
    expect(back).toEqual(await asGitMakesIt());
    fs.rmSync(join(workspace.root, "new.txt"));
    expect(await workspace.snapshot()).toEqual(await asGitMakesIt());
    await workspace.restore(changed.tree);
    expect(fs.readFileSync(path, "utf8")).toBe(`${FILES["a.txt"]}changed\n`);
    expect((await workspace.snapshot()).tree).toBe(changed.tree);
  });
});
