/**
 * What a person trusted in a directory: not the directory for ever, but what stood there at that moment, item by item.
 *
 * T1: an item counts as trusted only with the very content that was shown; what is new or changed waits to be trusted again.
 * T2: what restricts needs no trust. What restricted when somebody trusted the rest is kept until its removal is trusted, too:
 *     an allow rule was weighed together with the deny rules beside it.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { canonicalJson } from "../kernel/json.ts";
import { lazy } from "../kernel/lazy.ts";

/** Directories that are remembered; the oldest is forgotten first. */
export const DIRECTORIES_MAX = 500;
/** Items of one directory. */
const ITEMS_MAX = 5_000;
const TEXT_CHARS_MAX = 64 * 1024;

const ITEM_KINDS = [
  "allow",
  "ask",
  "deny",
  "mode",
  "directory",
  "domain",
  "read",
  "limit",
  "grant",
  "flow",
  "hook",
  "mcp",
  "environment",
] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** One thing that a directory's own files say. */
export interface TrustItem {
  /** The file, below the directory. */
  readonly file: string;
  readonly kind: ItemKind;
  /** All of it: what is not in the text was not shown. */
  readonly text: string;
}

const hash = lazy(() => z.string().regex(/^[0-9a-f]{64}$/));

export const trustedDirectorySchema = lazy(() =>
  z.object({
    /** Absolute, without links. */
    path: z.string().startsWith("/"),
    /** When, in milliseconds since the epoch. */
    at: z.int().nonnegative(),
    files: z.array(z.object({ path: z.string(), hash: hash() })).max(ITEMS_MAX),
    items: z
      .array(z.object({ file: z.string(), kind: z.enum(ITEM_KINDS), text: z.string().max(TEXT_CHARS_MAX) }))
      .max(ITEMS_MAX),
  }),
);
export type TrustedDirectory = Readonly<z.infer<ReturnType<typeof trustedDirectorySchema>>>;

/** How what is there now stands to what was trusted. */
export interface TrustDifference {
  /** There now, and not when it was trusted. */
  readonly added: readonly TrustItem[];
  /** T2: there when it was trusted, and not now. */
  readonly removed: readonly TrustItem[];
}

export function differenceOf(items: readonly TrustItem[], entry: TrustedDirectory | null): TrustDifference {
  const before = new Set((entry?.items ?? []).map(keyOf));
  const now = new Set(items.map(keyOf));
  return {
    added: items.filter((item) => !before.has(keyOf(item))),
    removed: (entry?.items ?? []).filter((item) => !now.has(keyOf(item))),
  };
}

/** One hash of everything that a directory's files say, whatever its order. */
export function hashOfItems(items: readonly TrustItem[]): string {
  const keys = [...new Set(items.map(keyOf))].sort();
  return createHash("sha256").update(canonicalJson(keys)).digest("hex");
}

/** What can be remembered: what is longer, or beyond so many, stays without trust. */
export function rememberable(items: readonly TrustItem[]): readonly TrustItem[] {
  return items.filter(({ text }) => text.length <= TEXT_CHARS_MAX).slice(0, ITEMS_MAX);
}

/** T1. */
export function keyOf({ file, kind, text }: TrustItem): string {
  return canonicalJson([file, kind, text]);
}
