/** A moment as people name it for permissions: a day, an instant, so long ago, or a commit. */
import { HarnessError } from "../kernel/harness-error.ts";

export type Since = { readonly at: number } | { readonly commit: string };

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const REVISION_CHARS_MAX = 200;

/** @param now milliseconds since the epoch @throws HarnessError `usage` */
export function sinceOf(text: string, now: number): Since {
  const said = text.trim();
  const [, count, unit] = /^(\d{1,4})([hdw])$/.exec(said) ?? [];
  if (count !== undefined) return { at: now - Number(count) * (UNITS_MS[unit ?? ""] ?? 0) };
  if (/^\d{4}-\d\d-\d\d(?:$|[T ])/.test(said)) return { at: instantOf(said) };
  // What git would take for an option, or for something else than one commit.
  if (!/^[\w@][\w./@{}^~+-]*$/.test(said) || said.includes("..") || said.length > REVISION_CHARS_MAX)
    throw unusable(said);
  return { commit: said };
}

function instantOf(text: string): number {
  const day = text.slice(0, 10);
  const at = Date.parse(text.length === day.length ? `${day}T00:00:00Z` : text.replace(" ", "T"));
  // 31 February is read as a day of March elsewhere.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(at) || Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day))
    throw unusable(text);
  return at;
}

function unusable(text: string): HarnessError {
  return new HarnessError(
    "usage",
    `--since ${text.slice(0, REVISION_CHARS_MAX)} is no moment.`,
    "Give a day such as 2026-11-01, 12h, 7d or 4w, or a commit.",
  );
}
