/** A configuration with only the facts that matter to a test. */
import type { SessionConfig } from "../../src/kernel/config.ts";
import { DEFAULT_LIMITS, OUTPUT_TOKENS_DEFAULT } from "../../src/kernel/limits.ts";
import { FOLD_VERSION } from "../../src/kernel/state.ts";

export function testConfig(facts: Partial<SessionConfig> = {}): SessionConfig {
  return {
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    max_tokens: OUTPUT_TOKENS_DEFAULT,
    thinking_tokens: null,
    limits: DEFAULT_LIMITS,
    sandbox: { mode: "none", network: false },
    workspace: { mode: "clone", base: null },
    approval: "allow",
    permission_mode: "default",
    setup: null,
    verify: null,
    versions: { belay: "0.0.0", prompt: "p", tools: "t", fold: FOLD_VERSION },
    ...facts,
  };
}
