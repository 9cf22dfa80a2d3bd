/** Files that tell agents, and tools, of later sessions what to do. By their names alone, at any depth. */
import { foldedNames } from "../../kernel/folded-path.ts";
import { isProtectedPath } from "../../kernel/protected-paths.ts";

const INSTRUCTIONS = /^(?:agents|claude|gemini)(?:\.local|\.override)?\.md$/;
const OF_EDITORS: ReadonlySet<string> = new Set([".cursorrules", ".windsurfrules", ".clinerules", ".goosehints"]);
const DIRECTORIES: ReadonlySet<string> = new Set([".cursor", ".windsurf", ".codex", ".gemini", ".agents", ".continue"]);

/** @param path relative to the workspace or absolute, with `/` or `\` */
export function isInstructionFile(path: string): boolean {
  if (isProtectedPath(path)) return true;
  const names = foldedNames(path);
  const name = names.at(-1) ?? "";
  if (INSTRUCTIONS.test(name) || OF_EDITORS.has(name) || names.some((one) => DIRECTORIES.has(one))) return true;
  return names.at(-2) === ".github" && name === "copilot-instructions.md";
}
