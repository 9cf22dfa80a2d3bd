/** How much the model of a session reads, where nobody said it: as the price table knows it, journaled with the configuration. */
import type { SessionConfig } from "../kernel/config.ts";
import type { PriceTable } from "../model/model.ts";

type Windowed = Pick<SessionConfig, "provider" | "model" | "context" | "max_tokens">;
type Windows = Pick<PriceTable, "contextWindow">;

/** Of a new session. A window that has no room beside an answer is one of the table's mistakes. */
export async function withKnownWindow<C extends Windowed>(config: C, prices: Windows): Promise<C> {
  if (config.context.window !== null) return config;
  const window = await prices.contextWindow(config.provider, config.model);
  return window === null || window <= config.max_tokens
    ? config
    : { ...config, context: { ...config.context, window } };
}

/** Of a session that goes on: with another model the window is that one's, unless a person said how large it is. */
export async function windowAfter(before: Windowed, after: Windowed, prices: Windows): Promise<number | null> {
  const { window } = after.context;
  const same = before.provider === after.provider && before.model === after.model;
  if (same || window !== before.context.window) return window;
  if (window !== null && window !== (await prices.contextWindow(before.provider, before.model))) return window;
  return (await withKnownWindow({ ...after, context: { ...after.context, window: null } }, prices)).context.window;
}
