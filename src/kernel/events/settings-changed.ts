/** Settings were changed by a person, between runs. Holds the whole new configuration and the names of what differs. */
import * as z from "zod";
import { configSchema, upcastConfig } from "../config.ts";
import type { Budget } from "../budget.ts";
import { lazy } from "../lazy.ts";
import { afterModelChange } from "../model-in-use.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ config: configSchema(), changed: z.array(z.string()) }));

export const settingsChanged: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 4,
  schema,
  fold: (state, { data: { config } }) => {
    const { prompt, tools } = config.versions;
    // What was counted began with the prompt of that time.
    const same = state.config?.versions.prompt === prompt && state.config.versions.tools === tools;
    const counted = same ? state.counted : null;
    const alerted = state.alerted.filter((alert) => !raised(alert, state.config?.budget, config.budget));
    return afterModelChange(state, { ...state, config, max_tokens: config.max_tokens, counted, alerted });
  },
  upcast: upcastConfig,
};

/** Of a cap that was raised an alert is given anew. @param alert `scope unit`, as in the state */
function raised(alert: string, before: Budget | undefined, after: Budget): boolean {
  const capIn = ({ caps }: Budget, unit: "cost" | "tokens"): number | null =>
    caps.find(({ scope }) => alert === `${scope} ${unit}`)?.[unit] ?? null;
  return (["cost", "tokens"] as const).some((unit) => {
    const [then, now] = [before === undefined ? null : capIn(before, unit), capIn(after, unit)];
    return then !== null && now !== null && now > then;
  });
}
