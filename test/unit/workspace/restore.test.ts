/** W3 as a property: whatever is done after a snapshot, restoring it brings the same files back. */
import { fc } from "../../support/property.ts";
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { isSystemError } from "../../../src/workspace/files/rooted.ts";
import { filesOf, PATH, prepare, repositoryWith, temporaryDirectory } from "./given.ts";

const NAMES = ["a", "b", "sub", "x y", "ü", "q'\"", "n\nl"];

/** The user that owns nothing else. */
const NOBODY = 65_534;

/** What its owner cannot read, without root's rights, is left out and a test of its own. */
const READABLE = 0o500;

type Edit =
  | { readonly do: "write"; readonly path: string; readonly content: string }
  | { readonly do: "remove"; readonly path: string }
  | { readonly do: "directory"; readonly path: string }
  | { readonly do: "link"; readonly path: string }
  | { readonly do: "mode"; readonly path: string; readonly mode: number };

function editsOf(names: readonly string[]): fc.Arbitrary<readonly Edit[]> {
  const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const mode = fc.constantFrom(0o600, 0o644, 0o700, 0o755, 0o044, 0o000, 0o1777);
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("write"), path, content: fc.string({ maxLength: 8 }) }) },
    fc.record({ do: fc.constantFrom("remove", "directory", "link"), path }),
    fc.record({ do: fc.constant("mode"), path, mode }),
  );
  return fc.array(edit, { maxLength: 12 });
}

/** Does it as far as it can be done: without root's rights a closed directory stays as it is. */
function perform(root: string, change: Edit): void {
  try {
    performOpen(root, change);
  } catch (error) {
    if (!isSystemError(error, "EACCES", "EPERM", "ENOTEMPTY")) throw error;
  }
}

/** What stands in the way is removed. */
function performOpen(root: string, change: Edit): void {
  const target = join(root, change.path);
  const names = change.path.split("/").slice(0, -1);
  if (change.do === "mode") {
    if (behindLink(root, names)) return;
    if (fs.lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() === false)
      fs.chmodSync(target, change.mode | READABLE);
    return;
  }
  if (change.do === "remove") {
    if (!behindLink(root, names)) fs.rmSync(target, { recursive: true, force: true });
    return;
  }
  for (let depth = 1; depth <= names.length; depth++) {
    const directory = join(root, ...names.slice(0, depth));
    if (fs.lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
      fs.rmSync(directory, { recursive: true, force: true });
    fs.mkdirSync(directory, { recursive: true });
    fs.chmodSync(directory, fs.statSync(directory).mode | 0o700);
  }
  if (change.do === "directory") {
    if (fs.lstatSync(target, { throwIfNoEntry: false })?.isDirectory() !== true) fs.rmSync(target, { force: true });
    return void fs.mkdirSync(target, { recursive: true });
  }
  fs.rmSync(target, { recursive: true, force: true });
  if (change.do === "link") fs.symlinkSync("../a", target);
  else fs.writeFileSync(target, change.content);
}

function behindLink(root: string, names: readonly string[]): boolean {
  return names.some((_, depth) => {
    const stat = fs.lstatSync(join(root, ...names.slice(0, depth + 1)), { throwIfNoEntry: false });
    return stat?.isDirectory() !== true;
  });
}

function without(root: string, unwanted: (name: string, what: string) => boolean): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(filesOf(root)).filter(([name, what]) => !unwanted(name, what)));
}

const isIgnored = (name: string): boolean => /\.log(\/|$)/.test(name);

/** Runs the property; `shown` is what of the root has to be the same afterwards. */
async function holds(names: readonly string[], shown: (root: string) => unknown): Promise<void> {
  const { workspace } = await prepare(repositoryWith({ a: "a", "sub/b": "b", ".gitignore": "*.log\n" }));
  const { root } = workspace;
  const edits = editsOf(names);
  await fc.assert(
    fc.asyncProperty(edits, edits, async (first, second) => {
      for (const change of first) perform(root, change);
      const { tree } = await workspace.snapshot();
      const before = shown(root);
      for (const change of second) perform(root, change);
      await workspace.restore(tree);
      expect(shown(root)).toEqual(before);
    }),
    { numRuns: 25, interruptAfterTimeLimit: 90_000 },
  );
}

test("random edits, snapshot, more random edits, restore: the first state is back, directories and modes included", async () => {
  await holds(NAMES, (root) => filesOf(root));
}, 300_000);

test("the same with ignored files in between: every file of the scope is back", async () => {
  await holds([...NAMES, "ignored.log"], (root) =>
    without(root, (name, what) => isIgnored(name) || what.endsWith("directory")),
  );
}, 300_000);

test("a root that a command has closed is opened again: it can be recorded and set back", async () => {
  const { workspace } = await prepare(repositoryWith({ "a.txt": "a\n" }));
  const { tree } = await workspace.snapshot();
  fs.writeFileSync(join(workspace.root, "a.txt"), "changed\n");
  fs.chmodSync(workspace.root, 0);
  expect((await workspace.snapshot()).tree).not.toBe(tree);
  fs.chmodSync(workspace.root, 0);
  await workspace.restore(tree);
  expect(fs.readFileSync(join(workspace.root, "a.txt"), "utf8")).toBe("a\n");
  expect(fs.statSync(workspace.root).mode & 0o700).toBe(0o700);
});

test("without root's rights what a command has closed, one inside the other, is opened and set back", () => {
  const repository = repositoryWith({ "a.txt": "a\n", "kept/b.txt": "b\n" });
  const place = temporaryDirectory();
  const owned = [
    place,
    dirname(repository),
    ...fs.readdirSync(dirname(repository), { recursive: true, encoding: "utf8" }),
  ];
  if (process.getuid?.() === 0)
    for (const path of owned) fs.lchownSync(resolve(dirname(repository), path), NOBODY, NOBODY);
  const child = join(import.meta.dirname, "closed-child.ts");
  const words = [child, repository, join(place, "session"), String(NOBODY)];
  const said = execFileSync(process.execPath, words, { encoding: "utf8", env: { PATH } });
  expect(JSON.parse(said)).toEqual({
    left_out: [{ why: "unreadable", paths: ["a.txt", "kept", "kept/b.txt", "new"] }],
    reached: true,
    names: ["a.txt", "kept", "kept/b.txt"],
    text: "a\n",
  });
});
