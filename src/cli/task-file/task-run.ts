/** What a task file comes to: the text that the model is given, and what it says of a run. The command line goes before it. */
import { type NanoDollars, nanoDollars, NO_MONEY } from "../../kernel/money.ts";
import { readMoney, readTokens } from "../amount.ts";
import type { CommonOptions } from "../settings.ts";
import { verifyCommand } from "./criteria.ts";
import type { TaskFile } from "./schema.ts";

export function taskText({ kind, objective, inputs, success_criteria, constraints = [] }: TaskFile): string {
  const list = (title: string, items: readonly string[]): string =>
    items.length === 0 ? "" : `\n\n${title}\n${items.map((item) => `- ${escaped(item)}`).join("\n")}`;
  return [
    escaped(objective),
    list("What it is about:", inputs),
    list("It is done when each of these commands succeeds:", success_criteria),
    list("Constraints:", constraints),
    `\n\nKind of work: ${kind}. Do this and nothing besides.`,
  ].join("");
}

/** An `@` of a task file is no mention: its files stand under `inputs`. */
function escaped(text: string): string {
  return text.replaceAll(/(^|\s)@/g, String.raw`$1\@`);
}

/** What a session used before the task: the task's own limits come on top of it. */
export interface Spent {
  readonly turns: number;
  readonly minutes: number;
  readonly tokens: number;
  readonly cost: NanoDollars;
}

const NOTHING_SPENT: Spent = { turns: 0, minutes: 0, tokens: 0, cost: NO_MONEY };

/** Only what the file says and the command line does not. */
export function taskOptions<T extends CommonOptions>(task: TaskFile, said: T, spent: Spent = NOTHING_SPENT): T {
  const { limits, phases, review_every, model, allowed_tools, success_criteria } = task;
  const cost = limits.cost === undefined ? null : readMoney(String(limits.cost));
  const tokens = limits.tokens === undefined ? null : readTokens(String(limits.tokens));
  const verify = verifyCommand(success_criteria);
  const own: Partial<CommonOptions> = {
    ...(verify === null ? {} : { verify }),
    ...(limits.turns === undefined ? {} : { maxTurns: spent.turns + limits.turns }),
    ...(limits.minutes === undefined ? {} : { maxMinutes: spent.minutes + limits.minutes }),
    ...(tokens !== null && "value" in tokens ? { maxTokens: spent.tokens + tokens.value } : {}),
    ...(cost !== null && "value" in cost ? { budget: nanoDollars(spent.cost + cost.value) } : {}),
    ...(phases === undefined || said.phases !== undefined ? {} : { phaseList: phases }),
    ...(review_every === undefined ? {} : { reviewEvery: review_every }),
    ...(model === undefined ? {} : { model }),
    ...(allowed_tools === undefined ? {} : { allowedTools: allowed_tools }),
  };
  return { ...own, ...said };
}
