/**
 * Writes a page anew with nothing but what a reader sees: text, and the few tags that give it its shape. No script, style, comment,
 * form value or attribute is left; an address only in a link; what hides is taken out by `look.ts`.
 *
 * H4: what is written is well formed, at most `WRITTEN_DEPTH_MAX` deep, and holds no `<` that is not a tag of `WRITTEN`.
 */
import { type Cascade, cascadeOf, styledElement } from "./cascade.ts";
import { isShown, type Look, lookOf, rootLook } from "./look.ts";
import { type OpenElement, OpenElements } from "./open-elements.ts";
import { type Decode, textDecoder, withoutReferences } from "./references.ts";
import { type Attributes, readPage } from "./tokens.ts";

export interface VisiblePage {
  /** Tags and text; in the text no character reference is left, and `shownText` puts its signs back. */
  readonly html: string;
  readonly title: string;
  readonly elements: number;
  /** It took too much work to tell what is hidden: what follows was left out. */
  readonly cut: boolean;
  /** Its styles are more than are read. */
  readonly unsure: boolean;
}

/** What reading a page may cost: tags, attributes, comparisons of styles. An ordinary page takes 150,000 for a megabyte. */
const STEPS_MAX = 1_000_000;
/** Steps that one takes as long as: to resolve an address, to read a character reference. */
const LINK_STEPS = 4;
const REFERENCE_STEPS = 2;
const WRITTEN_DEPTH_MAX = 40;
const TITLE_CHARS_MAX = 300;
/** A longer one describes nothing. */
const ALT_CHARS_MAX = 150;
const LINK_CHARS_MAX = 1_000;

const WRITTEN: Readonly<Record<string, string>> = {
  ...{ h1: "h1", h2: "h2", h3: "h3", h4: "h4", h5: "h5", h6: "h6", p: "p", ul: "ul", ol: "ol", li: "li", pre: "pre" },
  ...{
    listing: "pre",
    xmp: "pre",
    plaintext: "pre",
    blockquote: "blockquote",
    table: "table",
    tr: "tr",
    td: "td",
    th: "th",
  },
  ...{ code: "code", a: "a", menu: "ul", dir: "ul" },
};
const BLOCKS = new Set(
  (
    "address article aside body caption center dd details dialog div dl dt fieldset figcaption figure footer form header hgroup legend " +
    "main nav option search section summary"
  ).split(" "),
);
/** Nothing of it is text for a reader. */
const NEVER_SHOWN = new Set(
  (
    "annotation annotation-xml applet audio canvas datalist frameset iframe map meter noembed noframes noscript object progress rp " +
    "script select style svg template textarea title video"
  ).split(" "),
);
const VOID = new Set(
  "area base basefont bgsound br col embed frame hr img image input keygen link meta param source track wbr".split(" "),
);
const RAW_SHOWN = new Set(["xmp", "plaintext"]);

class TooMuchWork extends Error {}

/** Stand for `<` and `&` in what is written, so that nobody takes a text for a tag. Private use: no page has a meaning for them. */
const LESS_THAN = "\ue0f0";
const AMPERSAND = "\ue0f1";

/** @param decode absent: only references that stand for ASCII characters are known */
export function visiblePage(page: string, base: string, decode: Decode = withoutReferences): VisiblePage {
  const decoded = textDecoder(decode);
  const head = readHead(page, base);
  const writer = new Writer(allowance(), decoded);
  const title = decoded(head.title).replace(/\s+/g, " ").trim();
  try {
    const spend = allowance();
    const cascade = cascadeOf(head.styles, spend);
    write(page, head, cascade, { writer, spend });
    return { html: writer.finish(), title, elements: writer.elements, cut: head.cut, unsure: cascade.cut };
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    return { html: writer.finish(), title, elements: writer.elements, cut: true, unsure: false };
  }
}

/** Ends the work by a throw when it is used up. */
function allowance(): (steps: number) => void {
  let left = STEPS_MAX;
  return (steps) => {
    left -= steps;
    if (left < 0) throw new TooMuchWork();
  };
}

interface Head {
  readonly title: string;
  readonly styles: string;
  readonly base: string;
  readonly quirks: boolean;
  /** Styles come from elsewhere, too. */
  readonly unseen_styles: boolean;
  /** What comes late in the page was not looked at; it is not written either, because that takes more steps. */
  readonly cut: boolean;
}

function readHead(page: string, base: string): Head {
  const styles: string[] = [];
  const found = { title: "", base: "", quirks: true, unseen_styles: false, cut: false };
  let svg = 0; // a `title` in there is that of a picture
  try {
    readPage(page, {
      spend: allowance(),
      text: () => undefined,
      open: (tag, attributes) => {
        if (tag === "svg") svg += 1;
        if (tag === "base" && found.base === "") found.base = attributes.get("href") ?? "";
        if (tag === "link" && /stylesheet/i.test(attributes.get("rel") ?? "")) found.unseen_styles = true;
      },
      close: (tag) => {
        if (tag === "svg") svg = Math.max(0, svg - 1);
      },
      raw: (tag, text) => {
        if (tag === "style") styles.push(text);
        if (tag === "title" && svg === 0 && found.title === "") found.title = titleOf(text);
      },
      doctype: () => {
        found.quirks = false;
      },
    });
  } catch (error) {
    if (!(error instanceof TooMuchWork)) throw error;
    found.cut = true;
  }
  const own_base = found.base === "" ? null : webAddress(found.base, base);
  return { ...found, styles: styles.join("\n"), base: own_base ?? base };
}

function titleOf(text: string): string {
  return text.slice(0, TITLE_CHARS_MAX).replace(/\s+/g, " ").trim();
}

function write(
  page: string,
  { base, quirks, unseen_styles }: Head,
  { declaredOf }: Cascade,
  { writer, spend }: { readonly writer: Writer; readonly spend: (steps: number) => void },
): void {
  const root = rootLook(unseen_styles);
  const lookNow = (): Look => elements.list.at(-1)?.look ?? root;
  const enter = (element: Pick<OpenElement, "tag" | "attributes" | "id" | "classes">): void => {
    const { tag, attributes } = element;
    const declared = declaredOf(element, elements.list);
    const seen = lookOf(lookNow(), declared, attributes, tag === "html" || tag === "body");
    const look = isNeverShown(tag, attributes) && !seen.gone ? { ...seen, gone: true } : seen;
    elements.push({ ...element, declared, look, written: isShown(look) ? writer.open(tag, attributes, base) : 0 });
  };
  const elements: OpenElements = new OpenElements({
    ...{ quirks, spend },
    onEnd: (element) => {
      writer.end(element.tag, element.written, isShown(element.look));
    },
    onTakenOver: enter,
  });
  readPage(page, {
    spend,
    text: (raw) => {
      if (isShown(lookNow())) writer.text(raw);
    },
    raw: (tag, text) => {
      if (RAW_SHOWN.has(tag) && isShown(lookNow())) writer.text(text.replaceAll("&", "&amp;"));
    },
    open: (tag, attributes, self_closing) => {
      elements.beforeStart(tag);
      if (VOID.has(tag)) {
        const look = lookOf(lookNow(), declaredOf(styledElement(tag, attributes), elements.list), attributes, false);
        if (isShown(look)) writer.single(tag, attributes);
        return;
      }
      enter(styledElement(tag, attributes));
      if (self_closing && (tag === "svg" || tag === "math")) elements.end(tag);
    },
    close: (tag) => {
      if (tag === "br") writer.single("br", new Map());
      else elements.end(tag);
    },
  });
}

function isNeverShown(tag: string, attributes: Attributes): boolean {
  return NEVER_SHOWN.has(tag) || (tag === "dialog" && !attributes.has("open"));
}

/** An address that leads to a page, or null: `data:`, `javascript:` and what cannot be read lead nowhere. */
function webAddress(raw: string, base: string): string | null {
  const url = raw.length > LINK_CHARS_MAX ? null : URL.parse(withoutReferences(raw).trim(), base);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
  return url.username === "" && url.password === "" && url.href.length <= LINK_CHARS_MAX ? url.href : null;
}

/** H4. */
class Writer {
  elements = 0;
  readonly #pieces: string[] = [];
  readonly #open: string[] = [];
  readonly #spend: (steps: number) => void;
  readonly #decoded: (text: string) => string;
  #pre = 0;

  constructor(spend: (steps: number) => void, decoded: (text: string) => string) {
    this.#spend = spend;
    this.#decoded = decoded;
  }

  /** The depth after it, or 0 when nothing was written. */
  open(tag: string, attributes: Attributes, base: string): number {
    const name = WRITTEN[tag] ?? (BLOCKS.has(tag) ? "div" : null);
    if (name === null || this.#pre > 0) return 0;
    if (this.#open.length >= WRITTEN_DEPTH_MAX) {
      if (name !== "a" && name !== "code") this.single("br", new Map());
      return 0;
    }
    const href = name === "a" ? webAddress(attributes.get("href") ?? "#", base) : null;
    if (name === "a" && (href === null || attributes.get("href")?.trim().startsWith("#") !== false)) return 0;
    this.elements += 1;
    if (name === "a") this.#spend(LINK_STEPS);
    this.#pieces.push(
      href === null ? `<${name}>` : `<a href="${href.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}">`,
    );
    if (name === "pre") {
      this.#pre += 1;
      this.#pieces.push("<code>");
    }
    return this.#open.push(name);
  }

  end(tag: string, depth: number, shown: boolean): void {
    if (depth === 0) {
      if (shown && this.#pre === 0 && (WRITTEN[tag] !== undefined || BLOCKS.has(tag)) && tag !== "a" && tag !== "code")
        this.#pieces.push("<br>");
      return;
    }
    while (this.#open.length >= depth) {
      const name = this.#open.pop();
      if (name === "pre") {
        this.#pre -= 1;
        this.#pieces.push("</code>");
      }
      this.#pieces.push(`</${name ?? ""}>`);
    }
  }

  single(tag: string, attributes: Attributes): void {
    this.elements += 1;
    if (tag === "br" || tag === "hr") this.#pieces.push(this.#pre > 0 ? "\n" : `<${tag}>`);
    if (tag !== "img" && tag !== "image") return;
    const alt = attributes.get("alt")?.replace(/\s+/g, " ").trim() ?? "";
    if (alt !== "" && alt.length <= ALT_CHARS_MAX) this.text(`[image: ${alt}]`);
  }

  text(raw: string): void {
    for (let at = raw.indexOf("&"); at !== -1; at = raw.indexOf("&", at + 1)) this.#spend(REFERENCE_STEPS);
    this.#pieces.push(escaped(this.#decoded(raw)));
  }

  finish(): string {
    this.end("", 1, true);
    return this.#pieces.join("");
  }
}

function escaped(text: string): string {
  return text
    .replace(/[\ue0f0\ue0f1]/g, "\ufffd")
    .replaceAll("<", LESS_THAN)
    .replaceAll("&", AMPERSAND);
}

/** What was written, after its tags were read. */
export function shownText(text: string): string {
  return text.replaceAll(LESS_THAN, "<").replaceAll(AMPERSAND, "&");
}
