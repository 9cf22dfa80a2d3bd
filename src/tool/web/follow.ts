/**
 * From an address to an answer, by way of redirects. The permission was given for one host, so a redirect is followed only within
 * it; every step is read, resolved and checked anew.
 */
import { isIP } from "node:net";
import { type FetchAddress, readFetchAddress } from "../../kernel/url-host.ts";
import { type Lookup, resolveOnce } from "./destination.ts";
import { type Answer, exchange, type ExchangeOptions } from "./exchange.ts";
import { FetchRefusal } from "./refusal.ts";

export interface FollowOptions extends ExchangeOptions {
  readonly lookup: Lookup;
  readonly isAllowed: (address: string) => boolean;
}

export type Followed =
  | { readonly type: "answer"; readonly at: FetchAddress; readonly answer: Answer }
  /** It goes on at another host, or without encryption: a decision of its own. */
  | { readonly type: "elsewhere"; readonly at: FetchAddress; readonly to: FetchAddress; readonly status: number }
  /** It goes on at an address that is never fetched. */
  | { readonly type: "refused"; readonly at: FetchAddress; readonly problem: string };

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export async function follow(from: FetchAddress, signal: AbortSignal, options: FollowOptions): Promise<Followed> {
  let at = from;
  for (let step = 0; step <= options.limits.redirects; step += 1) {
    const destination = await orAborted(resolveOnce(at.host, options.lookup, options.isAllowed), signal);
    const answer = await exchange(at, destination, signal, options);
    if (!REDIRECTS.has(answer.status) || answer.location === undefined) return { type: "answer", at, answer };
    const next = redirectOf(at, answer.location);
    if (typeof next === "string") return { type: "refused", at, problem: next };
    if (!isSameService(at, next)) return elsewhere(at, next, answer.status, options);
    at = next;
  }
  return { type: "refused", at, problem: `there are more than ${String(options.limits.redirects)} redirects in a row` };
}

/** Where it goes on, or why it does not. */
function redirectOf(at: FetchAddress, location: string): FetchAddress | string {
  // What the header says is held to the same spelling as what a model says; only a relative one is completed.
  const absolute = /^[a-z][a-z0-9+.-]*:/i.test(location) ? location : URL.parse(location, at.href)?.href;
  const read = absolute === undefined ? null : readFetchAddress(absolute);
  if (read === null || !read.ok) return `the address that it names ${read?.problem ?? "cannot be read"}`;
  if (at.scheme === "https" && read.address.scheme === "http") return "it goes on without encryption";
  return read.address;
}

/** The same host and port, or the step from the scheme's port to that of the encrypted one. */
function isSameService(at: FetchAddress, next: FetchAddress): boolean {
  const encrypts = at.scheme === "http" && at.port === 80 && next.scheme === "https" && next.port === 443;
  return at.host === next.host && (at.port === next.port || encrypts);
}

/** A name is not resolved for this: it would tell its owner that somebody came by, before anybody allowed that. */
function elsewhere(at: FetchAddress, to: FetchAddress, status: number, { isAllowed }: FollowOptions): Followed {
  const literal = to.host.replace(/^\[|\]$/g, "");
  if (isIP(literal) > 0 && !isAllowed(literal))
    return { type: "refused", at, problem: "the address that it names is not a public one" };
  return { type: "elsewhere", at, to, status };
}

/** The system's resolver cannot be called off: its late answer is dropped. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new FetchRefusal("The call was ended before it connected."));
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
}
