/**
 * Empty directories that the sandbox makes below the workspace, where something protected is missing, so that a cover has
 * something to stand on. They are taken away again, but not while any command still stands on one: removing it here
 * would take the cover away there.
 */
import { rmdirSync } from "node:fs";
import { hasCode } from "../process/table.ts";

/** Not there, not empty (then it is not ours), or not to be removed: all the same to us. */
const LEFT_ALONE = ["ENOENT", "ENOTEMPTY", "ENOTDIR", "EBUSY", "EACCES", "EPERM", "EROFS"] as const;

export class Placeholders {
  readonly #users = new Map<string, number>();

  /** Counts a command as standing on its own and on those of the others, which look to it like the user's. */
  hold(own: readonly string[]): readonly string[] {
    const paths = [...new Set([...own, ...this.#users.keys()])];
    for (const path of paths) this.#users.set(path, (this.#users.get(path) ?? 0) + 1);
    return paths;
  }

  release(paths: readonly string[]): void {
    for (const path of paths) {
      const users = (this.#users.get(path) ?? 1) - 1;
      if (users > 0) this.#users.set(path, users);
      else {
        this.#users.delete(path);
        removeWhenEmpty(path);
      }
    }
  }
}

function removeWhenEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!LEFT_ALONE.some((code) => hasCode(error, code))) throw error;
  }
}
