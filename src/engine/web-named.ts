/**
 * Which addresses the web itself has named to a session: what its pages link to, where they were, and the directories above. An
 * address that the model puts together itself is none of them, whatever it is made of.
 */
import type { PlainPart } from "../kernel/content.ts";
import type { SessionState } from "../kernel/state.ts";
import { readFetchAddress } from "../kernel/url-host.ts";

/** What an address ends at in a text: blanks, quotes, brackets, and what surrounds links in Markdown, HTML and JSON. */
const AROUND = /[\s<>"'`()[\]{}|\\]+/;
const RELATIVE = /^(?:\.{1,2}\/)+|^\/(?!\/)/;

export function namedByTheWeb(messages: SessionState["messages"], url: string): boolean {
  const wanted = hrefOf(url);
  return wanted !== null && webParts(messages).some((part) => names(part, wanted));
}

interface WebPart {
  readonly text: string;
  /** Where it was fetched. */
  readonly at: string;
}

/** Only what the web answered: what a command printed or a file holds may be the model's own words. */
function webParts(messages: SessionState["messages"]): readonly WebPart[] {
  const plain = messages.flatMap(({ parts }) =>
    parts.flatMap((part): readonly PlainPart[] => (part.type === "tool_result" ? part.content : [])),
  );
  return plain.flatMap((part) =>
    part.type === "text" && part.origin.from === "web" ? [{ text: part.text, at: part.origin.by ?? "" }] : [],
  );
}

function names({ text, at }: WebPart, wanted: string): boolean {
  if (at === wanted || isAbove(wanted, at) || standsIn(text, wanted)) return true;
  return text.split(AROUND).some((word) => {
    const link = word.replace(/[.,;:!?]+$/, "");
    if (/^https?:\/\//i.test(link)) return hrefOf(link) === wanted || hrefOf(word) === wanted;
    const relative = link.replace(RELATIVE, "").replace(/#.*$/, "");
    if (relative === link || !wanted.includes(relative)) return false;
    return hrefOf(URL.parse(link, at)?.href ?? "") === wanted;
  });
}

/** As a whole, whatever signs it is made of: `https://example.com/Shell_(Unix)`. */
function standsIn(text: string, wanted: string): boolean {
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const before = text.charAt(at - 1);
    const after = text.slice(at + wanted.length, at + wanted.length + 2);
    if (!/[\w/]/.test(before) && /^(?:$|#|[\s<>"'`)\]}|]|[.,;:!?](?:\s|$))/.test(after)) return true;
  }
  return false;
}

/** `https://example.com/guide/` of `https://example.com/guide/start`. */
function isAbove(wanted: string, at: string): boolean {
  return wanted.endsWith("/") && !wanted.includes("?") && at.startsWith(wanted);
}

function hrefOf(url: string): string | null {
  const read = readFetchAddress(url);
  return read.ok ? read.address.href : null;
}
