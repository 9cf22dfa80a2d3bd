/**
 * How full the context was at each turn, and what was done about it: a projection of the journal that needs no fold, so that
 * many sessions can be read. What fills it is in `window-parts.ts`.
 *
 * T1: tokens that a provider had read before, and that a prompt still began with, but that were not read from its cache are
 *     lost; they are charged to what broke the beginning since the last call, and to `expired` where nothing did.
 */
import type { SessionConfig } from "../../kernel/config.ts";
import { thresholdOf, windowOf } from "../../kernel/compaction.ts";
import type { Event, EventOf } from "../../kernel/events/index.ts";
import type { ModelCallId } from "../../kernel/ids.ts";
import type { NanoDollars } from "../../kernel/money.ts";
import type { CompactionLayer } from "../../kernel/state.ts";
import { addUsage, NO_USAGE, promptTokens, type Usage } from "../../kernel/usage.ts";

/** What makes a prompt begin otherwise than the one before. `expired`: nothing of the session's; the provider forgot it. */
export const BREAKS = ["compaction", "model_switch", "repin", "prompt_changed", "expired"] as const;
export type Break = (typeof BREAKS)[number];

/** One answered call. A turn that went on has several. */
export interface ContextTurn {
  readonly turn: number;
  /** Of the call's intent. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly model: string;
  /** Of the prompt, as the provider counted; null where it did not. */
  readonly tokens: number | null;
  readonly window: number;
  readonly threshold: number;
  readonly usage: Usage;
  /** What happened since the call before. */
  readonly compactions: readonly CompactionLayer[];
  readonly broke: Break | null;
  /** T1. */
  readonly cache_lost: number;
}

export interface ContextCompaction {
  readonly seq: number;
  readonly turn: number;
  readonly at: number;
  readonly layer: CompactionLayer;
  readonly reason: string;
  /** Likely tokens of the prompt, as journaled. */
  readonly before: number;
  readonly after: number;
  readonly freed: number;
  /** Tokens that had to be written to the cache again: as planned, and as the next call showed. Null: there was none yet. */
  readonly cache_lost: number;
  readonly cache_lost_measured: number | null;
  /** Results that a line stands in for. */
  readonly cleared: number;
  /** What asking the model for a summary cost; null where it was not asked. */
  readonly summary: { readonly usage: Usage; readonly cost: NanoDollars | null } | null;
}

export interface ContextTurns {
  readonly turns: readonly ContextTurn[];
  readonly compactions: readonly ContextCompaction[];
  /** Of all calls, summaries among them. */
  readonly usage: Usage;
  /** Turns and compactions that are another session's: of a fork, or an import. */
  readonly inherited: { readonly turns: number; readonly compactions: number };
}

/** A prompt is cached in pieces: a smaller difference is no loss. Tokens. */
const LOST_TOKENS_MIN = 1_024;

export interface TurnsReading {
  /** In order, every event of one session. */
  take(event: Event): void;
  value(): ContextTurns;
}

interface Open {
  readonly call: ModelCallId;
  readonly seq: number;
  readonly at: number;
  readonly turn: number;
  readonly model: string;
  readonly purpose: "turn" | "summary";
  /** Of prompt and tools, as sent. */
  readonly text: string;
}

export function turnsReading(): TurnsReading {
  return new Reading();
}

class Reading implements TurnsReading {
  #config: SessionConfig | null = null;
  #open: Open | null = null;
  #last: { readonly turn: ContextTurn; readonly text: string } | null = null;
  #breaks: Break[] = [];
  #layers: CompactionLayer[] = [];
  #summary: ContextCompaction["summary"] = null;
  readonly #turns: ContextTurn[] = [];
  readonly #compactions: ContextCompaction[] = [];
  #usage: Usage = NO_USAGE;
  #inherited = { turns: 0, compactions: 0 };

  take(event: Event): void {
    switch (event.kind) {
      case "SessionConfigured":
      case "SettingsChanged":
        this.#config = event.data.config;
        return;
      case "PromptPinned":
        if (event.data.reason === "repin") this.#breaks.push("repin");
        return;
      case "SessionForked":
      case "SessionImported":
        this.#inherited = { turns: this.#turns.length, compactions: this.#compactions.length };
        this.#usage = NO_USAGE;
        return;
      case "ModelCallStarted": {
        const { call, provider, model, purpose, prompt, tools } = event.data;
        const { seq, at, turn } = event;
        this.#open = { call, seq, at, turn, model: `${provider}/${model}`, purpose, text: `${prompt} ${tools}` };
        return;
      }
      case "ModelCallFinished":
        this.#finished(event);
        return;
      case "BudgetSettled":
        this.#settled(event);
        return;
      case "ContextCompacted":
        this.#compacted(event);
        return;
      default:
        return;
    }
  }

  value(): ContextTurns {
    return {
      turns: [...this.#turns],
      compactions: [...this.#compactions],
      usage: this.#usage,
      inherited: this.#inherited,
    };
  }

  #finished({ data }: EventOf<"ModelCallFinished">): void {
    const open = this.#open;
    if (open?.call !== data.call) return;
    if (open.purpose === "summary") {
      this.#summary = { usage: data.usage, cost: null };
      return;
    }
    const broke = this.#brokeBy(open);
    const config = this.#config;
    const prompt = promptTokens(data.usage);
    const turn: ContextTurn = {
      turn: open.turn,
      seq: open.seq,
      at: open.at,
      model: open.model,
      tokens: prompt === 0 ? null : prompt,
      window: windowOf({ config }),
      threshold: thresholdOf({ config }),
      usage: data.usage,
      compactions: this.#layers,
      ...this.#lost(prompt, data.usage, broke),
    };
    this.#turns.push(turn);
    this.#measure(turn);
    this.#last = { turn, text: open.text };
    this.#breaks = [];
    this.#layers = [];
  }

  /** The first that happened, or that shows in the request itself. */
  #brokeBy(open: Open): Break | null {
    const [first] = this.#breaks;
    if (first !== undefined) return first;
    if (this.#last === null) return null;
    if (this.#last.turn.model !== open.model) return "model_switch";
    return this.#last.text === open.text ? null : "prompt_changed";
  }

  /** T1. Who never cached anything has nothing to lose. */
  #lost(prompt: number, usage: Usage, broke: Break | null): Pick<ContextTurn, "cache_lost" | "broke"> {
    const before = this.#last?.turn;
    const caches = before !== undefined && cached(before.usage) > 0;
    const lost = caches ? Math.min(before.tokens ?? 0, prompt) - usage.cache_read_tokens : 0;
    const isLoss = lost >= LOST_TOKENS_MIN || (broke !== null && lost > 0);
    return { cache_lost: isLoss ? lost : 0, broke: broke ?? (isLoss ? "expired" : null) };
  }

  /** What was lost since the last call is that of the newest compaction before this one. */
  #measure({ cache_lost, broke, compactions }: ContextTurn): void {
    const at = this.#compactions.length - 1;
    const last = this.#compactions[at];
    if (last === undefined || compactions.length === 0) return;
    this.#compactions[at] = { ...last, cache_lost_measured: broke === "compaction" ? cache_lost : 0 };
  }

  #settled({ data }: EventOf<"BudgetSettled">): void {
    this.#usage = addUsage(this.#usage, data.usage);
    if (this.#open?.call !== data.call) return;
    if (this.#open.purpose === "summary" && this.#summary !== null)
      this.#summary = { ...this.#summary, cost: data.cost };
    this.#open = null;
  }

  #compacted({ seq, turn, at, data }: EventOf<"ContextCompacted">): void {
    const { layer, reason, before, after, cache_lost, cleared } = data;
    this.#compactions.push({
      seq,
      turn,
      at,
      layer,
      reason,
      before,
      after,
      freed: Math.max(0, before - after),
      cache_lost,
      cache_lost_measured: null,
      cleared: cleared.length,
      summary: this.#summary,
    });
    this.#summary = null;
    this.#layers = [...this.#layers, layer];
    this.#breaks.push("compaction");
  }
}

function cached({ cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens }: Usage): number {
  return cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens;
}
