/** The loader: whose a file is, what git says of it, and whether these bytes were trusted. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGitFacts } from "../../../src/cli/git-facts.ts";
import { type Loaded, loadFiles, type Place } from "../../../src/extension/load.ts";
import { findRepository } from "../../../src/workspace/prepare/source.ts";
import { repositoryWith, temporaryDirectory, userGit, writeFiles } from "../workspace/given.ts";

const place = (root: string, path: string, origin: Place["origin"]): Place => ({
  kind: "settings",
  origin,
  root,
  path,
  shown: path,
  bytes_max: 1_000,
});
const NOBODY = { git: null, trusted: () => false };

async function localOf(
  top: string,
  path = ".claude/settings.local.json",
): Promise<Loaded["files"][number] | undefined> {
  const repository = findRepository(top);
  const git = repository === null ? null : createGitFacts(repository);
  const { files } = await loadFiles([place(top, path, "local")], { ...NOBODY, git });
  return files[0];
}

describe("a local file", () => {
  it("is local while git only ignores it, and the repository's once it is tracked", async () => {
    const top = repositoryWith({ ".gitignore": "*.local.json\n" });
    writeFiles(top, { ".claude/settings.local.json": "{}" });
    expect(await localOf(top)).toMatchObject({ origin: "local", tracked: false, ignored: true });
    userGit(top, "add", "-f", ".claude/settings.local.json");
    expect(await localOf(top)).toMatchObject({ origin: "project", tracked: true, ignored: false });
  });

  it("is the repository's behind a tracked link, in a tracked directory of another case, and in a submodule", async () => {
    const linked = repositoryWith({ "config/settings.local.json": "{}" });
    fs.symlinkSync("config", join(linked, ".claude"));
    userGit(linked, "add", "-A");
    expect(await localOf(linked)).toMatchObject({ origin: "project", tracked: true });

    const cased = repositoryWith({ ".Claude/Settings.local.json": "{}" });
    writeFiles(cased, { ".claude/settings.local.json": "{}" });
    expect(await localOf(cased)).toMatchObject({ origin: "project" });

    const outer = repositoryWith({ "a.txt": "a" });
    userGit(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", cased, ".claude");
    fs.renameSync(join(outer, ".claude/.Claude/Settings.local.json"), join(outer, ".claude/settings.local.json"));
    expect(await localOf(outer)).toMatchObject({ origin: "project", tracked: true });
  });

  it("is the repository's where git cannot say, and local where there is no repository", async () => {
    const top = repositoryWith({ "a.txt": "a" });
    writeFiles(top, { ".claude/settings.local.json": "{}", ".git/config": "[core\n" });
    expect(await localOf(top)).toMatchObject({ origin: "project", tracked: null, ignored: null });
    const plain = temporaryDirectory();
    writeFiles(plain, { ".claude/settings.local.json": "{}" });
    expect(await localOf(plain)).toMatchObject({ origin: "local", tracked: null });
  });
});

describe("the loader", () => {
  it("trusts what is the machine's and the user's, and of a repository only the very bytes that were trusted", async () => {
    const top = temporaryDirectory();
    writeFiles(top, { a: "one", b: "two" });
    const places = [
      place(top, "a", "managed"),
      place(top, "a", "user"),
      place(top, "a", "project"),
      place(top, "b", "project"),
    ];
    const { files: before } = await loadFiles(places, NOBODY);
    expect(before.map(({ trusted }) => trusted)).toEqual([true, true, false, false]);
    const hash = before[2]?.hash ?? "";
    const { files } = await loadFiles(places, {
      git: null,
      trusted: (file) => file.path === "a" && file.hash === hash,
    });
    expect(files.map(({ trusted }) => trusted)).toEqual([true, true, true, false]);
  });

  it("leaves out what is not there, and names what is there and cannot be known", async () => {
    const top = temporaryDirectory();
    execFileSync("mkfifo", [join(top, "pipe")]);
    fs.symlinkSync(dirname(top), join(top, "out"));
    const { files, refused } = await loadFiles(
      ["none", "pipe", "out/x"].map((path) => place(top, path, "project")),
      NOBODY,
    );
    expect(files).toEqual([]);
    expect(refused).toEqual([
      { path: "pipe", absolute: join(top, "pipe"), kind: "settings", origin: "project", why: "it is no file" },
      {
        path: "out/x",
        absolute: join(top, "out/x"),
        kind: "settings",
        origin: "project",
        why: "it leads out of the directory",
      },
    ]);
  });
});
