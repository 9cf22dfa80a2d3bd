/** From an answer to what is told of it. */
import { STATUS_CODES } from "node:http";
import { readBody } from "./body.ts";
import type { Answer } from "./exchange.ts";

export interface WebPage {
  readonly ok: boolean;
  /** `200 OK`, in the words of the standard and never in the server's. */
  readonly status: string;
  readonly type: string;
  readonly title: string;
  readonly text: string;
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export async function pageOf({ status, content_type, body, cut }: Answer, href: string): Promise<WebPage> {
  const named = STATUS_CODES[status];
  const { kind, name, text } = readBody(content_type, body, cut);
  const page = {
    ok: status >= 200 && status < 300,
    status: named === undefined ? String(status) : `${String(status)} ${named}`,
    type: name,
    title: "",
    text,
    notes: cut ? [`the page is longer than is read: its first ${body.length.toLocaleString("en-US")} bytes`] : [],
  };
  if (body.length === 0) return { ...page, notes: ["the answer is empty"] };
  if (kind === "other")
    return { ...page, notes: [`${body.length.toLocaleString("en-US")} bytes that are not text, and not shown`] };
  if (kind === "text") return page;
  const { textOfHtml } = await import("./html/text.ts");
  const read = await textOfHtml(text, href);
  return { ...page, title: read.title, text: read.text, notes: [...page.notes, ...read.notes] };
}
