/** Options of `run` and `resume` about money and about which model takes over. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { NanoDollars } from "../kernel/money.ts";
import type { FallbackReason } from "../kernel/model-policy.ts";
import { type Amount, NAME_PATTERN, NAME_WRONG, type Read, readAmount, readMoney, readPatience } from "./amount.ts";

/** What is absent is as it was, as the settings say, or the default. */
export interface MoneyOptions {
  readonly budget?: NanoDollars;
  readonly turnBudget?: NanoDollars;
  readonly turnAlert?: NanoDollars;
  /** False: `--no-alert`. */
  readonly alert?: boolean;
  readonly phase?: readonly { readonly name: string; readonly amount: Amount }[];
  readonly group?: readonly { readonly name: string; readonly cost: NanoDollars }[];
  readonly fallback?: readonly string[];
  readonly fallbackOn?: readonly FallbackReason[];
  /** Milliseconds. */
  readonly patience?: number;
}

/** Said again, so that `--help` does not load the schemas that the kernel's own list stands beside. */
const REASONS = [
  "overloaded",
  "rate_limit",
  "not_found",
  "refusal",
  "budget",
] as const satisfies readonly FallbackReason[];

export function addMoneyOptions(command: Command): Command {
  return command
    .optionsGroup("Money and models:")
    .option("--budget <dollars>", "what the session may cost, at most (default: 5.00)", readArgument(readMoney))
    .option("--turn-budget <dollars>", "what one turn may cost, at most", readArgument(readMoney))
    .option("--turn-alert <dollars>", "ask, or say, when a turn cost this much", readArgument(readMoney))
    .option("--no-alert", "do not ask or say anything before a cap is reached (default: at 80 % of it)")
    .option("--phase <name=cap>", "cap of a phase, in tokens (10k, 2M) or money (0.50usd); repeatable", phases)
    .option("--group <name=dollars>", "cap that all sessions share which name the group; repeatable", groups)
    .option("--fallback <model>", "takes over when the model cannot go on; repeatable, in this order", models)
    .addOption(
      new Option("--fallback-on <reasons>", `of ${REASONS.join(", ")} (default: the first three)`).argParser(reasons),
    )
    .option(
      "--patience <time>",
      "a longer wait for the rate goes to the fallback (default: 30s)",
      readArgument(readPatience),
    );
}

/** For the parser of the command line. @throws InvalidArgumentError */
export function readArgument<T>(reader: (text: string) => Read<T>): (text: string) => T {
  return (text) => {
    const found = reader(text);
    if ("value" in found) return found.value;
    throw new InvalidArgumentError(found.wrong);
  };
}

function phases(text: string, before: MoneyOptions["phase"] = []): NonNullable<MoneyOptions["phase"]> {
  const [name, amount] = named(text, "plan=10k");
  return [...before, { name, amount: readArgument(readAmount)(amount) }];
}

function groups(text: string, before: MoneyOptions["group"] = []): NonNullable<MoneyOptions["group"]> {
  const [name, amount] = named(text, "team=10.00");
  return [...before, { name, cost: readArgument(readMoney)(amount) }];
}

/** @returns the name, and what stands behind the sign */
function named(text: string, example: string): readonly [string, string] {
  const sign = text.indexOf("=");
  if (sign === -1) throw new InvalidArgumentError(`It must be such as ${example}.`);
  const name = text.slice(0, sign).trim();
  if (!NAME_PATTERN.test(name)) throw new InvalidArgumentError(NAME_WRONG);
  return [name, text.slice(sign + 1)];
}

function models(text: string, before: readonly string[] = []): readonly string[] {
  if (text.trim() === "") throw new InvalidArgumentError("It must not be empty.");
  return [...before, text.trim()];
}

function reasons(text: string): readonly FallbackReason[] {
  return text.split(",").map((one) => {
    const reason = REASONS.find((known) => known === one.trim());
    if (reason === undefined)
      throw new InvalidArgumentError(`It must be of ${REASONS.join(", ")}, with commas between.`);
    return reason;
  });
}
