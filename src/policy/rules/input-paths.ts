/**
 * Which files the words may name that `xargs` reads from a list of files of the workspace. Without `-0` a blank in a name ends a
 * word, so a made-up name could be any path or option: then only programs take part that tell of a file no more than its size,
 * its name or whether something is in it.
 */
import type { PlacedCommand } from "../shell/gathering.ts";
import type { ProgramReading } from "../shell/program.ts";
import { globbedSecret } from "../shell/programs/globbed-secret.ts";
import type { ShellWord } from "../shell/reading.ts";
import { literalSegments } from "./path-pattern.ts";
import { type NamedPath, namedPath } from "./named-path.ts";
import { isInside, mayBeSecret } from "./path-judgement.ts";
import type { RuleContext } from "./request.ts";

const TELLING_LITTLE: ReadonlySet<string> = new Set([
  ...["wc", "ls", "stat", "du", "basename", "dirname", "md5sum", "sha1sum", "sha256sum"],
]);
const PRINTING: ReadonlySet<string> = new Set(["cat", "head", "tail", "grep", "egrep", "fgrep"]);
const GREPS: ReadonlySet<string> = new Set(["grep", "egrep", "fgrep"]);
const NAMES_ONLY = /^-[a-z]*[lLcq][a-z]*$/;

const SAYING_MORE =
  /^-(?:printf|f?ls|L|H|follow|exec|o|or|not|path)$|^!$|^--(?:follow|format|stdin|replace|passthru|label)/;

export function inputPaths(
  { words, fed, via }: PlacedCommand,
  commands: readonly PlacedCommand[],
  readProgram: (words: readonly ShellWord[]) => ProgramReading,
  context: RuleContext,
): NamedPath | null {
  const program = words[0]?.text ?? "";
  if (fed === null || via.at(-1) !== "xargs" || !isList(fed, readProgram, context)) return null;
  const little = TELLING_LITTLE.has(program) || (GREPS.has(program) && words.some(({ text }) => NAMES_ONLY.test(text)));
  if (!little && !(PRINTING.has(program) && isNarrow(fed) && endsNames(fed) && isSplitAtZero(words, commands)))
    return null;
  return { paths: [[...literalSegments(context.cwd), "**"]], literal: false, sure: true };
}

/** A reading program that prints names of files below where it looks, which is inside of the workspace. */
function isList(
  fed: readonly ShellWord[],
  readProgram: (words: readonly ShellWord[]) => ProgramReading,
  context: RuleContext,
): boolean {
  const texts = fed.map(({ text }) => text);
  if (!fed.every(({ plain }) => plain) || !lists(texts)) return false;
  // What says how a name is printed may print anything; what is left out or turned around is not followed.
  if (texts.some((text) => SAYING_MORE.test(text) || (texts[0] === "rg" && text.startsWith("-r")))) return false;
  if (texts.some((text, i) => i > 0 && globbedSecret(text) !== null)) return false;
  const reading = readProgram(fed);
  if (reading.kind !== "known" || reading.effect !== "read") return false;
  return reading.paths.every(({ path, plain }) => {
    const named = namedPath(path, plain, { cwds: [context.cwd], home: context.home });
    return named !== null && isInside(named, context.cwd) && !mayBeSecret(named, context);
  });
}

function lists([program, ...rest]: readonly string[]): boolean {
  switch (program) {
    case "find":
      return true;
    case "rg":
      return rest.some((word) => /^(?:-l|--files|--files-with-matches|-[in]*l)$/.test(word));
    case "grep":
      return rest.some((word) => /^-[a-zE]*l[a-zE]*$/.test(word) || word === "--files-with-matches");
    case "git":
      return (
        rest[0] === "ls-files" ||
        ((rest[0] === "diff" || rest[0] === "grep") && rest.some((word) => /^(?:--name-only|-l)$/.test(word)))
      );
    default:
      return false;
  }
}

/** Only files with such a name: nobody means a secret by it. */
function isNarrow(fed: readonly ShellWord[]): boolean {
  return fed.some(
    ({ text }, i) => /\*\.\w+$/.test(text) && /^(?:-i?name|-g|ls-files|--)$/.test(fed[i - 1]?.text ?? ""),
  );
}

function endsNames(fed: readonly ShellWord[]): boolean {
  return fed.some(({ text }) => text === "-print0" || text === "-z" || text === "-0" || text === "--null");
}

function isSplitAtZero(inner: readonly ShellWord[], commands: readonly PlacedCommand[]): boolean {
  const outer = commands.filter(({ words }) => words[0]?.text === "xargs");
  return (
    outer.length > 0 &&
    inner.length > 0 &&
    outer.every(({ words }) => words.slice(1).some(({ text }) => /^(?:-0|-0r|-r0|--null)$/.test(text)))
  );
}
