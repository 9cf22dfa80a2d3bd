/** belay's own note in a workspace is nobody's work, and whatever stands in its place is left alone. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { WorkspaceMode } from "../../../src/kernel/config.ts";
import { NOTE_MARK, OWN_IGNORE } from "../../../src/workspace/own-note.ts";
import { Placeholders } from "../../../src/workspace/sandbox/placeholders.ts";
import type { PreparedWorkspace } from "../../../src/workspace/workspace.ts";
import { filesOf, manifestOf, prepare, repositoryWith, temporaryDirectory, userGit, writeFiles } from "./given.ts";

const NOTE = ".belay/CONTINUITY.md";
const TEXT = "# CONTINUITY\n";

type Files = Parameters<typeof repositoryWith>[0];

/** A source for each mode, with these files in it. */
function sourceFor(mode: WorkspaceMode, files: Files): string {
  if (mode !== "copy") return repositoryWith(files);
  const source = join(temporaryDirectory(), "plain");
  writeFiles(source, files);
  return source;
}

async function prepared(mode: WorkspaceMode, files: Files = { "a.txt": "a\n" }) {
  const source = sourceFor(mode, files);
  const made: PreparedWorkspace = await prepare(source, { mode });
  const { workspace } = made;
  const read = (path: string): string => fs.readFileSync(join(workspace.root, path), "utf8");
  return { ...made, source, read };
}

describe.each(["clone", "copy", "in_place"] as const)("in mode %s", (mode) => {
  it("the note is written; no snapshot, difference, git status or look for half-done changes has it; a rollback leaves it", async () => {
    const { workspace, base, read } = await prepared(mode);
    const { root } = workspace;
    expect(await workspace.note(TEXT)).toBe("written");
    expect(read(NOTE)).toBe(`${NOTE_MARK}\n${TEXT}`);
    expect(read(".belay/.gitignore")).toBe(OWN_IGNORE);
    expect((await workspace.snapshot()).tree).toBe(base);
    expect(userGitIn(root)).toBe("");
    expect(await workspace.note(TEXT)).toBe("same");
    const mark = workspace.markFileClock();
    await mark.passed;
    expect(await workspace.note("other")).toBe("written");
    expect(await workspace.untrackedChangedSince(mark.at_ms, 10)).toEqual([]);

    writeFiles(root, { "a.txt": "changed\n", ".belay/settings.json": "{}" });
    const { tree } = await workspace.snapshot();
    const changed = (await workspace.changes(base, tree)).map(({ path }) => path);
    expect(changed).toEqual([".belay/settings.json", "a.txt"]);
    await workspace.restore(base);
    expect(fs.existsSync(join(root, ".belay/settings.json"))).toBe(false);
    expect(read(NOTE)).toContain("other");
    expect((await workspace.snapshot()).tree).toBe(base);
  });

  it("a file of the project's own of that name stays as it is, is recorded, and is said to stand in the way", async () => {
    const own = { "a.txt": "a\n", [NOTE]: "our own plan\n" };
    const { workspace, base, read } = await prepared(mode, own);
    expect(await workspace.note(TEXT)).toEqual({
      refused: ".belay/CONTINUITY.md is there and was not written by belay",
    });
    expect(read(NOTE)).toBe("our own plan\n");
    writeFiles(workspace.root, { [NOTE]: "our new plan\n" });
    const { tree } = await workspace.snapshot();
    expect((await workspace.changes(base, tree)).map(({ path }) => path)).toEqual([NOTE]);
  });
});

it.each(["clone", "in_place"] as const)(
  "whatever stands where the directory or the note should be, nothing is written elsewhere and nothing is thrown (%s)",
  async (mode) => {
    const outside = temporaryDirectory();
    const standing: readonly ((root: string) => void)[] = [
      (root) => fs.symlinkSync(outside, join(root, ".belay")),
      (root) => fs.symlinkSync("/etc", join(root, ".belay")),
      (root) => writeFiles(root, { ".belay": "a file" }),
      (root) => execFileSync("mkfifo", [join(root, ".belay")]),
      (root) => {
        fs.mkdirSync(join(root, ".belay"));
        fs.symlinkSync(join(outside, "target"), join(root, NOTE));
      },
      (root) => {
        fs.mkdirSync(join(root, ".belay"));
        execFileSync("mkfifo", [join(root, NOTE)]);
      },
      (root) => fs.mkdirSync(join(root, NOTE), { recursive: true }),
    ];
    const { workspace, base } = await prepared(mode);
    const { root } = workspace;
    for (const stand of standing) {
      stand(root);
      const before = filesOf(root);
      expect(await workspace.note(TEXT)).toMatchObject({ refused: expect.stringMatching(/^\.belay/) as string });
      expect(filesOf(root)).toEqual(before);
      expect(fs.readdirSync(outside)).toEqual([]);
      fs.rmSync(join(root, ".belay"), { recursive: true });
    }
    expect(await workspace.note(TEXT)).toBe("written");

    fs.chmodSync(join(root, ".belay"), 0);
    const end = await workspace.note("closed");
    // Who may do everything is not kept out by a mode.
    if (process.geteuid?.() === 0) expect(end).toBe("written");
    else expect(end).toMatchObject({ refused: expect.stringContaining("EACCES") as string });
    fs.chmodSync(join(root, ".belay"), 0o755);

    // What a write that was killed left is nobody's work, and goes with the next one.
    const left = ".belay/.belay-0123456789abcdef.tmp";
    writeFiles(root, { [left]: NOTE_MARK.slice(0, 9) });
    expect((await workspace.snapshot()).tree).toBe(base);
    expect(userGitIn(root)).toBe("");
    await workspace.note("again");
    expect(fs.existsSync(join(root, left))).toBe(false);
  },
);

it.each([".belay/\n", "CONTINUITY.md\n.gitignore\n"])(
  "a call that was cut off did not change it where the project ignores it, too: %j",
  async (ignore) => {
    const { workspace } = await prepared("clone", { "a.txt": "a\n", ".gitignore": ignore });
    await workspace.note("before");
    await workspace.snapshot();
    const mark = workspace.markFileClock();
    await mark.passed;
    await workspace.note("after");
    expect(await workspace.untrackedChangedSince(mark.at_ms, 10)).toEqual([]);
  },
);

it("a place for a cover becomes the note's directory without being taken away", async () => {
  const { workspace, base } = await prepared("clone");
  const place = join(workspace.root, ".belay");
  new Placeholders("own").hold([place]);
  const { ino } = fs.statSync(place);
  expect(await workspace.note(TEXT)).toBe("written");
  expect(fs.statSync(place).ino).toBe(ino);
  expect((await workspace.snapshot()).tree).toBe(base);
});

it("a note that somebody committed is part of the project: it is neither changed nor delivered", async () => {
  const { workspace, base, read } = await prepared("clone", { "a.txt": "a\n", [NOTE]: `${NOTE_MARK}\nold\n` });
  expect(await workspace.note(TEXT)).toEqual({ refused: "git of the project tracks .belay/CONTINUITY.md" });
  expect(read(NOTE)).toBe(`${NOTE_MARK}\nold\n`);
  expect((await workspace.snapshot()).tree).toBe(base);
});

it("in the user's own tree a team's ignore file that would show the note keeps it away; in belay's own it does not matter", async () => {
  const team = { "a.txt": "a\n", ".belay/.gitignore": "settings.local.json\n" };
  const inPlace = await prepared("in_place", team);
  expect(await inPlace.workspace.note(TEXT)).toMatchObject({
    refused: expect.stringContaining("does not name CONTINUITY.md") as string,
  });
  expect(userGitIn(inPlace.source)).toBe("");
  writeFiles(inPlace.source, { ".belay/.gitignore": "settings.local.json\nCONTINUITY.md\n" });
  expect(await inPlace.workspace.note(TEXT)).toBe("written");
  expect(userGitIn(inPlace.source)).toBe(" M .belay/.gitignore\n");
  const clone = await prepared("clone", team);
  expect(await clone.workspace.note(TEXT)).toBe("written");
  expect(userGitIn(clone.workspace.root)).toBe("");
});

it("the user's repository is byte for byte the same with it, and neither a merge nor an apply carries it", async () => {
  const { workspace, base, source } = await prepared("clone");
  const before = manifestOf(source);
  await workspace.note(TEXT);
  writeFiles(workspace.root, { "a.txt": "work\n" });
  const { tree } = await workspace.snapshot();
  expect(manifestOf(source)).toEqual(before);
  expect((await workspace.apply({ base, tree, message: "m" })).files).toEqual(["a.txt"]);
  userGit(source, "checkout", "-q", "--", ".");
  expect((await workspace.merge({ base, tree, message: "m" })).files).toEqual(["a.txt"]);
  expect(fs.existsSync(join(source, ".belay"))).toBe(false);
});

it("a session after one that worked in place does not take the old note for the project's", async () => {
  const first = await prepared("in_place");
  await first.workspace.note("first");
  const again = await prepare(first.source, { mode: "in_place" });
  expect(again.base).toBe(first.base);
  expect(await again.workspace.note("second")).toBe("written");
  const clone = await prepare(first.source);
  expect(clone.base).toBe(first.base);
  expect(fs.existsSync(join(clone.workspace.root, ".belay"))).toBe(false);
});

function userGitIn(root: string): string {
  return fs.existsSync(join(root, ".git")) ? userGit(root, "status", "--porcelain") : "";
}
