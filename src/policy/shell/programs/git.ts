/**
 * git: global options, then a subcommand with a list of its own. Only names that git has itself are known; an alias cannot shadow
 * those, and what an alias stands for is not seen.
 *
 * `read` presumes what `GIT_NEUTRAL` pins: without it, a repository's configuration may name programs that looking starts.
 */
import type { KnownProgram, PathUse, ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { GIT_CHANGING, GIT_CHANGING_WORDS } from "./git-changing.ts";
import { GIT_READING, GIT_READING_WORDS } from "./git-reading.ts";
import { globbedSecret } from "./globbed-secret.ts";
import { interpret, known } from "./interpret.ts";
import { notListed, scanWords, valuesOf } from "./scan.ts";
import type { ProgramTable } from "./table.ts";

/** Not `-c`, `--config-env`, `--exec-path`, `-p`, `--git-dir`, `--bare`: they bring configuration and programs. */
const GLOBAL: ProgramTable = {
  options: `-P -C=read -v -h --version --no-pager --no-optional-locks --no-replace-objects --no-lazy-fetch --no-advice
    --literal-pathspecs --glob-pathspecs --noglob-pathspecs --icase-pathspecs`,
  stops: true,
};
const REVISION_READERS: ReadonlySet<string> = new Set(Object.keys(GIT_READING));

export function readGit(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(words, GLOBAL);
  if (scan.kind !== "scan") return scan;
  const directories = valuesOf(scan, ["-C"]);
  const [name, ...rest] = scan.operands;
  const unknown = directories.find((word) => !word.plain);
  if (unknown !== undefined) return notListed(unknown, "Where git runs is known only then.");
  if (name === undefined) return known({ effect: "read" });
  if (!name.plain || words.some((word) => word.text === "--" && words.indexOf(word) < words.indexOf(name)))
    return notListed(name, "The subcommand is known only when it runs.");
  const reading = readSubcommand(name, rest);
  return within(
    directories.map(({ text }) => text),
    reading,
  );
}

function readSubcommand(name: ShellWord, rest: readonly ShellWord[]): ProgramReading {
  const { text } = name;
  const form = readForm(name, rest);
  if (form !== null) return form;
  if (text === "config") return readConfig(rest);
  const parses = text === "rev-parse" && rest.find((word) => word.text === "--parseopt");
  if (parses) return notListed(parses, "It is not on the list.");
  const table = ownEntry(GIT_READING, text) ?? ownEntry(GIT_CHANGING, text);
  if (table === undefined) return notListed(name, "It is no subcommand of git that has a list.");
  const reading = interpret(rest, table);
  return REVISION_READERS.has(text) ? revisionPaths(reading) : reading;
}

/** `git stash list`: subcommands whose first operand says what they do. */
function readForm(name: ShellWord, rest: readonly ShellWord[]): ProgramReading | null {
  const looking = ownEntry(GIT_READING_WORDS, name.text) ?? {};
  const changing = ownEntry(GIT_CHANGING_WORDS, name.text) ?? {};
  if (Object.keys(looking).length + Object.keys(changing).length === 0) return null;
  const word = rest[0];
  if (word !== undefined && !word.plain) return notListed(word, "What git would do is known only when it runs.");
  const key = word === undefined || word.text.startsWith("-") ? "" : word.text;
  const table = ownEntry(looking, key) ?? ownEntry(changing, key);
  if (table !== undefined) return revisionPaths(interpret(key === "" ? rest : rest.slice(1), table));
  // `git reflog HEAD`: what is no word of its own is a revision.
  if (name.text === "reflog" && !/^(?:expire|delete|drop|list|write)$/.test(key)) return null;
  return notListed(word ?? name, "This form of the subcommand is not on the list.");
}

function ownEntry<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Looking is one name, or says that it looks; two operands set. */
function readConfig(rest: readonly ShellWord[]): ProgramReading {
  const table = ownEntry(GIT_READING, "config") ?? {};
  const word = rest[0]?.plain === true && /^(?:get|list)$/.test(rest[0].text) ? rest[0].text : null;
  const behind = word === null ? rest : rest.slice(1);
  const scan = scanWords(behind, table);
  if (scan.kind !== "scan") return scan;
  const looks = word !== null || scan.options.some(({ name }) => /^(?:-l|--list|--get.*)$/.test(name));
  const [key, value] = scan.operands;
  if (!looks && (value !== undefined || (key !== undefined && !/^[\w-]+\..+$/.test(key.text))))
    return notListed(value ?? key ?? "", "It sets configuration, in which programs are named.");
  return interpret(behind, table);
}

/** `HEAD:.env` is the file as well; a magic pathspec names one behind its mark. */
function revisionPaths(reading: ProgramReading): ProgramReading {
  return mapKnown(reading, (each) => ({
    ...each,
    paths: each.paths.flatMap((use) => {
      if (/^:(?:[!^]|\([^)]*exclude)/.test(use.path)) return [];
      const parts = use.path.split(":");
      const behind = parts.slice(1).map((_, n) =>
        parts
          .slice(n + 1)
          .join(":")
          .replace(/^\([^)]*\)|^[!^/]+/, ""),
      );
      const globbed = /[*?[]/.test(use.path) ? globbedSecret(use.path) : null;
      if (globbed !== null && use.plain) behind.push(globbed);
      return [use, ...behind.filter((path) => path !== "").map((path) => ({ ...use, path }))];
    }),
  }));
}

/** Paths of `git -C directory`. */
function within(directories: readonly string[], reading: ProgramReading): ProgramReading {
  if (directories.length === 0) return reading;
  const base = directories.reduce((from, to) => join(from, to));
  const at: PathUse = { path: base, access: "read", plain: true };
  return mapKnown(reading, (each) => ({
    ...each,
    paths: [at, ...each.paths.map((use) => ({ ...use, path: use.plain ? join(base, use.path) : use.path }))],
  }));
}

function join(from: string, to: string): string {
  return to.startsWith("/") ? to : `${from.replace(/\/+$/, "")}/${to}`;
}

function mapKnown(reading: ProgramReading, change: (known: KnownProgram) => KnownProgram): ProgramReading {
  if (reading.kind === "known") return change(reading);
  if (reading.kind === "no_list" || reading.understood === null) return reading;
  return { ...reading, understood: change(reading.understood) };
}
