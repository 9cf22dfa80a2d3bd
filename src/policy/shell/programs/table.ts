/**
 * The language that programs are described in.
 *
 * Options are a list of words: `-n` and `--name` take nothing, `-[abc]` is three of the first kind, `-n=number` and
 * `--name=read` take a value (attached, or the next word), `--color=?text` takes one only when it is attached,
 * `--merged=!text` takes the next word if there is one, `--arg=text,text` takes the next two, `-#` is a dash with a number.
 * What is not in the list is not covered by any allow rule; a list never says what is forbidden.
 *
 * Operands are kinds by position: `text read*` is a text and then any number of files that are read; `read* write` ends with
 * one that is written; `read write!` may have a second one, which is beyond what an allow rule covers; `none` has none.
 */

export type Effect = "read" | "write" | "execute";

/**
 * `output`: a file that is written, where `-` is the standard output. `format`: a format of git, in which nothing asks for a
 * signature to be verified. `glob`: picks files by their names. `name`: a bare name, no path.
 */
const VALUE_KINDS = ["text", "number", "name", "read", "write", "output", "format", "glob"] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

export interface ProgramTable {
  /** On the list. */
  readonly options?: string;
  /** Understood, but beyond what the program is for: no allow rule covers it. */
  readonly beyond?: string;
  /** On the list; the effect becomes `raised`. */
  readonly raising?: string;
  /** `read` when absent. */
  readonly effect?: Effect;
  /** `execute` when absent. */
  readonly raised?: Effect;
  /** Operands raise the effect as well. */
  readonly operands_raise?: boolean;
  /** `read*` when absent. */
  readonly operands?: string;
  /** With one of these options the first operand is what the others are. */
  readonly first_unless?: string;
  /** What it works on without operands. */
  readonly where_none?: string;
  /** What it writes, unless one of these options says where. */
  readonly writes_unless?: { readonly path: string; readonly options: string };
  /** Operands that match are refused. */
  readonly refuse?: RegExp;
  /** One of these options must be there. */
  readonly required?: string;
  /** The first whose option is used wins over what stands here. */
  readonly variants?: readonly Variant[];
  /** No option of the program, listed or not, does harm: a word that could expand to one may stand. */
  readonly lenient?: boolean;
  /** Options are whole words: no bundles of letters. */
  readonly whole?: boolean;
  /** The first operand ends the options. */
  readonly stops?: boolean;
  readonly network?: boolean;
}

export interface Variant {
  readonly when: string;
  readonly effect?: Effect;
  readonly operands?: string;
  readonly where_none?: string;
}

export type OptionTier = "listed" | "raising" | "beyond";

export interface OptionSpec {
  readonly tier: OptionTier;
  readonly values: readonly ValueKind[];
  /** `none`: takes nothing; `attached`: only as part of the word; `last`: the next word, if there is one; `required` otherwise. */
  readonly takes: "none" | "attached" | "last" | "required";
}

export interface OperandPlan {
  readonly first: readonly OperandKind[];
  readonly rest: OperandKind | null;
  readonly last: readonly OperandKind[];
}
export interface OperandKind {
  readonly kind: ValueKind;
  readonly beyond: boolean;
}

const compiled = new WeakMap<ProgramTable, ReadonlyMap<string, OptionSpec>>();

export function optionsOf(table: ProgramTable): ReadonlyMap<string, OptionSpec> {
  const known = compiled.get(table);
  if (known !== undefined) return known;
  const specs = new Map<string, OptionSpec>();
  for (const tier of ["listed", "raising", "beyond"] as const) {
    for (const token of tokensOf(tier === "listed" ? table.options : table[tier])) addOption(specs, token, tier);
  }
  compiled.set(table, specs);
  return specs;
}

/** The words of a list; `-[ab]` is one of them. */
export function tokensOf(list: string | undefined): readonly string[] {
  return (list ?? "").split(/\s+/).filter((token) => token !== "");
}

function addOption(specs: Map<string, OptionSpec>, token: string, tier: OptionTier): void {
  const letters = /^-\[(.+)\]$/.exec(token)?.[1];
  if (letters !== undefined) {
    for (const letter of letters) specs.set(`-${letter}`, { tier, values: [], takes: "none" });
    return;
  }
  const at = token.indexOf("=");
  if (at === -1) {
    specs.set(token, { tier, values: [], takes: "none" });
    return;
  }
  const spec = token.slice(at + 1);
  const takes = spec.startsWith("?") ? "attached" : spec.startsWith("!") ? "last" : "required";
  const values = spec.replace(/^[?!]/, "").split(",").map(valueKind);
  specs.set(token.slice(0, at), { tier, values, takes });
}

function valueKind(text: string): ValueKind {
  // A typing error in a table would let a word go by: whatever is no kind is read as a path that is written.
  return VALUE_KINDS.find((kind) => kind === text) ?? "write";
}

export function operandsOf(text: string): OperandPlan {
  const first: OperandKind[] = [];
  const last: OperandKind[] = [];
  let rest: OperandKind | null = null;
  for (const token of tokensOf(text === "none" ? "" : text)) {
    const kind = { kind: valueKind(token.replace(/[*!]+$/, "")), beyond: token.endsWith("!") };
    if (token.includes("*")) rest = kind;
    else (rest === null ? first : last).push(kind);
  }
  return { first, rest, last };
}
