/** Places for covers are nobody's work: no snapshot has them, and what looks like one is removed only when it is one. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isPlaceholder, Placeholders } from "../../../src/workspace/sandbox/placeholders.ts";
import { prepare, repositoryWith, temporaryDirectory } from "./given.ts";

it("no snapshot has them, and a restore leaves them", async () => {
  const { workspace } = await prepare(repositoryWith({ a: "1" }));
  const before = await workspace.snapshot();
  const paths = [".claude", ".mcp.json"].map((name) => join(workspace.root, name));
  new Placeholders("own").hold(paths);
  expect((await workspace.snapshot()).tree).toBe(before.tree);
  writeFileSync(join(workspace.root, "b"), "2");
  await workspace.restore(before.tree);
  expect(paths.map(isPlaceholder)).toEqual([true, true]);
  mkdirSync(join(workspace.root, ".vscode"));
  expect((await workspace.snapshot()).tree).not.toBe(before.tree);
});

it("a call that was cut off did not change them", async () => {
  const { workspace } = await prepare(repositoryWith({ a: "1", ".gitignore": ".vscode\n" }));
  await workspace.snapshot();
  const mark = workspace.markFileClock();
  await mark.passed;
  rmSync(join(workspace.root, ".git/hooks"), { recursive: true, force: true });
  new Placeholders("own").hold([".git/hooks", ".vscode"].map((name) => join(workspace.root, name)));
  expect(await workspace.untrackedChangedSince(mark.at_ms, 10)).toEqual([]);
  chmodSync(join(workspace.root, ".vscode"), 0o755);
  expect(await workspace.untrackedChangedSince(mark.at_ms, 10)).toEqual([".vscode"]);
});

it("a mark hides nothing: neither what is in a directory, nor one of another name, nor that a file is gone", async () => {
  const { workspace } = await prepare(repositoryWith({ a: "1", ".mcp.json": "{}" }));
  const { root } = workspace;
  const before = await workspace.snapshot();
  const seen = async (): Promise<boolean> => {
    const { tree } = await workspace.snapshot();
    const changed = tree !== before.tree;
    await workspace.restore(before.tree);
    return changed && (await workspace.snapshot()).tree === before.tree;
  };
  mkdirSync(join(root, ".claude"));
  writeFileSync(join(root, ".claude/settings.json"), "{}");
  chmodSync(join(root, ".claude"), 0o1555);
  expect(await seen()).toBe(true);
  expect(existsSync(join(root, ".claude/settings.json"))).toBe(false);
  for (const name of ["other", "below/.claude"]) {
    mkdirSync(join(root, name), { recursive: true });
    chmodSync(join(root, name), 0o1555);
    expect(await seen()).toBe(true);
  }
  rmSync(join(root, ".mcp.json"));
  mkdirSync(join(root, ".mcp.json"));
  chmodSync(join(root, ".mcp.json"), 0o1555);
  expect(await seen()).toBe(true);
  expect(readFileSync(join(root, ".mcp.json"), "utf8")).toBe("{}");
});

it("in the user's tree the last command that stands on one takes it away, and nothing else", () => {
  const root = temporaryDirectory();
  const [mine, theirs, filled] = ["mine", "theirs", "filled"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]; // three names
  mkdirSync(theirs);
  const places = new Placeholders("users");
  const first = places.hold([mine, theirs, filled]);
  const second = places.hold([mine, theirs, filled]);
  chmodSync(filled, 0o755);
  writeFileSync(join(filled, "file"), "");
  chmodSync(filled, 0o1555);
  places.release(first);
  expect(existsSync(mine)).toBe(true);
  places.release(second);
  expect([mine, theirs, filled].map((path) => existsSync(path))).toEqual([false, true, true]);
});
