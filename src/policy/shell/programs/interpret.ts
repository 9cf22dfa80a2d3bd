/** Makes a reading of a program that its table describes completely. */
import type { KnownProgram, PathUse, ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { globbedSecret } from "./globbed-secret.ts";
import { has, isNowhere, notListed, scanWords } from "./scan.ts";
import type { NotListed, Scan, UsedValue } from "./scan.ts";
import { operandsOf, tokensOf } from "./table.ts";
import type { Effect, OperandKind, ProgramTable, Variant } from "./table.ts";
import { isOneWord } from "./words.ts";

/** What a reading starts from; everything that is not said is nothing. */
export function known(parts: Partial<Omit<KnownProgram, "kind">> & Pick<KnownProgram, "effect">): KnownProgram {
  return { kind: "known", paths: [], runs: [], network: false, moves_to: null, ...parts };
}

export function pathOf(word: ShellWord, access: PathUse["access"]): PathUse {
  return { path: word.text, access, plain: word.plain };
}

/** Standard input and output are no files. */
export function isStandard(word: ShellWord): boolean {
  return word.plain && word.text === "-";
}

/** The reading of something that is understood; `beyond` is the word that no allow rule covers. */
export function withBeyond(reading: KnownProgram, beyond: string | null): ProgramReading {
  if (beyond === null) return reading;
  const reason = "It makes the program do more than it is for, so no general rule covers it.";
  return { kind: "not_listed", word: beyond, reason, understood: reading };
}

export function interpret(words: readonly ShellWord[], table: ProgramTable): ProgramReading {
  const scan = scanWords(words, table);
  return scan.kind === "scan" ? readScan(scan, table) : scan;
}

export function readScan(scan: Scan, table: ProgramTable): ProgramReading {
  if (table.required !== undefined && !has(scan, tokensOf(table.required))) {
    return notListed(scan.operands[0] ?? "", `Only with one of ${table.required} is it known what it does.`);
  }
  const refused = table.refuse && scan.operands.find(({ text }) => table.refuse?.test(text));
  if (refused) return notListed(refused, "The program gives this operand a meaning of its own.");

  const variant = table.variants?.find(({ when }) => has(scan, tokensOf(when)));
  const plan = variant?.operands ?? table.operands ?? "read*";
  const kinds = assign(scan, table, plan);
  if ("kind" in kinds) return kinds;
  const paths = [
    ...optionPaths(scan),
    ...scan.operands.flatMap((word, n) => operandPath(word, kinds[n], plan)),
    ...impliedPaths(scan, table, variant, kinds),
  ];
  const effect = effectOf(scan, table, variant?.effect ?? table.effect ?? "read");
  const writes = paths.some(({ access }) => access === "write");
  const beyond = scan.beyond ?? scan.operands.find((_, n) => kinds[n]?.beyond === true)?.text ?? null;
  const network = table.network === true;
  return withBeyond(known({ effect: effect === "read" && writes ? "write" : effect, paths, network }), beyond);
}

function operandPath(word: ShellWord, kind: OperandKind | undefined, plan: string): readonly PathUse[] {
  if (kind?.kind === "write") return [pathOf(word, "write")];
  if (kind === undefined || isStandard(word)) return [];
  // What may be several words reaches into the files behind a text.
  const several = !isOneWord(word) && plan !== "text*";
  return kind.kind === "read" || several ? [pathOf(word, "read")] : [];
}

/** What is read or written without being named. */
function impliedPaths(
  scan: Scan,
  table: ProgramTable,
  variant: Variant | undefined,
  kinds: readonly OperandKind[],
): readonly PathUse[] {
  const paths: PathUse[] = [];
  const none = variant?.where_none ?? table.where_none;
  if (none !== undefined && kinds.every(({ kind }) => kind === "text"))
    paths.push({ path: none, access: "read", plain: true });
  const writing = variant?.effect === "read" ? undefined : table.writes_unless;
  if (writing !== undefined && !has(scan, tokensOf(writing.options)))
    paths.push({ path: writing.path, access: "write", plain: true });
  return paths;
}

function effectOf(scan: Scan, table: ProgramTable, effect: Effect): Effect {
  const raised = table.raised ?? "execute";
  if (scan.raised) return raised;
  const only_read = table.variants?.some(({ when, effect }) => effect === "read" && has(scan, tokensOf(when))) ?? false;
  return table.operands_raise === true && scan.operands.length > 0 && !only_read ? raised : effect;
}

/** Paths that options name, and words that may be several. */
export function optionPaths(scan: Scan): readonly PathUse[] {
  const named = scan.options.flatMap(({ values }) => values.flatMap(valuePath));
  return [...named, ...scan.uncertain.map((word) => pathOf(word, "read"))];
}

function valuePath(value: UsedValue): readonly PathUse[] {
  const { kind, word } = value;
  if (kind === "glob") {
    const secret = globbedSecret(word.text);
    return secret === null ? [] : [{ path: secret, access: "read", plain: true }];
  }
  if (kind === "read") return isStandard(word) ? [] : [pathOf(word, "read")];
  return (kind === "write" || kind === "output") && !isNowhere(value) ? [pathOf(word, "write")] : [];
}

/** The kind of each operand, or why they cannot be told. */
function assign(scan: Scan, table: ProgramTable, text: string): readonly OperandKind[] | NotListed {
  const { operands } = scan;
  const { first: leading, rest, last } = operandsOf(text);
  const first = has(scan, tokensOf(table.first_unless)) ? leading.slice(1) : leading;
  const changing = [...first, rest].some((kind) => kind?.beyond === true || kind?.kind === "write");
  const kinds: OperandKind[] = [];
  for (const [n, word] of operands.entries()) {
    const kind = first[n] ?? (n >= operands.length - last.length ? last[n - operands.length + last.length] : rest);
    if (kind == null) return notListed(word, "The program takes no such operand.");
    // A word that becomes several moves those behind it to other places.
    const moves = last.length > 0 ? kind !== rest : changing && first.length > 0;
    if (moves && !isOneWord(word)) return notListed(word, "It may become several operands.");
    kinds.push(kind);
  }
  return kinds;
}
