/** A person allowed (or forbade) a kind of call from now on, while the session ran. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { ruleSchema } from "../permissions.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() => z.object({ rule: ruleSchema(), by: z.string() }));

export const permissionRuleAdded: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data: { rule } }) => {
    if (state.config === null) return state;
    const { permissions } = state.config;
    return {
      ...state,
      config: { ...state.config, permissions: { ...permissions, rules: [...permissions.rules, rule] } },
    };
  },
};
