/**
 * How much of a request a provider finds in its cache from the one before: what both have in common from the front, in the
 * order in which a provider reads it (tools, system, messages). Marks that only say where to cache are no part of it.
 */

interface Sent {
  readonly tools?: unknown;
  readonly system?: unknown;
  readonly messages?: readonly { readonly role?: unknown; readonly content?: unknown }[];
}

const CACHE_MARK = "cache_control";

/** The text of a prompt, piece by piece: one that goes on where another ended begins with the whole of that other. */
export function promptText(body: Uint8Array): string {
  const { tools, system, messages = [] } = JSON.parse(Buffer.from(body).toString("utf8")) as Sent; // what we were sent; absent members are looked at as such
  const pieces = messages.flatMap(({ role, content }) =>
    (Array.isArray(content) ? content : [content]).map((block: unknown) => `${String(role)} ${plain(block)}`),
  );
  return [plain(tools), plain(system), ...pieces].join("\n");
}

/** @returns what of the earlier prompt the later one begins with, from 0 to 1 */
export function keptShare(earlier: Uint8Array, later: Uint8Array): number {
  const before = promptText(earlier);
  const after = promptText(later);
  let same = 0;
  while (same < before.length && before[same] === after[same]) same++;
  return same / before.length;
}

/** The worst share that any request of a session kept of the one before it. */
export function worstShare(bodies: readonly Uint8Array[]): number {
  return Math.min(1, ...bodies.slice(1).map((body, n) => keptShare(bodies[n] ?? new Uint8Array(), body)));
}

function plain(value: unknown): string {
  return JSON.stringify(value, (key, member: unknown) => (key === CACHE_MARK ? undefined : member)) ?? "";
}
