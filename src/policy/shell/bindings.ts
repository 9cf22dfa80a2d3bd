/**
 * Variables whose value is known from the text: of a loop over literal words or globs, and of an assignment that stands alone.
 * A name is bound only where nothing else in the text could set it.
 */
import type { Token } from "./cut.ts";
import type { ShellWord } from "./reading.ts";
import { isOrdinaryVariable } from "./variables.ts";
import { readWord, unknownWord } from "./words.ts";

export type Bindings = ReadonlyMap<string, readonly ShellWord[]>;

export const UNBOUND: Bindings = new Map();

/** Values of one variable. */
const VALUES_MAX = 16;
/** Commands that one command is read as. */
const COMBINATIONS_MAX = 32;

/** The same in quotes and out of them. */
const SAFE = /^[\w./@%+,:=-]+$/;
const GLOB = /^[\w./@%+,*?-]+$/;
const SHAPE =
  /^(?:[\w./@%+,:=-]|"(?:[^"`\\$]|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})*"|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})+$/;
const VARIABLE = /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g;

/** With what a loop or an assignment says of a name; as before where that is not certain. @param text all of it, as bash reads it */
export function bound(bindings: Bindings, name: string, values: readonly Token[] | string, text: string): Bindings {
  const words = typeof values === "string" ? [readWord(values)] : values.map(loopWord);
  const certain = words.every((word) => word !== null && (word.plain || GLOB.test(word.text)));
  if (!certain || words.length === 0 || words.length > VALUES_MAX || !isSetOnce(name, text)) return bindings;
  return new Map([...bindings, [name, words.filter((word) => word !== null)]]);
}

function loopWord({ text, inner }: Token): ShellWord | null {
  return inner.length > 0 ? null : readWord(text);
}

/** Wherever the name stands but behind a dollar sign or as part of an option or a path, it may be set. */
function isSetOnce(name: string, text: string): boolean {
  if (!isOrdinaryVariable(name) || name === "_") return false;
  const elsewhere = text.replaceAll(new RegExp(String.raw`\$\{?${name}(?!\w)`, "g"), "");
  return [...elsewhere.matchAll(new RegExp(String.raw`(?<![-\w./])${name}(?!\w)`, "g"))].length === 1;
}

/** Every choice of values for the variables that these words use: one map where none is bound, or too many are. */
export function combinations(tokens: readonly Token[], bindings: Bindings): readonly ReadonlyMap<string, ShellWord>[] {
  const used = new Set(tokens.flatMap(({ text }) => [...text.matchAll(VARIABLE)].map(([, a, b]) => a ?? b ?? "")));
  let all: readonly ReadonlyMap<string, ShellWord>[] = [new Map()];
  for (const name of used) {
    const values = bindings.get(name);
    if (values === undefined || all.length * values.length > COMBINATIONS_MAX) continue;
    all = all.flatMap((chosen) => values.map((value) => new Map([...chosen, [name, value]])));
  }
  return all;
}

/** A word with the values put in; not plain where something of it is not known. */
export function withValues(source: string, chosen: ReadonlyMap<string, ShellWord>): ShellWord {
  if (chosen.size === 0 || !SHAPE.test(source)) return readWord(source);
  const alone = /^"\$\{?([A-Za-z_]\w*)\}?"$/.exec(source)?.[1];
  const value = alone === undefined ? undefined : chosen.get(alone);
  if (value !== undefined) return value;
  let globbed = false;
  let unknown = false;
  const text = source.replaceAll(VARIABLE, (whole, a: string | undefined, b: string | undefined) => {
    const word = chosen.get(a ?? b ?? "");
    if (word === undefined || !(word.plain ? SAFE : GLOB).test(word.text)) {
      unknown = true;
      return whole;
    }
    globbed ||= !word.plain;
    return word.text;
  });
  if (unknown) return readWord(source);
  if (!globbed) return readWord(text);
  // Within quotes a found name is one word; out of them its blanks would make several.
  const quoted = /^"[^"]*"(?:[\w./-]*)$/.test(source) && GLOB.test(text.replaceAll('"', ""));
  return quoted ? unknownWord(text.replaceAll('"', "")) : readWord(source);
}
