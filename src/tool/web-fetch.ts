/**
 * Fetches a page of the web as text. Never connects to an address that is not public, never sends anything but the address, never
 * goes to another host than the one that was asked for, and shows nothing that the page hides.
 */
import * as z from "zod";
import { type Origin, textPart } from "../kernel/content.ts";
import { lazy } from "../kernel/lazy.ts";
import { TOOL_OUTPUT_CHARS_MAX } from "../kernel/limits.ts";
import { type FetchAddress, readFetchAddress } from "../kernel/url-host.ts";
import { count, failsWith } from "./tool-output.ts";
import type { Tool, ToolContext, ToolOutput } from "./tool.ts";
import type { Lookup } from "./web/destination.ts";
import type { Followed } from "./web/follow.ts";
import { FETCH_LIMITS, type FetchLimits } from "./web/limits.ts";
import type { WebPage } from "./web/page.ts";

/** Characters of a page that one call shows. */
export const FETCH_TEXT_CHARS_MAX = TOOL_OUTPUT_CHARS_MAX - 2_000;
/** Of the body of an answer that is a failure. */
const FAILURE_TEXT_CHARS_MAX = 4_000;

export interface WebFetchOptions {
  /** Absent: the system's resolver. */
  readonly lookup?: Lookup;
  /** Which addresses may be connected to. Absent: the public ones. */
  readonly allowAddress?: (address: string) => boolean;
  /** Absent: `FETCH_LIMITS`. */
  readonly limits?: Partial<FetchLimits>;
  /** Certificates to trust besides the system's, in PEM. */
  readonly ca?: string;
}

const input = lazy(() =>
  z.object({
    url: z.string().min(1),
    offset: z.int().min(0).optional().describe("First character, from 0"),
  }),
);
type WebFetchInput = z.infer<ReturnType<typeof input>>;

export function createWebFetchTool(options: WebFetchOptions = {}): Tool<WebFetchInput> {
  const limits = { ...FETCH_LIMITS, ...options.limits };
  return {
    name: "web_fetch",
    description: "Fetch a public http(s) page as text.",
    input,
    effect: "network",
    idempotent: true,
    limit_ms: limits.total_ms,
    limit_max_ms: limits.total_ms,
    title: ({ url }) => url,
    run: (request, context) => webFetch(request, context, { ...options, limits }),
  };
}

export const webFetchTool: Tool<WebFetchInput> = createWebFetchTool();

async function webFetch(
  { url, offset = 0 }: WebFetchInput,
  context: ToolContext,
  options: WebFetchOptions & { readonly limits: FetchLimits },
): Promise<ToolOutput> {
  const read = readFetchAddress(url);
  if (!read.ok) return failsWith(`The address ${read.problem}. Nothing was fetched.`, "web_fetch");
  if (context.signal.aborted) return stopped(context);
  const [{ follow }, { FetchRefusal }, { isPublicAddress }, { systemLookup }] = await Promise.all([
    import("./web/follow.ts"),
    import("./web/refusal.ts"),
    import("../kernel/public-address.ts"),
    import("./web/destination.ts"),
  ]);
  const { lookup = systemLookup, allowAddress = isPublicAddress, limits, ca } = options;
  try {
    const followed = await follow(read.address, context.signal, {
      ...{ lookup, isAllowed: allowAddress, limits, ca },
      clock: context.clock,
    });
    return context.signal.aborted ? stopped(context) : await resultOf(followed, offset, context);
  } catch (error) {
    if (context.signal.aborted) return stopped(context);
    if (error instanceof FetchRefusal) return failsWith(error.message, "web_fetch");
    throw error;
  }
}

async function resultOf(followed: Followed, offset: number, context: ToolContext): Promise<ToolOutput> {
  const origin: Origin = { from: "web", by: followed.at.href };
  if (followed.type === "refused")
    return told("error", `${followed.at.href} redirects, and ${followed.problem}. It was not followed.`, origin);
  if (followed.type === "elsewhere")
    return told(
      "ok",
      `${followed.at.href} redirects (${String(followed.status)}) to another host, which was not asked:\n` +
        `${followed.to.href}\nCall web_fetch with that address if it is the one you want.`,
      origin,
    );
  const { pageOf } = await import("./web/page.ts");
  const page = await pageOf(followed.answer, followed.at.href);
  return page.ok ? shown(page, followed.at, offset, context) : failed(page, origin, followed.at);
}

async function shown(page: WebPage, at: FetchAddress, offset: number, context: ToolContext): Promise<ToolOutput> {
  const origin: Origin = { from: "web", by: at.href };
  const { text } = page;
  if (offset > 0 && offset >= text.length)
    return told("error", `${at.href} has only ${count(text.length, "character")} of text.`, origin);
  const end = wholeCharacter(text, offset + FETCH_TEXT_CHARS_MAX);
  const is_all = offset === 0 && end >= text.length;
  const output = is_all ? null : await context.keep(text);
  const rest =
    end < text.length
      ? `\n[${count(text.length - end, "more character")} of ${count(text.length, "character")}: go on with offset ${String(end)}; all of it is kept as ${output ?? ""}]`
      : "";
  return { ...told("ok", `${headOf(page, at)}\n\n${text.slice(offset, end)}${rest}`, origin), output };
}

function failed(page: WebPage, origin: Origin, at: FetchAddress): ToolOutput {
  const body = page.text.slice(0, wholeCharacter(page.text, FAILURE_TEXT_CHARS_MAX));
  return told("error", body === "" ? headOf(page, at) : `${headOf(page, at)}\n\n${body}`, origin);
}

function headOf(page: WebPage, at: FetchAddress): string {
  const notes = page.notes.map((note) => `[${note}]`);
  const title = page.title === "" ? [] : [`Title: ${page.title}`];
  return [`${at.href}`, `${page.status}; ${page.type}`, ...title, ...notes].join("\n");
}

function told(status: "ok" | "error", text: string, origin: Origin): ToolOutput {
  return { status, content: [textPart(text, origin)], output: null, exit: null };
}

function stopped({ signal, limit_ms }: ToolContext): ToolOutput {
  const timed_out = signal.reason === "timed_out";
  const text = timed_out
    ? `The page did not come within ${String(limit_ms / 1_000)} s. Try again later, or another source.`
    : "The fetch was canceled.";
  return { ...failsWith(text, "web_fetch"), status: timed_out ? "timed_out" : "canceled" };
}

/** Not between the halves of a character outside the basic plane. */
function wholeCharacter(text: string, end: number): number {
  return /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) && end < text.length ? end - 1 : end;
}
