/** A refusal of the ledger, in words: which cap, how it stands, what was asked, and how to raise it. */
import { formatMoney, type NanoDollars } from "../kernel/money.ts";
import { BudgetRefusal, type RefusedBy } from "./ledger.ts";

export function budgetRefusal(by: RefusedBy): BudgetRefusal {
  const { scope, cap, asked, spent, reserved, unit } = by;
  const place = placeOf(scope);
  const limit = `The cap of ${amount(cap, unit)} for ${place}`;
  if (asked === null) {
    const todo = `Set its price in the settings, or take the cap of money away (${raisedBy(by)}).`;
    return new BudgetRefusal(by, `${limit} lets no call through whose model has no known price.`, todo);
  }
  const held = reserved === 0 ? "" : `, ${amount(reserved, unit)} reserved by calls under way`;
  const happened = `${limit} leaves too little: ${amount(spent, unit)} spent${held}, and this call may need ${amount(asked, unit)}.`;
  const todo =
    spent + asked <= cap
      ? `Wait until the calls under way are settled, or raise the cap (${raisedBy(by)}).`
      : `Raise the cap (${raisedBy(by)}) and resume: what was done is kept.`;
  return new BudgetRefusal(by, happened, todo);
}

function amount(value: number, unit: RefusedBy["unit"]): string {
  // Amounts of the unit `cost` are nano-dollars.
  return unit === "cost" ? formatMoney(value as NanoDollars) : `${value.toLocaleString("en-US")} tokens`;
}

/** `session ses_1`, `turn 7 of session ses_1`, `month 2026-11`. */
function placeOf(scope: string): string {
  const at = scope.indexOf(":");
  if (at < 0) return `the ${scope}`;
  const [kind, id] = [scope.slice(0, at), scope.slice(at + 1)];
  const slash = id.indexOf("/");
  if (kind === "tree") return `session ${id} with its sub-agents`;
  if (slash < 0 || (kind !== "turn" && kind !== "phase")) return `${kind} ${id}`;
  return `${kind} ${id.slice(slash + 1)} of session ${id.slice(0, slash)}`;
}

/** What raises a cap of money; of tokens only a phase has one that an option gives. */
const OPTIONS: { readonly [kind: string]: string } = {
  session: "`--budget`",
  tree: "`--budget`",
  turn: "`--turn-budget`",
  phase: "`--phase` or the settings",
  group: "`--group` or the settings",
};

function raisedBy({ scope, unit }: RefusedBy): string {
  if (scope === "tenant" || scope.startsWith("month:") || scope.startsWith("day:")) return "`belay budget set`";
  const kind = scope.slice(0, scope.indexOf(":"));
  const option = unit === "cost" || kind === "phase" ? OPTIONS[kind] : undefined;
  return option ?? "`budget` in the settings";
}
