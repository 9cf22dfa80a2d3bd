/** fd: its options, and the command that it runs for what it finds. */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { interpret } from "./interpret.ts";
import { notListed } from "./scan.ts";
import type { ProgramTable } from "./table.ts";

const FD: ProgramTable = {
  options: `-[HIugsiFaLp0l1qhV] -d=number -e=text -E=text -t=text -S=text -o=text -j=number -c=text --hidden --no-ignore
    --no-ignore-vcs --no-ignore-parent --unrestricted --glob --regex --case-sensitive --ignore-case --fixed-strings
    --absolute-path --follow --full-path --print0 --max-depth=number --min-depth=number --exact-depth=number
    --extension=text --exclude=text --type=text --size=text --changed-within=text --changed-before=text --owner=text
    --threads=number --color=text --max-results=number --quiet --show-errors --strip-cwd-prefix --one-file-system
    --ignore-file=read --search-path=read --base-directory=read --path-separator=text --and=text --prune --help --version`,
  operands: "text read*",
  where_none: ".",
};
const RUNS: ReadonlySet<string> = new Set(["-x", "-X", "--exec", "--exec-batch"]);

export function readFd(words: readonly ShellWord[]): ProgramReading {
  const at = words.findIndex((word) => RUNS.has(word.text));
  if (at === -1) return interpret(words, FD);
  const own = interpret(words.slice(0, at), FD);
  // Behind `--` it would be a pattern; then what follows is read by nobody's rule.
  if (own.kind !== "known" || words.slice(0, at).some(({ text }) => text === "--")) {
    return own.kind === "not_listed" ? own : notListed(words[at] ?? "", "It is not certain whether it runs a command.");
  }
  const behind = words.slice(at + 1);
  const end = behind.findIndex(({ text }) => text === ";");
  if (end !== -1 && end < behind.length - 1) return notListed(behind[end + 1] ?? "", "More stands behind the command.");
  const command = end === -1 ? behind : behind.slice(0, end);
  if (command.length === 0) return notListed(words[at] ?? "", "There is no command.");
  const placed = command.map((word) => (word.text.includes("{") ? { text: word.text, plain: false } : word));
  const runs = placed.some((word, n) => word !== command[n]) ? placed : [...placed, { text: "{}", plain: false }];
  return { ...own, runs: [runs] };
}
