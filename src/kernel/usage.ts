/** Tokens of model calls. `input_tokens` excludes what came from or went into the cache: the four input counts add up. */
export interface Usage {
  readonly input_tokens: number;
  readonly cache_read_tokens: number;
  /** Written with a five-minute life. */
  readonly cache_write_5m_tokens: number;
  /** Written with a one-hour life. */
  readonly cache_write_1h_tokens: number;
  readonly output_tokens: number;
}

export const NO_USAGE: Usage = {
  input_tokens: 0,
  cache_read_tokens: 0,
  cache_write_5m_tokens: 0,
  cache_write_1h_tokens: 0,
  output_tokens: 0,
};

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cache_read_tokens: a.cache_read_tokens + b.cache_read_tokens,
    cache_write_5m_tokens: a.cache_write_5m_tokens + b.cache_write_5m_tokens,
    cache_write_1h_tokens: a.cache_write_1h_tokens + b.cache_write_1h_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
  };
}

/** What the model read for a call: fresh, cached and newly cached. */
export function promptTokens(usage: Usage): number {
  return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens;
}

export function totalTokens(usage: Usage): number {
  return promptTokens(usage) + usage.output_tokens;
}
