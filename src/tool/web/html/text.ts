/**
 * From a page to text a model reads: what can be seen, as Markdown. Pages too large for that come as plain text, in a time that
 * grows with their length and not faster.
 */
import { invariant } from "../../../kernel/harness-error.ts";
import { shownText, visiblePage } from "./visible.ts";

export interface PageText {
  readonly title: string;
  readonly text: string;
  readonly notes: readonly string[];
}

/** Of what is seen, tags included. Above, Markdown takes too long: a megabyte takes a second. */
const MARKDOWN_CHARS_MAX = 400_000;
const MARKDOWN_ELEMENTS_MAX = 8_000;

/** What is used of the packages; their types want a browser's. */
interface PageNode {
  readonly textContent: string | null;
}
interface LinkNode {
  readonly getAttribute: (name: string) => string | null;
}
interface Services {
  readonly parse: (html: string) => PageNode;
  readonly markdown: (node: PageNode) => string;
}

export async function textOfHtml(page: string, base: string): Promise<PageText> {
  const { parse, markdown } = await services();
  const seen = visiblePage(page, base, (reference) => parse(reference).textContent ?? "");
  const is_small = seen.html.length <= MARKDOWN_CHARS_MAX && seen.elements <= MARKDOWN_ELEMENTS_MAX;
  const text = is_small ? markdown(parse(seen.html)) : plain(seen.html);
  return {
    title: seen.title,
    text: tidy(shownText(text)),
    notes: [
      ...(text.trim() === "" ? ["the page shows no text without scripts"] : []),
      ...(is_small ? [] : ["the page is large: its plain text"]),
      ...(seen.cut ? ["the page is too intricate to be read to its end"] : []),
      ...(seen.unsure ? ["its styles are too many to tell for certain what it hides"] : []),
    ],
  };
}

/** The page was written by us: between `<` and `>` there is nothing but a tag. */
function plain(html: string): string {
  return html
    .replace(/<\/?(?:a|code)\b[^<>]*>/g, "")
    .replace(/<li>/g, "\n- ")
    .replace(/<\/(?:td|th)>/g, " | ")
    .replace(/<[^<>]*>/g, "\n");
}

/** Blank lines in a row say nothing, and what a screen would load as an image stays a text. */
function tidy(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  return lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .replaceAll("![", "!\\[")
    .trim();
}

let loaded: Promise<Services> | null = null;

/** Both packages cost a tenth of a second: nobody pays for them who fetches nothing. */
function services(): Promise<Services> {
  return (loaded ??= load());
}

async function load(): Promise<Services> {
  const [{ DOMParser }, { default: Turndown }] = await Promise.all([import("linkedom"), import("turndown")]);
  const service = new Turndown({ headingStyle: "atx", codeBlockStyle: "fenced", bulletListMarker: "-", hr: "---" });
  service.escape = (text) => text; // for a reader of text; what could load something is taken care of above
  service.addRule("link", {
    filter: "a",
    replacement: (content, node: unknown) => {
      const href = (node as LinkNode).getAttribute("href"); // the filter lets nothing else through
      const label = content.replace(/\s+/g, " ").trim();
      return label === "" || href === null ? label : `[${label}](${href})`;
    },
  });
  service.addRule("cell", {
    filter: ["td", "th"],
    replacement: (content) => (content.trim().includes("\n") ? `\n\n${content.trim()}\n\n` : `${content.trim()} | `),
  });
  service.addRule("row", { filter: "tr", replacement: (content) => `\n${content.replace(/ \| $/, "")}\n` });
  return {
    parse: (html) => {
      const parsed = new DOMParser().parseFromString(`<div>${html}</div>`, "text/html");
      const written: PageNode | null = parsed.firstElementChild;
      invariant(written !== null, "invariant H5: the element that was written is parsed");
      return written;
    },
    markdown: (node) => service.turndown(node),
  };
}
