/** Programs that read everything below a directory, by their options. */
import type { SimpleCommand } from "../shell/reading.ts";

const GREPS: ReadonlySet<string> = new Set(["grep", "egrep", "fgrep", "zgrep", "diff", "cp", "ugrep"]);
const HIDDEN_TOO: ReadonlySet<string> = new Set(["rg", "ag", "ack", "fd"]);
const ALWAYS: ReadonlySet<string> = new Set(["tar", "zip", "rsync", "scp", "7z", "bsdtar", "cpio"]);

export function readsBelow({ words }: SimpleCommand): boolean {
  const [program = "", ...options] = words.map(({ text }) => text);
  if (ALWAYS.has(program)) return true;
  if (GREPS.has(program))
    return options.some(
      (word) =>
        /^-[A-Za-z]*[rRa]/.test(word) ||
        /^--(?:recursive|dereference-recursive|archive|directories=recurse)/.test(word),
    );
  if (HIDDEN_TOO.has(program))
    return options.some(
      (word) => /^-[A-Za-z]*[uU.]/.test(word) || /^--(?:hidden|unrestricted|no-ignore|all-types)/.test(word),
    );
  return false;
}
