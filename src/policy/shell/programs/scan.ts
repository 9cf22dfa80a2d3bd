/**
 * Reads a program's words by its list of options, as getopt does: bundled letters, attached values, options after operands, `--`.
 *
 * SC1: an option is used as it is listed, letter by letter; an abbreviation of a long one is not listed.
 * SC2: a word that could expand to an option is refused, unless no option of the program does harm.
 * SC3: what may become several words where one is expected is refused, or for such a program kept as a path of unknown name.
 */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { optionsOf } from "./table.ts";
import type { OptionSpec, ProgramTable, ValueKind } from "./table.ts";
import { isOneWord, isOperand, longWithValue } from "./words.ts";

export type NotListed = Extract<ProgramReading, { kind: "not_listed" }>;

export interface UsedValue {
  readonly kind: ValueKind;
  readonly word: ShellWord;
}

interface UsedOption {
  readonly name: string;
  readonly values: readonly UsedValue[];
}

export interface Scan {
  readonly kind: "scan";
  readonly options: readonly UsedOption[];
  readonly operands: readonly ShellWord[];
  /** Words that may be several, where a value was expected. */
  readonly uncertain: readonly ShellWord[];
  readonly raised: boolean;
  /** The first word that is understood, but beyond an allow rule. */
  readonly beyond: string | null;
}

interface Progress {
  readonly table: ProgramTable;
  readonly specs: ReadonlyMap<string, OptionSpec>;
  readonly words: readonly ShellWord[];
  at: number;
  readonly options: UsedOption[];
  readonly uncertain: ShellWord[];
  raised: boolean;
  beyond: string | null;
}

const NUMBER = /^[+-]?(?:0x[0-9a-f]+|\d[\d.]*)[A-Za-z]{0,4}$/i;

export function notListed(word: ShellWord | string, reason: string): NotListed {
  return { kind: "not_listed", word: typeof word === "string" ? word : word.text, reason, understood: null };
}

/** `words`: those after the program. */
export function scanWords(words: readonly ShellWord[], table: ProgramTable): Scan | NotListed {
  const progress: Progress = {
    table,
    specs: optionsOf(table),
    words,
    at: 0,
    options: [],
    uncertain: [],
    raised: false,
    beyond: null,
  };
  const operands: ShellWord[] = [];
  for (let word = words[0]; word !== undefined; word = words[progress.at]) {
    progress.at += 1;
    if (word.plain && word.text === "--") {
      operands.push(...words.slice(progress.at));
      break;
    }
    const operand = isOperand(word);
    if (operand || (!word.plain && table.lenient === true)) {
      operands.push(word);
      if (!operand || table.stops !== true) continue;
      operands.push(...words.slice(progress.at));
      break;
    }
    const refusal = readOption(progress, word);
    if (refusal !== null) return refusal;
  }
  const { options, uncertain, raised, beyond } = progress;
  return { kind: "scan", options, operands, uncertain, raised, beyond };
}

export function has(scan: Scan, names: readonly string[]): boolean {
  return scan.options.some(({ name }) => names.includes(name));
}

/** The values of all uses of these options, in order. */
export function valuesOf(scan: Scan, names: readonly string[]): readonly ShellWord[] {
  return scan.options
    .filter(({ name }) => names.includes(name))
    .flatMap(({ values }) => values.map(({ word }) => word));
}

function readOption(progress: Progress, word: ShellWord): NotListed | null {
  if (!word.plain) {
    const long = longWithValue(word);
    const spec = long === null ? undefined : progress.specs.get(long.name);
    if (long === null || spec === undefined) return notListed(word, "It could expand to any option.");
    return use(progress, word, { name: long.name, spec, attached: long.value });
  }
  const { text } = word;
  const exact = progress.specs.get(text);
  if (exact !== undefined) return use(progress, word, { name: text, spec: exact, attached: null });
  if (!text.startsWith("--") && progress.table.whole !== true) return readBundle(progress, word);
  const at = text.indexOf("=");
  const name = at === -1 ? text : text.slice(0, at);
  const spec = progress.specs.get(name);
  if (spec === undefined || at === -1) return unknown(word);
  if (spec.takes === "none" || spec.values.length > 1) return notListed(word, `${name} takes no value of this kind.`);
  return use(progress, word, { name, spec, attached: { text: text.slice(at + 1), plain: true } });
}

function unknown(word: ShellWord): NotListed {
  return notListed(word, "This option is not on the list of what the program may be given.");
}

/** `-abc`, `-ovalue`, `-20`. */
function readBundle(progress: Progress, word: ShellWord): NotListed | null {
  const letters = word.text.slice(1);
  for (let n = 0; n < letters.length; n += 1) {
    const digits = /^\d+/.exec(letters.slice(n))?.[0];
    const name = digits !== undefined && progress.specs.has("-#") ? "-#" : `-${letters[n] ?? ""}`;
    const spec = progress.specs.get(name);
    if (spec === undefined) return unknown(word);
    if (digits !== undefined && name === "-#") {
      progress.options.push({ name, values: [] });
      n += digits.length - 1;
      continue;
    }
    const rest = letters.slice(n + 1);
    const attached = spec.takes === "none" || rest === "" ? null : { text: rest, plain: true };
    const refusal = use(progress, word, { name, spec, attached });
    if (refusal !== null) return refusal;
    if (attached !== null) return null;
  }
  return null;
}

interface Use {
  readonly name: string;
  readonly spec: OptionSpec;
  readonly attached: ShellWord | null;
}

function use(progress: Progress, word: ShellWord, { name, spec, attached }: Use): NotListed | null {
  const values: UsedValue[] = [];
  for (const kind of spec.values) {
    let value = attached;
    if (value === null && spec.takes !== "attached") {
      value = progress.words[progress.at] ?? null;
      if (value === null && spec.takes === "last") break;
      progress.at += 1;
    }
    if (value === null && spec.takes === "attached") break;
    if (value === null) return notListed(word, `${name} needs a value.`);
    const refusal = refuseValue(progress, name, kind, value);
    if (refusal !== null) return refusal;
    values.push({ kind, word: value });
  }
  progress.options.push({ name, values });
  if (spec.tier === "raising") progress.raised = true;
  if (spec.tier === "beyond" && !(values.length > 0 && values.every(isNowhere))) progress.beyond ??= word.text;
  return null;
}

/** Written to nothing that is kept. */
export function isNowhere({ kind, word }: UsedValue): boolean {
  return word.plain && (word.text === "/dev/null" || (kind === "output" && word.text === "-"));
}

function refuseValue(progress: Progress, name: string, kind: ValueKind, value: ShellWord): NotListed | null {
  if (!isOneWord(value)) {
    if (progress.table.lenient !== true) return notListed(value, `The value of ${name} may become several words.`);
    progress.uncertain.push(value);
    return null;
  }
  if (kind === "number" && value.plain && !NUMBER.test(value.text)) return notListed(value, `${name} takes a number.`);
  if (kind === "name" && !(value.plain && /^[A-Za-z][\w-]*$/.test(value.text)))
    return notListed(value, `${name} takes a bare name.`);
  if (kind === "format" && (!value.plain || /%[-+ ]?G|%\(\s*signature/i.test(value.text))) {
    return notListed(value, `The format of ${name} would have a signature verified by another program.`);
  }
  return null;
}
