/** Finds the few programs that belay itself starts. System directories come first, so that a project cannot supply them. */
import { accessSync, constants } from "node:fs";
import { isAbsolute, join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { isUnreadable } from "./table.ts";

const SYSTEM_DIRECTORIES = ["/usr/bin", "/bin", "/usr/local/bin", "/run/current-system/sw/bin"] as const;

/** Absolute path of a program, or null. @param path a PATH; its relative entries are not looked at */
export function findProgram(name: string, path = ""): string | null {
  const directories = [...SYSTEM_DIRECTORIES, ...path.split(":").filter(isAbsolute)];
  return directories.map((directory) => join(directory, name)).find(isExecutable) ?? null;
}

/** @throws `process_failed` */
export function requireBash(path: string): string {
  const bash = findProgram("bash", path);
  if (bash !== null) return bash;
  throw new HarnessError("process_failed", "Commands run in bash, and bash was not found.", "Install bash.");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (isUnreadable(error)) return false;
    throw error;
  }
}
