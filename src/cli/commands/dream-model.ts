/** The model that `belay dream --model` asks, and how it is said what it had a part in. */
import { join } from "node:path";
import type { DreamModel, ModelDreamed } from "../../engine/memory/dream-model.ts";
import type { Host } from "../../engine/host.ts";
import { DEFAULT_LIMITS } from "../../kernel/limits.ts";
import { NO_FALLBACK } from "../../kernel/model-policy.ts";
import { formatMoney, type NanoDollars, nanoDollars, nanoFromDollars } from "../../kernel/money.ts";
import { startBudget } from "../budget-settings.ts";
import type { Face } from "../face.ts";
import { requirePricedForTenant, unpricedModels, unpricedNotes } from "../priced.ts";
import { chosenModel, modelText, requireProvider } from "../providers.ts";
import { readSettings } from "../resolved-settings.ts";
import { plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";

const BUDGET_DEFAULT: NanoDollars = nanoDollars(100_000_000);
/** Below belay's home. */
const SESSIONS_DIRECTORY = "sessions";
/** Where its session is said to be: no directory of anybody's, so that no command takes it for the last one of a project. */
const DREAMS = "dreams";

interface Wanted {
  readonly name: string | true;
  readonly budget: NanoDollars | undefined;
}

/** @throws HarnessError before anything is changed: an unknown model, no key, a price that is not known */
export async function modelOf({ name, budget = BUDGET_DEFAULT }: Wanted, host: Host, face: Face): Promise<DreamModel> {
  const { environment, err } = face;
  const settings = readSettings(environment.home);
  const choice = chosenModel(name === true ? undefined : name, environment.providers, settings);
  requireProvider(choice.provider, face);
  const caps = startBudget({ budget, alert: false }, settings);
  const config = { ...choice, models: NO_FALLBACK, budget: caps, limits: DEFAULT_LIMITS };
  const unpriced = await unpricedModels(config, host.prices);
  for (const note of unpricedNotes(unpriced, config, settings.user_path)) err.line(`belay: ${safeLine(note)}`);
  await requirePricedForTenant(unpriced, host.store, settings.user_path);
  const { dreamAsker } = await import("../../engine/memory/dream-session.ts");
  const own = join(environment.home, DREAMS);
  const place = { cwd: own, source: own, sessions: join(environment.home, SESSIONS_DIRECTORY) };
  return {
    asker: dreamAsker(host, { ...choice, budget: caps, place }),
    clock: host.clock,
    onAsk: ({ call, groups, left }) => {
      err.line(
        `belay: asking ${safeLine(modelText(choice))} (${call}): ${plural(groups, "group")} of ${left} that are alike`,
      );
    },
  };
}

export function modelJson({ model, ...rest }: ModelDreamed): object {
  return { ...model, ...rest };
}

export function modelLines(dreamed: ModelDreamed, name: (id: string) => string): readonly string[] {
  const { model, merged, proposed, refused, left_alone, stopped } = dreamed;
  const who = safeLine(`${model.provider}/${model.model}`);
  return [
    ...merged.map(
      ({ into, from }) => `= ${name(into)}\n    merged with ${from.map(name).join("; ")} (${who}: they say the same)`,
    ),
    ...proposed.map(
      ({ newer, older }) =>
        `? ${name(newer)}\n    may take the place of ${name(older)} (${who}: only one can be true; \`belay memory forget ${older}\`, if so)`,
    ),
    ...(left_alone === 0 ? [] : [`${left_alone} changed in the meantime and were left alone.`]),
    ...(refused.count === 0
      ? []
      : [`Of what ${who} said ${refused.count} did not count: ${refused.reasons.join("; ")}.`]),
    ...(stopped === null ? [] : [`${who} was not asked further: ${safeLine(stopped)}`]),
    standing(dreamed, who),
  ];
}

function standing({ calls, answered, left, cost_usd, unknown_cost_usd, session }: ModelDreamed, who: string): string {
  if (calls === 0 && left === 0) return `Nothing was left that is alike: ${who} was not asked, and cost nothing.`;
  const lost =
    unknown_cost_usd === 0 ? "" : ` and at most ${formatMoney(nanoFromDollars(unknown_cost_usd))} for lost answers`;
  const cost = `${formatMoney(cost_usd === null ? null : nanoFromDollars(cost_usd))}${lost}`;
  const journal = session === null ? "" : ` (session ${session})`;
  return `${who}: ${plural(answered, "group")} answered, ${left} left, ${cost}${journal}.`;
}
