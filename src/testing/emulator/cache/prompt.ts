/** A prompt as the cache sees it: blocks in the order in which the provider reads them, some of them marked. */

export interface CacheBlock {
  /** Where it stands in the request: `tools.0`, `system.1`, `messages.3.content.0`, `input.2`. */
  readonly path: string;
  /** What the model reads of it, without cache marks. */
  readonly text: string;
  /** The life that its mark asks for; null without a mark. */
  readonly mark: "5m" | "1h" | null;
  /** Not a block that is counted: settings that are part of the prefix from here on. */
  readonly hidden?: true;
}

/** How a provider caches. */
export type CacheKind = "marked" | "automatic";

/** Tokens; the four input counts add up to `total`. */
export interface PromptUsage {
  readonly total: number;
  /** Neither read from the cache nor written to it. */
  readonly input: number;
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
}
