/**
 * The style sheets of a page, as far as they can hide something: rules of simple selectors (tags, ids, classes, attributes, inside
 * of one another) and their declarations. What is not understood matches nothing.
 */
export interface Declaration {
  readonly property: string;
  readonly value: string;
  readonly important: boolean;
}

export interface Compound {
  readonly tag: string | null;
  readonly id: string | null;
  readonly classes: readonly string[];
  readonly attributes: readonly (readonly [name: string, operator: string, value: string])[];
  /** The one before must be the parent, and not just anywhere above. */
  readonly of_parent: boolean;
}

export interface StyleRule {
  /** The element itself comes last. */
  readonly selector: readonly Compound[];
  readonly weight: number;
  readonly declarations: readonly Declaration[];
}

export interface Sheet {
  readonly rules: readonly StyleRule[];
  /** There was more than is read: something hidden may be taken for shown. */
  readonly cut: boolean;
}

/** Characters of all sheets of a page that are read. */
const SHEET_CHARS_MAX = 1024 * 1024;
const SELECTORS_MAX = 20_000;
const SELECTOR_CHARS_MAX = 500;
/** A colour, a length. */
const VALUE_CHARS_MAX = 200;
const NESTING_MAX = 8;
/** The window in which media queries are answered, in pixels. */
const WINDOW_PX = 1_280;

/** What can hide a text, and what can bring it back. */
const PROPERTIES: ReadonlySet<string> = new Set([
  ...["display", "visibility", "opacity", "font-size", "font", "position", "left", "right", "top", "bottom", "inset"],
  ...[
    "text-indent",
    "margin-left",
    "margin-top",
    "margin",
    "transform",
    "translate",
    "scale",
    "clip",
    "clip-path",
    "color",
  ],
  ...["-webkit-text-fill-color", "background", "background-color", "background-image", "width", "height", "max-width"],
  ...["max-height", "overflow", "overflow-x", "overflow-y", "content-visibility", "filter"],
]);

export function readSheet(text: string): Sheet {
  const reading: Reading = { rules: [], selectors_left: SELECTORS_MAX, cut: text.length > SHEET_CHARS_MAX };
  const sheet = text.slice(0, SHEET_CHARS_MAX).replace(/\/\*[\s\S]*?(?:\*\/|$)|<!--|-->/g, " ");
  readBlock(sheet, [], 0, reading);
  return { rules: reading.rules, cut: reading.cut };
}

interface Reading {
  readonly rules: StyleRule[];
  selectors_left: number;
  cut: boolean;
}

/** Of a `style` attribute, or of the inside of a rule. */
export function readDeclarations(text: string): readonly Declaration[] {
  const found: Declaration[] = [];
  for (const part of text.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, " ").split(";")) {
    const colon = part.indexOf(":");
    if (colon === -1) continue;
    const property = withoutEscapes(part.slice(0, colon)).trim().toLowerCase();
    if (!PROPERTIES.has(property)) continue;
    const whole = part.slice(colon + 1).trim();
    const important = /!\s{0,9}important$/i.test(whole);
    const end = important ? whole.lastIndexOf("!") : VALUE_CHARS_MAX;
    const value = withoutEscapes(whole.slice(0, Math.min(end, VALUE_CHARS_MAX)))
      .trim()
      .toLowerCase();
    found.push({ property, value, important });
  }
  return found;
}

/** The rules in a text, and what it says itself to what it stands in (`within`). */
function readBlock(text: string, within: readonly string[], depth: number, reading: Reading): void {
  const own: string[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{", at);
    if (open === -1) break;
    const before = text.slice(at, open);
    const start = before.lastIndexOf(";") + 1;
    own.push(before.slice(0, start));
    const end = endOfBlock(text, open);
    readRule(before.slice(start).trim(), text.slice(open + 1, end), within, { depth, reading });
    at = end + 1;
  }
  if (within.length === 0) return;
  const declarations = readDeclarations(own.join("") + text.slice(at));
  if (declarations.length === 0) return;
  for (const one of within) {
    const selector = readSelector(one);
    if (selector !== null) reading.rules.push({ selector, weight: weightOf(selector), declarations });
  }
}

function readRule(
  prelude: string,
  body: string,
  within: readonly string[],
  { depth, reading }: { readonly depth: number; readonly reading: Reading },
): void {
  if (depth >= NESTING_MAX) {
    reading.cut = true;
    return;
  }
  if (prelude.startsWith("@")) {
    const name = /^@(?:-\w+-)?(\w+)/.exec(prelude)?.[1]?.toLowerCase() ?? "";
    const applies = name === "media" ? mediaApplies(prelude.slice(6, SELECTOR_CHARS_MAX)) : GROUPS.has(name);
    if (applies) readBlock(body, within, depth + 1, reading);
    return;
  }
  const own = prelude.split(",").map((one) => one.trim());
  const made = own.length * Math.max(1, within.length);
  if (made > reading.selectors_left) {
    reading.cut = true;
    return;
  }
  reading.selectors_left -= made;
  const selectors = within.length === 0 ? own : within.flatMap((outer) => own.map((one) => nested(outer, one)));
  readBlock(body, selectors, depth + 1, reading);
}

/** At-rules whose rules count like any others. */
const GROUPS: ReadonlySet<string> = new Set(["supports", "layer", "container", "scope"]);

function nested(outer: string, inner: string): string {
  if (outer.length + inner.length > SELECTOR_CHARS_MAX) return "";
  return inner.startsWith("&") ? outer + inner.slice(1) : `${outer} ${inner}`;
}

function endOfBlock(text: string, open: number): number {
  const mark = /[{}]|\\[\s\S]|"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?/g;
  mark.lastIndex = open;
  let depth = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    if (found[0] === "{") depth += 1;
    if (found[0] === "}") depth -= 1;
    if (depth === 0) return found.index;
  }
  return text.length;
}

/** What is not known is taken to apply, so that it can hide. */
function mediaApplies(query: string): boolean {
  return query
    .toLowerCase()
    .split(",")
    .some((one) => {
      const negated = /^\s*not\b/.test(one);
      const fails =
        /\b(?:print|speech|aural|braille|tty)\b/.test(one) ||
        /prefers-color-scheme\s*:\s*dark|prefers-reduced-motion\s*:\s*reduce|prefers-contrast\s*:\s*more/.test(one) ||
        [...one.matchAll(/\b(min|max)-(?:device-)?width\s*:\s*([\d.]+)(px|r?em)/g)].some(([, side, size, unit]) => {
          const px = Number(size) * (unit === "px" ? 1 : 16);
          return side === "min" ? px > WINDOW_PX : px < WINDOW_PX;
        });
      return negated ? fails : !fails;
    });
}

const COMPOUND_PART =
  /(?<tag>\*|(?:[\w-]|[^\0-\x7f]|\\.)+)|#(?<id>(?:[\w-]|[^\0-\x7f]|\\.)+)|\.(?<class>(?:[\w-]|[^\0-\x7f]|\\.)+)|\[\s*(?<name>[\w-]+)\s*(?:(?<operator>[~|^$*]?=)\s*(?<value>"[^"]*"|'[^']*'|[^\]\s]+)\s*[is]?\s*)?\]|(?<root>:root)(?![\w-])/y;

function readSelector(text: string): readonly Compound[] | null {
  const compounds: Compound[] = [];
  if (text.length > SELECTOR_CHARS_MAX) return null;
  let at = 0;
  let of_parent = false;
  while (at < text.length) {
    const compound: {
      tag: string | null;
      id: string | null;
      classes: string[];
      attributes: [string, string, string][];
    } = {
      ...{ tag: null, id: null, classes: [], attributes: [] },
    };
    const start = at;
    for (;;) {
      COMPOUND_PART.lastIndex = at;
      const groups = COMPOUND_PART.exec(text)?.groups;
      if (groups === undefined) break;
      at = COMPOUND_PART.lastIndex;
      addPart(compound, groups);
    }
    if (at === start) return null; // something else than a simple selector
    compounds.push({ ...compound, of_parent });
    const [gap = ""] = /^\s*>?\s*/.exec(text.slice(at)) ?? [];
    if (gap === "" && at < text.length) return null;
    of_parent = gap.includes(">");
    at += gap.length;
  }
  return compounds.length === 0 ? null : compounds;
}

function addPart(
  to: { tag: string | null; id: string | null; classes: string[]; attributes: [string, string, string][] },
  part: Readonly<Record<string, string | undefined>>,
): void {
  if (part["root"] !== undefined) to.tag = "html";
  else if (part["id"] !== undefined) to.id = withoutEscapes(part["id"]);
  else if (part["class"] !== undefined) to.classes.push(withoutEscapes(part["class"]));
  else if (part["name"] !== undefined)
    to.attributes.push([
      part["name"].toLowerCase(),
      part["operator"] ?? "",
      (part["value"] ?? "").replace(/^(["'])([\s\S]*)\1$/, "$2"),
    ]);
  else if (part["tag"] !== undefined && part["tag"] !== "*") to.tag = withoutEscapes(part["tag"]).toLowerCase();
}

function weightOf(selector: readonly Compound[]): number {
  return selector.reduce(
    (sum, { tag, id, classes, attributes }) =>
      sum + (id === null ? 0 : 10_000) + (classes.length + attributes.length) * 100 + (tag === null ? 0 : 1),
    0,
  );
}

function withoutEscapes(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(?:([0-9a-f]{1,6})\s?|([\s\S]))/gi, (_whole, hex?: string, plain?: string) => {
    const code = hex === undefined ? 0 : Number.parseInt(hex, 16);
    return hex === undefined ? (plain ?? "") : code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : "";
  });
}
