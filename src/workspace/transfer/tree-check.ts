/**
 * Looks at trees that came from elsewhere before any of them is written to a disk. A tree is names and sizes that somebody
 * else chose: names that lead out of a directory or into `.git` are refused, and so is more than a workspace may hold.
 */
import { HarnessError } from "../../kernel/harness-error.ts";
import { type BytePath, namesOf, splitNul, textOf } from "../byte-path.ts";
import type { Git } from "../git/git.ts";
import { decodeManifest, MANIFEST_NAME } from "../snapshot/manifest.ts";
import {
  EMPTY_TREE,
  MODE_DIRECTORY,
  MODE_EXECUTABLE,
  MODE_FILE,
  MODE_LINK,
  MODE_SUBMODULE,
  type ObjectName,
  readBlob,
} from "../git/objects.ts";
import type { ShadowPlace } from "../snapshot/shadow.ts";
import type { WorkspaceLimits } from "../workspace-limits.ts";

/** What one tree may hold unpacked. Bytes. */
export const TREE_BYTES_MAX: number = 8 * 1024 * 1024 * 1024;
/** A manifest names modes and empty directories. Bytes. */
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;
/** What a link may name. Bytes; that of the kernel. */
const LINK_BYTES_MAX = 4_096;

const MODES: readonly string[] = [MODE_FILE, MODE_EXECUTABLE, MODE_LINK, MODE_SUBMODULE, MODE_DIRECTORY];
const LINE = /^(\d{6}) \w+ ([0-9a-f]{40}) +(-|\d+)\t([^]*)$/;

/** Throws `archive_invalid` when a tree is not whole or not safe. */
export async function requireSafeTrees(
  git: Git,
  place: ShadowPlace,
  trees: readonly string[],
  limits: WorkspaceLimits,
): Promise<void> {
  const wanted = [...new Set(trees)].filter((tree) => tree !== EMPTY_TREE);
  await requireWhole(git, place, wanted);
  for (const tree of wanted) await requireSafe(git, place, tree, limits);
}

async function requireWhole(git: Git, place: ShadowPlace, trees: readonly string[]): Promise<void> {
  if (trees.length === 0) return;
  const input = Buffer.from(`${trees.join("\n")}\n`);
  const args = ["rev-list", "--objects", "--quiet", "--stdin"];
  const { code } = await git({ repository: place, args, input, codes: [1, 128] });
  if (code !== 0) throw invalid("Objects of the session's files are missing.");
}

async function requireSafe(git: Git, place: ShadowPlace, tree: string, limits: WorkspaceLimits): Promise<void> {
  const { output } = await git({ repository: place, args: ["ls-tree", "-r", "-t", "-l", "-z", tree] });
  let files = 0;
  let bytes = 0;
  for (const line of splitNul(output)) {
    const [, mode = "", object = "", size = "", path = ""] = LINE.exec(line) ?? [];
    const at = path as BytePath; // a part of a byte path is one
    requireSafePath(at);
    if (!MODES.includes(mode)) throw invalid(`"${textOf(at)}" has the mode ${mode}.`);
    if (mode === MODE_LINK && Number(size) > LINK_BYTES_MAX) throw invalid(`The link "${textOf(at)}" is too long.`);
    if (path === MANIFEST_NAME) await requireSafeManifest(git, place, object, Number(size));
    files += mode === MODE_DIRECTORY ? 0 : 1;
    bytes += size === "-" ? 0 : Number(size);
    if (Number(size) > limits.file_bytes) throw invalid(`"${textOf(at)}" has ${size} bytes.`);
  }
  // One for the manifest. Where a session began with more files than snapshots are taken of, it has no trees to go on from.
  if (files > limits.files + 1) throw invalid(`Its files are more than ${limits.files}.`);
  if (bytes > TREE_BYTES_MAX) throw invalid(`Its files have more than ${TREE_BYTES_MAX} bytes.`);
}

async function requireSafeManifest(git: Git, place: ShadowPlace, object: ObjectName, size: number): Promise<void> {
  if (size > MANIFEST_BYTES_MAX) throw invalid("Its list of modes is too large.");
  const { files, directories } = decodeManifest(await readBlob(git, place, object));
  for (const path of [...files.keys(), ...directories.keys()]) requireSafePath(path);
  const bits = [...files.values(), ...directories.values()];
  if (bits.some((mode) => mode !== null && !(mode >= 0 && mode <= 0o7777)))
    throw invalid("Its list of modes is damaged.");
}

function requireSafePath(path: BytePath): void {
  const unsafe = namesOf(path).some((name) => ["", ".", ".."].includes(name) || name.toLowerCase() === ".git");
  if (unsafe || path === "" || path.includes("\0")) throw invalid(`It holds the path "${textOf(path)}".`);
}

function invalid(what: string): HarnessError {
  return new HarnessError(
    "archive_invalid",
    `The files of the session cannot be used. ${what}`,
    "Nothing was stored; export the session again where it is.",
  );
}
