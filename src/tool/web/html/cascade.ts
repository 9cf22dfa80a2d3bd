/** Which declarations of a page's sheets and of its own `style` win for an element. */
import { withoutReferences } from "./references.ts";
import { type Compound, readDeclarations, readSheet, type StyleRule } from "./sheet.ts";
import type { Attributes } from "./tokens.ts";

/** What selectors ask of an element. */
export interface StyledElement {
  readonly tag: string;
  readonly attributes: Attributes;
  readonly id: string;
  readonly classes: ReadonlySet<string>;
}

export interface Cascade {
  /** @param ancestors outermost first */
  readonly declaredOf: (element: StyledElement, ancestors: readonly StyledElement[]) => ReadonlyMap<string, string>;
  /** There were more styles than are read. */
  readonly cut: boolean;
}

const NOTHING: ReadonlyMap<string, string> = new Map();
const NO_CLASSES: ReadonlySet<string> = new Set();
const INLINE_WEIGHT = 1_000_000;
const IMPORTANT_WEIGHT = 10_000_000;
/** A shorthand decides over what was said before in the long form. */
const COVERS: Readonly<Record<string, readonly string[]>> = {
  background: ["background-color", "background-image"],
  font: ["font-size"],
  overflow: ["overflow-x", "overflow-y"],
};

export function styledElement(tag: string, attributes: Attributes): StyledElement {
  const classes = withoutReferences(attributes.get("class") ?? "");
  const id = withoutReferences(attributes.get("id") ?? "");
  return { tag, attributes, id, classes: classes === "" ? NO_CLASSES : new Set(classes.split(/[\t\n\f\r ]+/)) };
}

/** @param spend is told every comparison, and ends the work when they are too many */
export function cascadeOf(sheets: string, spend: (steps: number) => void): Cascade {
  const { rules, cut } = readSheet(sheets);
  const index = new Map<string, Ranked[]>();
  for (const [order, rule] of rules.entries()) {
    const key = keyOf(rule.selector.at(-1));
    const listed = index.get(key);
    if (listed === undefined) index.set(key, [{ rule, order }]);
    else listed.push({ rule, order });
  }
  const candidates = (element: StyledElement): readonly Ranked[] => {
    if (index.size === 0) return [];
    const keys = ["*", element.tag, `#${element.id}`, ...[...element.classes].map((name) => `.${name}`)];
    return keys.flatMap((key) => index.get(key) ?? []);
  };
  const declaredOf: Cascade["declaredOf"] = (element, ancestors) => {
    const inline = element.attributes.get("style");
    const found = candidates(element);
    if (inline === undefined && found.length === 0) return NOTHING;
    spend(found.length + element.classes.size + (inline?.length ?? 0) / 16);
    const matching = found
      .filter(({ rule }) => matches(rule.selector, element, ancestors, spend))
      .sort((a, b) => a.rule.weight - b.rule.weight || a.order - b.order);
    const winners = new Map<string, { readonly value: string; readonly weight: number }>();
    for (const { rule } of matching) declare(rule.declarations, rule.weight, winners);
    if (inline !== undefined) declare(readDeclarations(withoutReferences(inline)), INLINE_WEIGHT, winners);
    return new Map([...winners].map(([property, { value }]) => [property, value]));
  };
  return { declaredOf, cut };
}

interface Ranked {
  readonly rule: StyleRule;
  readonly order: number;
}

function declare(
  declarations: StyleRule["declarations"],
  weight: number,
  winners: Map<string, { readonly value: string; readonly weight: number }>,
): void {
  for (const { property, value, important } of declarations) {
    const own = weight + (important ? IMPORTANT_WEIGHT : 0);
    if ((winners.get(property)?.weight ?? 0) > own) continue;
    for (const covered of COVERS[property] ?? [])
      if ((winners.get(covered)?.weight ?? 0) <= own) winners.delete(covered);
    winners.set(property, { value, weight: own });
  }
}

function keyOf(last: Compound | undefined): string {
  if (last === undefined) return "*";
  if (last.id !== null) return `#${last.id}`;
  return last.classes[0] === undefined ? (last.tag ?? "*") : `.${last.classes[0]}`;
}

/** Each part is sought as near as possible; one that must be the parent of the next goes with it. */
function matches(
  selector: readonly Compound[],
  element: StyledElement,
  ancestors: readonly StyledElement[],
  spend: (steps: number) => void,
): boolean {
  const last = selector.at(-1);
  if (last === undefined || !fits(last, element)) return false;
  let at = ancestors.length - 1;
  let of_parent = last.of_parent;
  for (let part = selector.length - 2; part >= 0; part -= 1) {
    const compound = selector[part];
    if (compound === undefined) return false;
    const from = at;
    while (at >= 0 && !(ancestors[at] !== undefined && fits(compound, ancestors[at] ?? element))) {
      if (of_parent) return false;
      at -= 1;
    }
    spend(from - at);
    if (at < 0) return false;
    at -= 1;
    of_parent = compound.of_parent;
  }
  return true;
}

function fits({ tag, id, classes, attributes }: Compound, element: StyledElement): boolean {
  return (
    (tag === null || tag === element.tag) &&
    (id === null || id === element.id) &&
    classes.every((name) => element.classes.has(name)) &&
    attributes.every(([name, operator, wanted]) => fitsAttribute(element.attributes.get(name), operator, wanted))
  );
}

function fitsAttribute(raw: string | undefined, operator: string, wanted: string): boolean {
  if (raw === undefined) return false;
  const value = withoutReferences(raw);
  switch (operator) {
    case "":
      return true;
    case "=":
      return value === wanted;
    case "~=":
      return value.split(/\s+/).includes(wanted);
    case "|=":
      return value === wanted || value.startsWith(`${wanted}-`);
    case "^=":
      return wanted !== "" && value.startsWith(wanted);
    case "$=":
      return wanted !== "" && value.endsWith(wanted);
    default:
      return wanted !== "" && value.includes(wanted);
  }
}
