/** Command lines of tests as words, each read as the shell's reader does. */
import type { ProgramReading } from "../../../../../src/policy/shell/program.ts";
import type { ShellWord } from "../../../../../src/policy/shell/reading.ts";
import { readProgram } from "../../../../../src/policy/shell/programs/read-program.ts";
import { readWord } from "../../../../../src/policy/shell/words.ts";

const WORD = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\([^)]*\)|[^\s'"\\])+/g;

export function wordsOf(line: string): readonly ShellWord[] {
  return (line.match(WORD) ?? []).map(readWord);
}

export function read(line: string): ProgramReading {
  return readProgram(wordsOf(line));
}

/** The paths of a reading, as `read a` and `write b`; a question mark where the name is not certain. */
export function pathsOf(reading: ProgramReading): readonly string[] {
  const known = reading.kind === "not_listed" ? reading.understood : reading.kind === "known" ? reading : null;
  return (known?.paths ?? []).map(({ access, path, plain }) => `${access} ${path}${plain ? "" : "?"}`);
}

/** Lines of a table, without blank ones and comments; `⏎` is a newline within one. */
export function lines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replaceAll("⏎", "\n"));
}
