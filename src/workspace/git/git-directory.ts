/**
 * Git directories of belay's own, written as plain files: no template, no hook, no remote, and a configuration that says
 * nothing but what it must. `git init` would read templates and settings from elsewhere.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * Bytes stay bytes: this outranks every `.gitattributes` of a tree. `diff` is back to "look at the bytes", so that nobody
 * hides a change by calling it binary.
 */
const NEUTRAL_ATTRIBUTES = "* -text -crlf -eol -filter -ident -working-tree-encoding !diff !merge\n";

const BARE_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n[gc]\n\tauto = 0\n";

/** The agent works with this one: it may commit, under a name that says so, and nothing is packed behind its back. */
const TREE_CONFIG = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
	autocrlf = false
[user]
	name = belay
	email = belay@localhost
[commit]
	gpgsign = false
[gc]
	auto = 0
[advice]
	detachedHead = false
`;

export interface GitDirectory {
  /** Where it is, absolute. */
  readonly path: string;
  readonly kind: "bare" | "tree";
  /** What HEAD names, such as `refs/heads/main`. */
  readonly head: string;
  /** Object stores that it also reads, absolute; written down relative, so that the whole can be moved. */
  readonly alternates: readonly string[];
  /** The content of a `shallow` file; null when history is whole. */
  readonly shallow: Uint8Array | null;
  readonly exclude: Uint8Array | null;
}

export function writeGitDirectory(directory: GitDirectory): void {
  const { path } = directory;
  for (const inner of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"]) {
    mkdirSync(join(path, inner), { recursive: true, mode: 0o700 });
  }
  writeFileSync(join(path, "HEAD"), `ref: ${directory.head}\n`);
  writeFileSync(join(path, "config"), directory.kind === "bare" ? BARE_CONFIG : TREE_CONFIG);
  writeFileSync(join(path, "info/attributes"), NEUTRAL_ATTRIBUTES);
  if (directory.exclude !== null) writeFileSync(join(path, "info/exclude"), directory.exclude);
  if (directory.shallow !== null) writeFileSync(join(path, "shallow"), directory.shallow);
  if (directory.alternates.length > 0) {
    const objects = join(path, "objects");
    const lines = directory.alternates.map((store) => `${relative(objects, store)}\n`);
    writeFileSync(join(objects, "info/alternates"), lines.join(""));
  }
}

/** A reference as a file of its own. `name` has passed `isSafeBranch` or came from git. */
export function writeReference(git_dir: string, name: string, commit: string): void {
  const path = join(git_dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${commit}\n`);
}
