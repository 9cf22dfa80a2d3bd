/**
 * Splits a page into tags and text the way browsers do, in one pass over it. What a browser takes for a comment, a script or an
 * attribute must never come out as text: a page could hide words in the difference.
 *
 * H1: linear in the length of the page: every search either moves the position on or ends the page.
 */
export interface PageHandler {
  /** Character references are left as they are. */
  readonly text: (raw: string) => void;
  readonly open: (tag: string, attributes: Attributes, self_closing: boolean) => void;
  readonly close: (tag: string) => void;
  /** The inside of an element that holds no tags (`style`, `title`, `script` …), after its `open` and before its `close`. */
  readonly raw: (tag: string, text: string) => void;
  readonly doctype?: () => void;
  /** Is told the work as it is done: a step for every tag, attribute and piece of text. May end it by a throw. */
  readonly spend: (steps: number) => void;
}

/** Names in lower case; of two of one name the first counts. Values hold character references as they came. */
export type Attributes = ReadonlyMap<string, string>;

const RAW: ReadonlySet<string> = new Set([
  ...["script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "title", "textarea", "plaintext"],
]);
const NAME = /[a-z][^\t\n\f\r />]*/iy;
const BLANK = /[\t\n\f\r ]/;
const COMMENT_END = /--!?>/g;

export function readPage(page: string, on: PageHandler): void {
  let foreign = 0; // `<![CDATA[` means something only inside of svg and math
  let at = 0;
  while (at < page.length) {
    on.spend(1);
    const start = page.indexOf("<", at);
    if (start === -1) {
      on.text(page.slice(at));
      return;
    }
    if (start > at) on.text(page.slice(at, start));
    const next = page.charAt(start + 1);
    if (next === "!" || next === "?") {
      at = afterMarkup(page, start, foreign > 0, on);
      continue;
    }
    const closes = next === "/";
    NAME.lastIndex = start + (closes ? 2 : 1);
    const tag = NAME.exec(page)?.[0].toLowerCase();
    if (tag === undefined) {
      if (closes) at = after(page, ">", start + 2);
      else {
        on.text("<");
        at = start + 1;
      }
      continue;
    }
    const read = readAttributes(page, NAME.lastIndex, on.spend);
    if (read === null) return; // a tag that never ends is no text
    at = read.end;
    if (tag === "svg" || tag === "math") foreign = Math.max(0, foreign + (closes ? -1 : read.self_closing ? 0 : 1));
    if (closes) {
      on.close(tag);
      continue;
    }
    on.open(tag, read.attributes, read.self_closing);
    if (!RAW.has(tag)) continue;
    const end = tag === "script" ? endOfScript(page, at) : endOfRaw(page, tag, at);
    on.raw(tag, page.slice(at, end));
    at = end;
    if (end === page.length) on.close(tag);
  }
}

/** Comments, document types, processing instructions. */
function afterMarkup(page: string, start: number, in_foreign: boolean, on: PageHandler): number {
  if (page.startsWith("<!--", start)) {
    if (page.startsWith(">", start + 4)) return start + 5;
    if (page.startsWith("->", start + 4)) return start + 6;
    COMMENT_END.lastIndex = start + 4;
    return COMMENT_END.exec(page) === null ? page.length : COMMENT_END.lastIndex;
  }
  if (in_foreign && page.startsWith("<![CDATA[", start)) {
    const end = page.indexOf("]]>", start + 9);
    on.text(page.slice(start + 9, end === -1 ? page.length : end).replaceAll("&", "&amp;"));
    return end === -1 ? page.length : end + 3;
  }
  if (/^<!doctype/i.test(page.slice(start, start + 9))) on.doctype?.();
  return after(page, ">", start + 2);
}

function after(page: string, character: string, from: number): number {
  const end = page.indexOf(character, from);
  return end === -1 ? page.length : end + 1;
}

function readAttributes(
  page: string,
  from: number,
  spend: PageHandler["spend"],
): { readonly attributes: Attributes; readonly self_closing: boolean; readonly end: number } | null {
  const attributes = new Map<string, string>();
  let at = from;
  let self_closing = false;
  while (at < page.length) {
    const character = page.charAt(at);
    if (character === ">") return { attributes, self_closing, end: at + 1 };
    if (BLANK.test(character) || character === "/") {
      self_closing = character === "/" && page.charAt(at + 1) === ">";
      at += 1;
      continue;
    }
    spend(1);
    const name_start = at;
    at += 1; // a name may begin with `=`
    while (at < page.length && !/[\t\n\f\r />=]/.test(page.charAt(at))) at += 1;
    const name = page.slice(name_start, at).toLowerCase();
    const value = readValue(page, at);
    if (value === null) return null;
    if (!attributes.has(name)) attributes.set(name, value.text);
    at = value.end;
  }
  return null;
}

function readValue(page: string, from: number): { readonly text: string; readonly end: number } | null {
  const at = skipBlanks(page, from);
  if (page.charAt(at) !== "=") return { text: "", end: from };
  const start = skipBlanks(page, at + 1);
  const quote = page.charAt(start);
  if (quote === '"' || quote === "'") {
    const end = page.indexOf(quote, start + 1);
    return end === -1 ? null : { text: page.slice(start + 1, end), end: end + 1 };
  }
  let end = start;
  while (end < page.length && !/[\t\n\f\r >]/.test(page.charAt(end))) end += 1;
  return { text: page.slice(start, end), end };
}

function skipBlanks(page: string, from: number): number {
  let at = from;
  while (at < page.length && BLANK.test(page.charAt(at))) at += 1;
  return at;
}

function endOfRaw(page: string, tag: string, from: number): number {
  if (tag === "plaintext") return page.length;
  const end = new RegExp(`</${tag}[\\t\\n\\f\\r />]`, "gi");
  end.lastIndex = from;
  return end.exec(page)?.index ?? page.length;
}

/** Inside of `<!--`, a `<script>` in a script hides the next `</script>`. */
function endOfScript(page: string, from: number): number {
  const mark = /<!--|-->|<(\/?)script[\t\n\f\r />]/gi;
  mark.lastIndex = from;
  let escaped = false;
  let nested = false;
  for (let found = mark.exec(page); found !== null; found = mark.exec(page)) {
    if (found[0] === "<!--") {
      escaped = true;
      mark.lastIndex = found.index + 2; // `<!-->` opens and closes
    } else if (found[0] === "-->") escaped = nested = false;
    else if (found[1] === "/" && !nested) return found.index;
    else nested = escaped && found[1] === "";
  }
  return page.length;
}
