/**
 * Builtins of bash that change how the commands after them are understood, or evaluate a word as code. Those that are read
 * completely are let through; the rest is a problem, because no reading of what follows would be true.
 */
import type { ShellWord } from "./reading.ts";
import { HARMLESS_VARIABLES, isHarmlessAssignment, isOrdinaryVariable } from "./variables.ts";

const CHANGING = new Set([
  "alias",
  "bind",
  "compgen",
  "complete",
  "compopt",
  "coproc",
  "declare",
  "dirs",
  "enable",
  "fc",
  "getopts",
  "hash",
  "history",
  "let",
  "local",
  "logout",
  "mapfile",
  "popd",
  "pushd",
  "readarray",
  "readonly",
  "shopt",
  "suspend",
  "typeset",
  "unalias",
  "unset",
  "unsetenv",
]);

// `-e`, `-u` and `pipefail` only end a script sooner.
const SET_WORDS = /^(?:[-+][eu]+o?|[-+]o|pipefail|errexit|nounset)$/;

type Check = (words: readonly ShellWord[]) => boolean;

/** True where nothing after it means anything else. */
const HARMLESS: Readonly<Record<string, Check>> = {
  set: (words) => words.length > 0 && words.every((word) => word.plain && SET_WORDS.test(word.text)),
  export: (words) => words.length > 0 && words.every(isHarmlessExport),
  read: (words) => words.every((word) => word.plain && (word.text === "-r" || isOrdinaryVariable(word.text))),
  test: isHarmlessTest,
  "[": isHarmlessTest,
  // Whatever the rest of the first word becomes, with such a beginning it is not `-v NAME`.
  printf: (words) => /^["']?[A-Za-z0-9%[( ]/.test(words[0]?.text ?? ""),
  wait: (words) => words.every((word) => word.plain && /^\d+$/.test(word.text)),
  source: () => false,
  ".": () => false,
};

/** What stands against a builtin with its words, as a sentence; null where nothing does, and for every program. */
export function builtinProblem(words: readonly ShellWord[]): string | null {
  const name = words[0]?.text ?? "";
  const check = Object.hasOwn(HARMLESS, name) ? HARMLESS[name] : undefined;
  if (check === undefined ? !CHANGING.has(name) : check(words.slice(1))) return null;
  return `\`${name}\` changes how what follows is understood.`;
}

function isHarmlessExport(word: ShellWord): boolean {
  if (!word.plain) return false;
  const equals = word.text.indexOf("=");
  if (equals === -1) return HARMLESS_VARIABLES.has(word.text);
  const value = { text: word.text.slice(equals + 1), plain: true };
  return isHarmlessAssignment({ name: word.text.slice(0, equals), value });
}

const BEHIND_A_VALUE = /^(?:=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef|\])$/;

/** `-v NAME` and `-R NAME` evaluate a subscript in the name, and `$(…)` in that runs. No word may become one of them. */
function isHarmlessTest(words: readonly ShellWord[]): boolean {
  return words.every((word, at) => {
    if (word.plain) return word.text !== "-v" && word.text !== "-R";
    const next = words[at + 1];
    const alone = next === undefined || (next.plain && BEHIND_A_VALUE.test(next.text));
    return alone && /^"[^"`]*"$/.test(word.text) && !word.text.includes("@");
  });
}
