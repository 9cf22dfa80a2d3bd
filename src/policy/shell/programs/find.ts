/** find: where it starts, its tests, and what it does with what it finds. */
import type { KnownProgram, PathUse, ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { known, pathOf, withBeyond } from "./interpret.ts";
import { notListed } from "./scan.ts";
import { tokensOf } from "./table.ts";
import { isOneWord, isOperand } from "./words.ts";

const ALONE = new Set(
  tokensOf(`-H -L -P -O0 -O1 -O2 -O3 ! ( ) , -a -and -o -or -not -true -false -print -print0 -ls -prune -quit -depth -d -daystart
    -follow -noleaf -mount -xdev -empty -nouser -nogroup -readable -writable -executable -warn -nowarn
    -ignore_readdir_race -noignore_readdir_race --help -help --version -version -E -x -X -s`),
);
/** With one value that is no file. */
const VALUED = new Set(
  tokensOf(`-name -iname -path -ipath -wholename -iwholename -regex -iregex -regextype -lname -ilname -type -xtype -maxdepth
    -mindepth -size -mtime -atime -ctime -mmin -amin -cmin -used -perm -user -group -uid -gid -links -inum -fstype -printf -context`),
);
/** With one file that is looked at. */
const FILES = new Set(tokensOf("-newer -anewer -cnewer -samefile"));
const NEWER = /^-newer[aBcm][aBcmt]$/;
const RUNS = new Set(tokensOf("-exec -execdir -ok -okdir"));
const WRITES = new Set(tokensOf("-fprint -fprint0 -fls"));

interface Findings {
  readonly starts: ShellWord[];
  readonly paths: PathUse[];
  readonly runs: (readonly ShellWord[])[];
  beyond: string | null;
  deletes: boolean;
}

export function readFind(words: readonly ShellWord[]): ProgramReading {
  const found: Findings = { starts: [], paths: [], runs: [], beyond: null, deletes: false };
  for (let at = 0; at < words.length;) {
    const word = words[at];
    if (word === undefined) break;
    const length = readTerm(words, at, found);
    if (typeof length === "string") return notListed(word, length);
    at += length;
  }
  const access = found.deletes ? "write" : "read";
  const starts: readonly PathUse[] =
    found.starts.length > 0 ? found.starts.map((word) => pathOf(word, access)) : [{ path: ".", access, plain: true }];
  const paths = [...starts, ...found.paths];
  const effect: KnownProgram["effect"] = paths.some((path) => path.access === "write") ? "write" : "read";
  return withBeyond(known({ effect, paths, runs: found.runs }), found.beyond);
}

/** How many words the term has, or why it is refused. */
function readTerm(words: readonly ShellWord[], at: number, found: Findings): number | string {
  const word = words[at];
  if (word === undefined) return 1;
  const { text } = word;
  if (!word.plain) {
    if (!isOperand(word)) return "It could expand to any test or action.";
    found.starts.push(word);
    return 1;
  }
  if (ALONE.has(text)) return 1;
  if (text === "-delete") {
    found.deletes = true;
    found.beyond ??= text;
    return 1;
  }
  if (RUNS.has(text)) return readRun(words, at, found);
  if (takesValue(text)) return readValued(text, words[at + 1], found);
  if (/^[-!()]/.test(text)) return "This test or action is not on the list.";
  found.starts.push(word);
  return 1;
}

function takesValue(text: string): boolean {
  return VALUED.has(text) || FILES.has(text) || WRITES.has(text) || NEWER.test(text);
}

function readValued(text: string, value: ShellWord | undefined, found: Findings): number | string {
  if (value === undefined) return `${text} needs a value.`;
  if (!isOneWord(value)) return `The value of ${text} may become several words.`;
  if (FILES.has(text) || (NEWER.test(text) && !text.endsWith("t"))) found.paths.push(pathOf(value, "read"));
  if (WRITES.has(text)) {
    found.paths.push(pathOf(value, "write"));
    found.beyond ??= text;
  }
  return 2;
}

/** `-exec command … ;` and `-exec command … {} +`. What replaces `{}` is known only when it runs. */
function readRun(words: readonly ShellWord[], at: number, found: Findings): number | string {
  let end = at + 1;
  for (; end < words.length; end += 1) {
    const text = words[end]?.text;
    if (text === ";" || (text === "+" && words[end - 1]?.text === "{}")) break;
  }
  if (end >= words.length) return "The command does not end.";
  const command = words.slice(at + 1, end);
  if (command.length === 0) return "There is no command.";
  if (command.some((word) => !isOneWord(word) && word.text !== "{}"))
    return "A word of the command may become several.";
  if (words[at]?.text.endsWith("dir") === true) return "It runs a command in every directory that it comes to.";
  // A found path begins as the start does, so where no start can be an option no found path is one.
  found.runs.push(
    command.map((word) =>
      word.text.includes("{}") ? { text: word.text.replace(/^\{\}/, "./{}"), plain: false } : word,
    ),
  );
  return end - at + 1;
}
