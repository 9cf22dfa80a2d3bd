/**
 * Without root's rights: records a workspace, closes directories and a file of it, and sets it back. Prints what is there
 * then: `closed-child.ts SOURCE DIRECTORY UID`.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { createWorkspaces } from "../../../src/workspace/workspaces.ts";

const [source = "", directory = "", uid = ""] = process.argv.slice(2);
if (process.getuid?.() === 0) {
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}
const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
const workspaces = createWorkspaces({ git: { path: process.env["PATH"] ?? "", locale: "C.UTF-8" }, clock });
const signal = new AbortController().signal;
const request = { mode: "clone", source, directory, base: null, branch: "belay/ses_test", signal } as const;
const { workspace } = await workspaces.prepare(request);
const { root } = workspace;
const { tree } = await workspace.snapshot();
fs.mkdirSync(join(root, "new/inner"), { recursive: true });
fs.writeFileSync(join(root, "new/inner/file"), "new");
for (const path of ["new/inner/file", "new/inner", "new", "a.txt", "kept"]) fs.chmodSync(join(root, path), 0);
fs.chmodSync(root, 0);
const left_out = (await workspace.snapshot()).left_out.map(({ why, paths }) => ({ why, paths }));
await workspace.restore(tree);
const names = fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => !name.startsWith(".git"));
const reached = (await workspace.snapshot()).tree === tree;
console.log(
  JSON.stringify({ left_out, reached, names: names.sort(), text: fs.readFileSync(join(root, "a.txt"), "utf8") }),
);
await workspace.remove();
