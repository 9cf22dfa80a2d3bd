/** How full a session's context is, in one short phrase: for the end of a run, and for a session told from its journal. */
import { windowOf } from "../../kernel/compaction.ts";
import type { Event } from "../../kernel/events/index.ts";
import { promptTokens } from "../../kernel/usage.ts";
import { formatCount, formatShare, plural } from "./format.ts";

export interface ContextUse {
  /** Of the last prompt that a provider counted; null before the first. */
  readonly tokens: number | null;
  readonly window: number;
  readonly compactions: number;
  /** Tokens. */
  readonly freed: number;
}

/** Less of the window is no news. */
const SHARE_TOLD_MIN = 0.01;

/** `39 % of 30.0k tokens, 16 compactions freed 121k`; null where there is nothing to tell. */
export function contextPhrase({ tokens, window, compactions, freed }: ContextUse): string | null {
  const share = (tokens ?? 0) / window;
  if (share < SHARE_TOLD_MIN && compactions === 0) return null;
  const done = compactions === 0 ? "" : `, ${plural(compactions, "compaction")} freed ${formatCount(freed)}`;
  return `${formatShare(share)} of ${formatCount(window)} tokens${done}`;
}

export const NO_USE: ContextUse = { tokens: null, window: windowOf({ config: null }), compactions: 0, freed: 0 };

/** From events alone. A summary's prompt is that of the turn before, with another end. */
export function usedContext(use: ContextUse, event: Event): ContextUse {
  switch (event.kind) {
    case "SessionConfigured":
    case "SettingsChanged":
      return { ...use, window: windowOf({ config: event.data.config }) };
    case "ModelCallFinished": {
      const tokens = promptTokens(event.data.usage);
      return tokens === 0 ? use : { ...use, tokens };
    }
    case "ContextCompacted": {
      const { layer, before, after } = event.data;
      if (layer === "fresh") return use;
      return { ...use, compactions: use.compactions + 1, freed: use.freed + Math.max(0, before - after) };
    }
    default:
      return use;
  }
}
