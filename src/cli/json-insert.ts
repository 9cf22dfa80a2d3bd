/**
 * Adds a text to a list in a JSON file as a person would with an editor: nothing else of the file changes, and what is added is
 * indented as its surroundings are. The text is valid JSON with an object at its top; whoever calls has parsed it.
 */

const INDENT_DEFAULT = "  ";

/** @param path names of objects, and at last of a list; what is missing is made */
export function insertInto(text: string, path: readonly string[], value: string): string {
  let at = skipBlank(text, text.startsWith("\uFEFF") ? 1 : 0);
  for (const [depth, name] of path.entries()) {
    const member = memberOf(text, at, name);
    if (member === null) {
      const made = path.slice(depth + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), [value]);
      return addedTo(text, at, { name, value: made });
    }
    at = member;
  }
  return addedTo(text, at, { name: null, value });
}

/** Where the value of the last member of that name begins: a name that stands twice means its last value. Null where there is none. */
function memberOf(text: string, start: number, name: string): number | null {
  let found: number | null = null;
  for (const item of itemsOf(text, start)) if (item.name === name) found = item.value;
  return found;
}

interface Item {
  /** Null in a list. */
  readonly name: string | null;
  readonly begin: number;
  readonly value: number;
  readonly end: number;
}

/** Of the object or list that begins there. */
function itemsOf(text: string, start: number): readonly Item[] {
  const items: Item[] = [];
  const isObject = text[start] === "{";
  let at = skipBlank(text, start + 1);
  while (text[at] !== "}" && text[at] !== "]") {
    const begin = at;
    let name: string | null = null;
    if (isObject) {
      const end = endOf(text, at);
      name = JSON.parse(text.slice(at, end)) as string; // a member's name is a string
      at = skipBlank(text, skipBlank(text, end) + 1);
    }
    const end = endOf(text, at);
    items.push({ name, begin, value: at, end });
    at = skipBlank(text, end);
    if (text[at] === ",") at = skipBlank(text, at + 1);
  }
  return items;
}

/** Where the value that begins there ends. */
function endOf(text: string, start: number): number {
  const first = text[start];
  if (first === '"') {
    let at = start + 1;
    while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    return at + 1;
  }
  if (first === "{" || first === "[") {
    const last = itemsOf(text, start).at(-1);
    const close = skipBlank(text, last === undefined ? start + 1 : last.end);
    return close + 1;
  }
  const rest = /^[^\s,\]}]+/.exec(text.slice(start));
  return start + (rest?.[0].length ?? 1);
}

function skipBlank(text: string, start: number): number {
  let at = start;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at++;
  return at;
}

function addedTo(text: string, start: number, item: { readonly name: string | null; readonly value: unknown }): string {
  const items = itemsOf(text, start);
  const close = endOf(text, start) - 1;
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const unit = unitOf(text);
  const outer = indentOfLine(text, start);
  const last = items.at(-1);
  const inOneLine = last !== undefined && !text.slice(start, last.begin).includes("\n");
  const indent = last === undefined ? outer + unit : inOneLine ? outer : indentOfLine(text, last.begin);
  const value = JSON.stringify(item.value, null, unit).replaceAll("\n", newline + indent);
  const piece = item.name === null ? value : `${JSON.stringify(item.name)}: ${value}`;
  if (last === undefined)
    return `${text.slice(0, start + 1)}${newline}${indent}${piece}${newline}${outer}${text.slice(close)}`;
  const gap = inOneLine ? " " : newline + indent;
  return `${text.slice(0, last.end)},${gap}${piece}${text.slice(last.end)}`;
}

/** What one level of the file is indented by. */
function unitOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? INDENT_DEFAULT;
}

function indentOfLine(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}
