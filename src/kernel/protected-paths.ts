/**
 * Paths of a workspace that make other programs do something: hooks and settings of git, of agents and of editors, rc files of
 * shells. Nothing that the agent does may write them without being asked about, however the name is spelt.
 */
import { foldedNames } from "./folded-path.ts";

/** Protected with everything below them. */
const DIRECTORIES: readonly string[] = [".claude", ".belay", ".vscode", ".idea"];
const FILES: readonly string[] = [
  ...[".mcp.json", ".gitmodules", ".gitconfig", ".ripgreprc", ".envrc"],
  ...[".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile"],
  ...[".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout"],
];
/** Of a repository: a way for git to run a program. */
const IN_GIT: readonly string[] = ["hooks", "config", "config.worktree", "commondir", "info/attributes"];

const ANYWHERE: ReadonlySet<string> = new Set([...DIRECTORIES, ...FILES]);

/**
 * What commands find read-only at the top of a workspace, there or not. The rest of the table is what tools and deliveries are
 * judged by: a cover for a file that no project has is not worth its name in every listing.
 */
export const COVERED_PATHS: readonly string[] = [
  ".git/hooks",
  ".git/config",
  ".claude",
  ".belay",
  ".mcp.json",
  ".vscode",
  ".idea",
  ".gitmodules",
  ".gitconfig",
  ".ripgreprc",
  ".bashrc",
  ".zshrc",
  ".profile",
  ".bash_profile",
  ".envrc",
];

/** At any depth. @param relative to the workspace, with `/` or `\` */
export function isProtectedPath(relative: string): boolean {
  const names = foldedNames(relative);
  if (names.some((name) => ANYWHERE.has(name))) return true;
  const git = names.lastIndexOf(".git");
  if (git < 0) return false;
  const below = names.slice(git + 1).join("/");
  // `.git` itself: whoever replaces it has replaced its hooks.
  return below === "" || IN_GIT.some((path) => below === path || below.startsWith(`${path}/`)) || isNestedGit(below);
}

/** Of a submodule or a linked worktree, which have hooks and settings of their own. */
function isNestedGit(below: string): boolean {
  return /^(?:modules|worktrees)\/.*(?:^|\/)(?:hooks|config|config\.worktree)(?:\/|$)/.test(below);
}
