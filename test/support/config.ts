/** A configuration with only the facts that matter to a test. */
import type { SessionConfig } from "../../src/kernel/config.ts";
import { DEFAULT_BUDGET } from "../../src/kernel/budget.ts";
import { NO_FALLBACK } from "../../src/kernel/model-policy.ts";
import { DEFAULT_LIMITS, OUTPUT_TOKENS_DEFAULT } from "../../src/kernel/limits.ts";
import { DEFAULT_CONFINEMENT, DEFAULT_FLOW, NO_RULES } from "../../src/kernel/permissions.ts";
import { DEFAULT_WORK } from "../../src/kernel/work-policy.ts";
import { FOLD_VERSION } from "../../src/kernel/state.ts";

export function testConfig(facts: Partial<SessionConfig> = {}): SessionConfig {
  return {
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    max_tokens: OUTPUT_TOKENS_DEFAULT,
    thinking_tokens: null,
    models: NO_FALLBACK,
    budget: DEFAULT_BUDGET,
    limits: DEFAULT_LIMITS,
    sandbox: { mode: "none", network: false },
    workspace: { mode: "clone", base: null },
    approval: "allow",
    permission_mode: "default",
    permissions: NO_RULES,
    flow: DEFAULT_FLOW,
    confinement: DEFAULT_CONFINEMENT,
    setup: null,
    verify: null,
    ...DEFAULT_WORK,
    versions: { belay: "0.0.0", prompt: "p", tools: "t", rules: "r", fold: FOLD_VERSION, prompt_bytes: 5_000 },
    ...facts,
  };
}
