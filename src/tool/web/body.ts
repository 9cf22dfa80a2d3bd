/** What a body is, and its text: by what the server says, and by the bytes where it says nothing or something untrue. */
import { kindOfBytes } from "../file-kind.ts";

export type BodyKind = "html" | "text" | "other";

export interface ReadBody {
  readonly kind: BodyKind;
  /** As it is told to the model: the media type, or what the bytes are. */
  readonly name: string;
  readonly text: string;
}

const HTML = /^(?:text\/html|application\/xhtml\+xml)$/;
const TEXT =
  /^(?:text\/.+|(?:application|message|model)\/(?:.+\+)?(?:json|xml|yaml|toml|csv)|application\/(?:x-)?(?:ndjson|jsonl|json5|ld\+json|javascript|ecmascript|typescript|yaml|toml|sh|sql|graphql|httpd-php|ruby|python|perl|tex|latex|rtf|xml-dtd|pem-file|x-www-form-urlencoded)|image\/svg\+xml)$/;
const SNIFFED_CHARS = 1_024;
const HTML_START = /^\s*(?:<!--[\s\S]*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|script|meta|div|p|h1|table)\b/i;
const MEDIA_TYPE_CHARS_MAX = 80;

/** @param cut the body goes on after its last byte */
export function readBody(content_type: string, body: Uint8Array, cut: boolean): ReadBody {
  const { media, charset } = parseContentType(content_type);
  const found = kindOfBytes(body);
  const is_text = found === "text" || found === "UTF-16 text" || /^utf-?(?:16|32)/i.test(charset ?? "");
  const kind: BodyKind = media === "" ? "text" : HTML.test(media) ? "html" : TEXT.test(media) ? "text" : "other";
  if (kind === "other") return { kind, name: media, text: "" };
  if (!is_text) return { kind: "other", name: media === "" ? found : `${found}, said to be ${media}`, text: "" };
  const named = markedCharset(body) ?? charset ?? (kind === "html" || media === "" ? charsetOfDocument(body) : null);
  const text = decode(body, named, cut);
  const sniffed = media === "" && HTML_START.test(text.slice(0, SNIFFED_CHARS)) ? "html" : kind;
  return { kind: sniffed, name: media === "" ? "no content type" : media, text };
}

/** Only what a media type may consist of; a server's words are shown to nobody. */
function parseContentType(header: string): { readonly media: string; readonly charset: string | null } {
  const [media = "", ...parameters] = header.toLowerCase().split(";");
  const valid = /^[\w.+-]+\/[\w.+-]+$/.test(media.trim()) && media.length <= MEDIA_TYPE_CHARS_MAX;
  const charset = parameters.map((each) => /^\s*charset\s*=\s*["']?([\w.:-]+)/.exec(each)?.[1]).find(Boolean);
  return { media: valid ? media.trim() : "", charset: charset ?? null };
}

/** What is named, else UTF-8 where it fits, else what browsers assume. */
function decode(body: Uint8Array, charset: string | null, cut: boolean): string {
  const decoder = charset === null ? null : decoderFor(charset);
  if (decoder !== null) return decoder.decode(body);
  try {
    // Where it was cut, the last character may be half a one.
    return new TextDecoder("utf-8", { fatal: true }).decode(body, { stream: cut });
  } catch (error) {
    if (error instanceof TypeError) return new TextDecoder("windows-1252").decode(body);
    throw error;
  }
}

function markedCharset(body: Uint8Array): string | null {
  const [a, b, c] = body;
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return a === 0xff && b === 0xfe ? "utf-16le" : null;
}

function charsetOfDocument(body: Uint8Array): string | null {
  const start = new TextDecoder("latin1").decode(body.subarray(0, SNIFFED_CHARS));
  const named =
    /<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(start)?.[1] ??
    /^<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)/i.exec(start)?.[1];
  if (named === undefined) return null;
  return /^utf-?16/i.test(named) ? "utf-8" : named; // it could not have been read so far
}

function decoderFor(label: string): InstanceType<typeof TextDecoder> | null {
  try {
    return new TextDecoder(label);
  } catch (error) {
    if (error instanceof RangeError) return null; // nobody knows such a charset
    throw error;
  }
}
