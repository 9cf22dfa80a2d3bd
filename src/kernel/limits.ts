/** The limits of a session, and what they are when nobody says otherwise. A limit counts turns, never steps. */

export interface Limits {
  /** Turns of the session: answers of the model that were acted on. */
  readonly turns: number;
  /** Milliseconds in which a run was at work, over all runs of the session. */
  readonly active_ms: number;
  /** Tokens of the session, read and written, cached ones included. */
  readonly tokens: number;
}

export const DEFAULT_LIMITS: Limits = { turns: 100, active_ms: 60 * 60_000, tokens: 5_000_000 };

/** The highest value that can be set: a typing error must not mean "no limit". */
export const LIMITS_MAX: Limits = { turns: 10_000, active_ms: 30 * 24 * 3_600_000, tokens: 10_000_000_000 };

/** `max_tokens` of a call: small first, raised when an answer was cut. */
export const OUTPUT_TOKENS_DEFAULT = 8_192;
export const OUTPUT_TOKENS_RAISED = 32_768;

/** Failures in a row of one call after which the next model takes over, where one may. */
export const FALLBACK_AFTER_FAILURES = 3;

/** How many times in one turn a `pause_turn` is sent back. */
export const PAUSES_PER_TURN_MAX = 10;

/** An event body above this goes to a blob and the journal keeps its hash. */
export const INLINE_BYTES_MAX = 64 * 1024;

/** What of a tool's output the model sees; the rest stays in a blob with a pointer to it. Characters. */
export const TOOL_OUTPUT_CHARS_MAX = 30_000;
/** What of a tool's output is kept at all. Bytes. */
export const TOOL_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Reads of one batch that run at the same time. */
export const PARALLEL_READS_MAX = 8;
