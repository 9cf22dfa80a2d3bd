/**
 * Which elements are open while a page is read, as browsers keep it: end tags that are left out, that close nothing, or that may not
 * reach past a table. It decides where a hidden element ends, and so which text it hides.
 *
 * H3: where this differs from a browser, a hidden element lasts longer here and never shorter.
 */
import type { StyledElement } from "./cascade.ts";
import type { Declared, Look } from "./look.ts";

export interface OpenElement extends StyledElement {
  readonly declared: Declared;
  readonly look: Look;
  /** Open tags of the written page when this one was written; 0 where none was. */
  readonly written: number;
}

const FORMATTING = new Set("a b big code em font i nobr s small strike strong tt u".split(" "));
const MARKERS = new Set("applet marquee object td th caption template".split(" "));
const SCOPE = new Set(
  "applet caption html table td th marquee object template foreignobject desc annotation-xml".split(" "),
);
const TABLE_SCOPE = new Set(["html", "table", "template"]);
const CELLS = ["td", "th"];
const SECTIONS = ["tbody", "thead", "tfoot", "caption"];
const LISTS = ["ul", "ol"];
const PAGE = new Set(["html", "body", "head"]);
const HEADINGS = new Set(["h1", "h2", "h3", "h4", "h5", "h6"]);
const CLOSES_P = new Set(
  (
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup main menu nav " +
    "ol p search section summary ul h1 h2 h3 h4 h5 h6 pre listing form li dd dt plaintext hr xmp"
  ).split(" "),
);
const BLOCKS = new Set(
  (
    "address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer header hgroup " +
    "listing main menu nav ol pre search section summary ul select"
  ).split(" "),
);
const TABLE_PARTS = new Set("caption colgroup table tbody td tfoot th thead tr".split(" "));
const SPECIAL = new Set([
  ...[
    ...CLOSES_P,
    ...BLOCKS,
    ...TABLE_PARTS,
    ...MARKERS,
    "body",
    "html",
    "foreignobject",
    "desc",
    "iframe",
    "noscript",
  ],
  ...["script", "style", "textarea", "title", "xmp"],
]);
/** Formatting without attributes is taken over this often, as browsers do with equal ones. */
const EQUAL_FORMATTING_MAX = 3;

export interface OpenElementsOptions {
  /** Without a document type a table may stand in a paragraph. */
  readonly quirks: boolean;
  readonly spend: (steps: number) => void;
  readonly onEnd: (element: OpenElement) => void;
  /** An element of formatting goes on after the block that it began in: the same, in its new place. */
  readonly onTakenOver: (element: OpenElement) => void;
}

type Test = (tag: string) => boolean;

export class OpenElements {
  readonly #list: OpenElement[] = [];
  readonly #counts = new Map<string, number>();
  readonly #options: OpenElementsOptions;

  constructor(options: OpenElementsOptions) {
    this.#options = options;
  }

  /** Outermost first. */
  get list(): readonly OpenElement[] {
    return this.#list;
  }

  /** No page that anybody reads is hundreds deep; one that is pays for it. */
  push(element: OpenElement): void {
    this.#options.spend(this.#list.length >> 8);
    this.#tally(element.tag, 1);
    this.#list.push(element);
  }

  /** Ends what the start of this tag ends by itself. */
  beforeStart(tag: string): void {
    if (tag === "li") this.#endFrom(this.#item(["li"]));
    else if (tag === "dd" || tag === "dt") this.#endFrom(this.#item(["dd", "dt"]));
    else if (tag === "td" || tag === "th") this.#endInTable(CELLS);
    else if (tag === "tr") this.#endInTable([...CELLS, "tr"]);
    else if (TABLE_PARTS.has(tag) && tag !== "table") this.#endInTable([...CELLS, "tr", ...SECTIONS]);
    else if (tag === "a" && this.#isOpen("a")) this.#endOne(this.#find(is("a"), (each) => MARKERS.has(each)));
    else if (tag === "button") this.#endFrom(this.#inScope("button", SCOPE));
    if (CLOSES_P.has(tag) || (tag === "table" && !this.#options.quirks)) this.#endParagraph();
    if (HEADINGS.has(tag) && HEADINGS.has(this.#list.at(-1)?.tag ?? "")) this.#endFrom(this.#list.length - 1);
  }

  end(tag: string): void {
    if (HEADINGS.has(tag)) this.#endFrom(this.#find(isHeading, (each) => SCOPE.has(each)));
    else if (!this.#isOpen(tag) || PAGE.has(tag)) return;
    else if (tag === "p") this.#endParagraph();
    else if (FORMATTING.has(tag) || tag === "form") this.#endOne(this.#inScope(tag, SCOPE));
    else if (tag === "li") this.#endFrom(this.#inScope(tag, SCOPE, LISTS));
    else if (TABLE_PARTS.has(tag)) this.#endFrom(this.#inScope(tag, TABLE_SCOPE));
    else if (BLOCKS.has(tag) || MARKERS.has(tag) || tag === "dd" || tag === "dt")
      this.#endFrom(this.#inScope(tag, SCOPE));
    else this.#endFrom(this.#find(is(tag), (each) => SPECIAL.has(each)));
  }

  /** The innermost one that is wanted, unless something that stops the search lies further in. */
  #find(wanted: Test, stops: Test): number {
    for (let at = this.#list.length - 1; at >= 0; at -= 1) {
      const tag = this.#list[at]?.tag ?? "";
      if (!wanted(tag) && !stops(tag)) continue;
      this.#options.spend(this.#list.length - at);
      return wanted(tag) ? at : -1;
    }
    this.#options.spend(this.#list.length);
    return -1;
  }

  #inScope(tag: string, scope: ReadonlySet<string>, also: readonly string[] = []): number {
    return this.#isOpen(tag) ? this.#find(is(tag), (each) => scope.has(each) || also.includes(each)) : -1;
  }

  #item(tags: readonly string[]): number {
    const passes = ["address", "div", "p"];
    return this.#find(
      (each) => tags.includes(each),
      (each) => SPECIAL.has(each) && !passes.includes(each),
    );
  }

  #endParagraph(): void {
    this.#endFrom(this.#inScope("p", SCOPE, ["button"]));
  }

  #endInTable(tags: readonly string[]): void {
    for (const tag of tags) this.#endFrom(this.#inScope(tag, TABLE_SCOPE));
  }

  #endFrom(at: number): void {
    if (at < 0) return;
    const ended = this.#list.splice(at);
    this.#options.spend(ended.length);
    for (const element of ended.toReversed()) {
      this.#tally(element.tag, -1);
      this.#options.onEnd(element);
    }
    // Formatting that began before a marker goes on; what began after it ends with it.
    const marker = ended.findIndex(({ tag }) => MARKERS.has(tag));
    const lasting = ended.slice(1, marker === -1 ? undefined : Math.max(1, marker));
    for (const element of lasting) {
      if (!FORMATTING.has(element.tag)) continue;
      const is_plain = element.attributes.size === 0 && (this.#counts.get(element.tag) ?? 0) >= EQUAL_FORMATTING_MAX;
      if (!is_plain) this.#options.onTakenOver(element);
    }
  }

  /** Takes one out from between others, which stay where they are. */
  #endOne(at: number): void {
    const [element] = at < 0 ? [] : this.#list.splice(at, 1);
    if (element === undefined) return;
    this.#tally(element.tag, -1);
    this.#options.onEnd(element);
  }

  #isOpen(tag: string): boolean {
    return (this.#counts.get(tag) ?? 0) > 0;
  }

  #tally(tag: string, by: number): void {
    this.#counts.set(tag, (this.#counts.get(tag) ?? 0) + by);
  }
}

function is(tag: string): Test {
  return (each) => each === tag;
}

function isHeading(tag: string): boolean {
  return HEADINGS.has(tag);
}
