/**
 * What a simple command's program would do with its words. One entry for all programs that have a list.
 *
 * RP1: `known` only where every word that could be an option is on the program's list.
 * RP2: `read` changes nothing, starts nothing and speaks to nobody, whatever the operands are.
 * RP3: every file that an operand or an option names is in `paths`; what is not certain is there as not plain.
 */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { readAwk } from "./awk.ts";
import { readDeveloperTool, readThroughRunner } from "./developer-tools.ts";
import { readFd } from "./fd.ts";
import { FILE_PROGRAMS } from "./file-programs.ts";
import { readFind } from "./find.ts";
import { readGit } from "./git.ts";
import { interpret, known } from "./interpret.ts";
import { readDownload } from "./network-programs.ts";
import { readNpx, readPackageManager } from "./package-managers.ts";
import { notListed } from "./scan.ts";
import { readSed } from "./sed.ts";
import { readCd, readCondition, readDd, readJq, readLn, readPrintf, readTest, readYq } from "./small-programs.ts";
import { RUNS_FROM_WITHIN, SYSTEM_PROGRAMS, TEXT_ONLY, VERSION_WORDS } from "./system-programs.ts";
import type { ProgramTable } from "./table.ts";
import { readTar } from "./tar.ts";
import { TEXT_PROGRAMS } from "./text-programs.ts";
import { settled } from "./words.ts";
import { readXargs } from "./xargs.ts";

/** More words than this are not read. */
const WORDS_MAX = 10_000;

const TABLES: Readonly<Record<string, ProgramTable>> = { ...TEXT_PROGRAMS, ...FILE_PROGRAMS, ...SYSTEM_PROGRAMS };

type Reader = (words: readonly ShellWord[]) => ProgramReading;

const READERS: Readonly<Record<string, Reader>> = {
  awk: readAwk,
  gawk: readAwk,
  mawk: readAwk,
  nawk: readAwk,
  sed: readSed,
  gsed: readSed,
  find: readFind,
  fd: readFd,
  fdfind: readFd,
  xargs: readXargs,
  tar: readTar,
  git: readGit,
  jq: readJq,
  yq: readYq,
  ln: readLn,
  dd: readDd,
  cd: readCd,
  test: readTest,
  "[": readTest,
  "[[": readCondition,
  printf: readPrintf,
  npx: readNpx,
  npm: (words) => readPackageManager("npm", words),
  pnpm: (words) => readPackageManager("pnpm", words),
  yarn: (words) => readPackageManager("yarn", words),
  cargo: (words) => readPackageManager("cargo", words),
  go: (words) => readPackageManager("go", words),
  curl: (words) => readDownload("curl", words),
  wget: (words) => readDownload("wget", words),
};

/** `words`: the program first. */
export function readProgram(words: readonly ShellWord[]): ProgramReading {
  const [program, ...rest] = words.map(settled);
  if (program === undefined) return { kind: "no_list" };
  if (!program.plain) return notListed(program, "Which program runs is known only then.");
  if (words.length > WORDS_MAX) return notListed(program, "It has too many words to be read.");
  const name = program.text.slice(program.text.lastIndexOf("/") + 1);
  const reading = readNamed(name, rest);
  if (name === program.text || reading.kind !== "known") return reading;
  // The name is one that is known, but which program stands at that path is not.
  return { ...reading, effect: "execute" };
}

function readNamed(name: string, rest: readonly ShellWord[]): ProgramReading {
  if (TEXT_ONLY.has(name)) return known({ effect: "read" });
  if (RUNS_FROM_WITHIN.has(name)) return notListed(name, "It runs commands from within.");
  const tool = readDeveloperTool(name, rest) ?? readThroughRunner(name, rest);
  if (tool !== null) return tool;
  if (Object.hasOwn(VERSION_WORDS, name)) {
    const only = rest.length === 1 && rest[0]?.plain === true ? rest[0].text : "";
    return VERSION_WORDS[name]?.includes(only) === true ? known({ effect: "read" }) : { kind: "no_list" };
  }
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (reader !== undefined) return reader(rest);
  const table = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined;
  return table === undefined ? { kind: "no_list" } : interpret(rest, table);
}
