/**
 * What each model call cost, and whose it was: a projection of the journal, event by event.
 *
 * A tool's cost is the tokens that its calls and results put into the context, attributed as they are paid for: again with
 * every call that reads them, at the price of a cached token where they came from the cache.
 *
 * The method. The context is a row of segments (system prompt and schemas, what the user said, what the model said, the calls
 * and results of each tool). The tokens of a prompt that came on top since the last one are shared out over what was added
 * since, by bytes; the classes of usage lie over the segments in order (cache reads first, fresh input last). Output tokens go
 * to what the answer says and to the tools it calls, by bytes. The cost that the journal has for the call is then shared out
 * over part × class by tokens × price of the class, as the price table has it today (only the ratios count).
 *
 * C3: the parts of a call add up to its tokens in every class, and to its cost to the last nano-dollar.
 * C4: what a session took over from another one (a fork, an import) was paid for there: it is `inherited`, never charged again.
 */
import type { ContentPart, ModelPart } from "../../kernel/content.ts";
import type { Event, EventOf } from "../../kernel/events/index.ts";
import type { ModelCallId, SessionId, ToolCallId } from "../../kernel/ids.ts";
import { type NanoDollars, nanoDollars } from "../../kernel/money.ts";
import { addUsage, NO_USAGE, promptTokens, type Usage } from "../../kernel/usage.ts";
import { apportion } from "./apportion.ts";
import { type ClassPrices, type ClassPricesOf, USAGE_CLASSES } from "./class-prices.ts";
import { counted, extended, joined, promptByPart, type Segments } from "./context-parts.ts";

/** Parts that are no tool. A tool's name has no brackets. */
export const SYSTEM_PART = "(system prompt and tool schemas)";
export const USER_PART = "(user)";
export const MODEL_PART = "(model)";
/** Of a call whose context is in no journal: a job of a batch. */
export const NO_PART = "(not attributed)";

export interface PartCharge {
  readonly part: string;
  readonly usage: Usage;
  /** Null for a model without a known price. */
  readonly cost: NanoDollars | null;
}

/** One settled call. */
export interface Charge {
  readonly call: ModelCallId;
  readonly session: SessionId;
  /** When it was settled, in milliseconds since the epoch. */
  readonly at: number;
  readonly phase: string | null;
  /** `provider/model`; null where the journal does not say. */
  readonly model: string | null;
  readonly usage: Usage;
  readonly cost: NanoDollars | null;
  /** Of a lost answer: what it may have cost beyond that. */
  readonly unknown_tokens: number;
  readonly unknown_cost: NanoDollars | null;
  /** Whether it was reserved in the ledger of all sessions. Journals of older versions were not. */
  readonly in_ledger: boolean;
  readonly parts: readonly PartCharge[];
}

/** `call`: a tool was called. `inherited`: all that came before was another session's (C4). */
export type Finding =
  | { readonly kind: "charge"; readonly charge: Charge }
  | { readonly kind: "tool_call"; readonly tool: string; readonly at: number }
  | { readonly kind: "inherited"; readonly from: SessionId };

interface OpenCall {
  readonly call: ModelCallId;
  readonly provider: string;
  readonly model: string;
  /** What it answered; nothing when it failed. */
  readonly answer: readonly ModelPart[];
}

interface Reading {
  /** The context as it was last sent. */
  readonly sent: Segments;
  /** What was added since. */
  readonly since: Segments;
  readonly open: OpenCall | null;
  /** Tools by their calls that have no result yet. */
  readonly tools: ReadonlyMap<ToolCallId, string>;
  /** Reserved in the ledger of all sessions and not settled: a call, or the parts of a batch that are under way. */
  readonly in_ledger: ReadonlySet<ModelCallId>;
}

const TENANT_SCOPE = "tenant";

export interface Attribution {
  /** In order, every event of one session. */
  take(event: Event): Promise<readonly Finding[]>;
}

export function attribution(prices: ClassPricesOf): Attribution {
  let reading: Reading = { sent: [], since: [], open: null, tools: new Map(), in_ledger: new Set() };
  return {
    take: async (event) => {
      const findings = await found(event, reading, prices);
      reading = after(event, reading);
      return findings;
    },
  };
}

async function found(event: Event, reading: Reading, prices: ClassPricesOf): Promise<readonly Finding[]> {
  switch (event.kind) {
    case "BudgetSettled":
      return [{ kind: "charge", charge: await chargeOf(event, reading, prices) }];
    case "ModelCallFinished":
      return toolUses(event.data.parts).map(({ name }) => ({ kind: "tool_call", tool: name, at: event.at }));
    case "SessionForked":
    case "SessionImported":
      return [{ kind: "inherited", from: event.data.from }];
    default:
      return [];
  }
}

function after(event: Event, reading: Reading): Reading {
  switch (event.kind) {
    case "SessionConfigured":
      return { ...reading, since: extended(reading.since, SYSTEM_PART, event.data.config.versions.prompt_bytes) };
    case "UserMessageAdded":
      return { ...reading, since: withPlain(reading.since, event.data.parts) };
    case "BudgetReserved":
      return event.data.scopes.includes(TENANT_SCOPE)
        ? { ...reading, in_ledger: new Set([...reading.in_ledger, event.data.call]) }
        : reading;
    case "ModelCallStarted": {
      const { call, provider, model } = event.data;
      const sent = joined(reading.sent, reading.since);
      return { ...reading, sent, since: [], open: { call, provider, model, answer: [] } };
    }
    case "ModelCallFinished":
      return answered(event, reading);
    case "ToolFinished":
      return finished(event, reading);
    case "BudgetSettled":
      return settled(event, reading);
    default:
      return reading;
  }
}

function answered({ data }: EventOf<"ModelCallFinished">, reading: Reading): Reading {
  const since = data.parts.reduce((all, part) => extended(all, ownerOf(part), bytesOf(part)), reading.since);
  const tools = new Map([...reading.tools, ...toolUses(data.parts).map(({ call, name }) => [call, name] as const)]);
  return { ...reading, since, tools, open: reading.open && { ...reading.open, answer: data.parts } };
}

function finished({ data }: EventOf<"ToolFinished">, reading: Reading): Reading {
  const tool = reading.tools.get(data.call);
  if (tool === undefined) return reading;
  const bytes = data.content.reduce((sum, part) => sum + bytesOf(part), 0);
  const tools = new Map([...reading.tools].filter(([call]) => call !== data.call));
  return { ...reading, tools, since: extended(reading.since, tool, bytes) };
}

/** What the provider counted is known from here on, for what stood in the context when it was sent. */
function settled({ data }: EventOf<"BudgetSettled">, reading: Reading): Reading {
  const prompt = promptTokens(data.usage);
  const isCounted = reading.open?.call === data.call && prompt > 0 && reading.sent.length > 0;
  const sent = isCounted ? counted(reading.sent, prompt) : reading.sent;
  const in_ledger = new Set([...reading.in_ledger].filter((call) => call !== data.call));
  return { ...reading, sent, open: null, in_ledger };
}

async function chargeOf(event: EventOf<"BudgetSettled">, reading: Reading, pricesOf: ClassPricesOf): Promise<Charge> {
  const { call, usage, cost, price, unknown_tokens, unknown_cost } = event.data;
  const open = reading.open?.call === call ? reading.open : null;
  const model = open === null ? price : `${open.provider}/${open.model}`;
  const prices = await pricesOf(open?.provider ?? "", open?.model ?? "");
  return {
    call,
    session: event.session,
    at: event.at,
    phase: event.phase,
    model,
    usage,
    cost,
    unknown_tokens,
    unknown_cost,
    in_ledger: reading.in_ledger.has(call),
    parts: priced(
      open === null || reading.sent.length === 0
        ? new Map([[NO_PART, usage]])
        : usageByPart(reading.sent, open.answer, usage),
      cost,
      prices,
    ),
  };
}

/** C3, for tokens. */
function usageByPart(sent: Segments, answer: readonly ModelPart[], usage: Usage): ReadonlyMap<string, Usage> {
  const parts = new Map(promptByPart(counted(sent, promptTokens(usage)), usage));
  const said = answer.length === 0 ? [{ part: MODEL_PART, bytes: 1 }] : sizes(answer);
  const shares = apportion(
    usage.output_tokens,
    said.map(({ bytes }) => bytes),
  );
  for (const [i, { part }] of said.entries())
    parts.set(part, addUsage(parts.get(part) ?? NO_USAGE, { ...NO_USAGE, output_tokens: shares[i] ?? 0 }));
  return parts;
}

function sizes(answer: readonly ModelPart[]): readonly { readonly part: string; readonly bytes: number }[] {
  return answer.map((part) => ({ part: ownerOf(part), bytes: bytesOf(part) }));
}

/** C3, for money. */
function priced(
  parts: ReadonlyMap<string, Usage>,
  cost: NanoDollars | null,
  prices: ClassPrices,
): readonly PartCharge[] {
  const cells = [...parts].flatMap(([part, usage]) =>
    USAGE_CLASSES.map((name) => ({ part, name, tokens: usage[name] })),
  );
  if (cost === null) return [...parts].map(([part, usage]) => ({ part, usage, cost }));
  const shares = apportion(
    cost,
    cells.map(({ name, tokens }) => tokens * prices[name]),
  );
  return [...parts].map(([part, usage], i) => {
    const own = shares.slice(i * USAGE_CLASSES.length, (i + 1) * USAGE_CLASSES.length);
    return { part, usage, cost: nanoDollars(own.reduce((sum, share) => sum + share, 0)) };
  });
}

function withPlain(segments: Segments, parts: readonly ContentPart[]): Segments {
  return parts.reduce((all, part) => extended(all, plainOwner(part), bytesOf(part)), segments);
}

/** What belay itself says in front of a task is part of its own prompt. */
function plainOwner({ origin }: ContentPart): string {
  return origin.from === "belay" ? SYSTEM_PART : USER_PART;
}

function ownerOf(part: ModelPart): string {
  return part.type === "tool_use" ? part.name : MODEL_PART;
}

function toolUses(parts: readonly ModelPart[]): readonly Extract<ModelPart, { readonly type: "tool_use" }>[] {
  return parts.filter((part) => part.type === "tool_use");
}

/** An image counts about this, whatever its size: providers scale it down. */
const IMAGE_BYTES = 4_000;

function bytesOf(part: ContentPart): number {
  switch (part.type) {
    case "text":
      return byteLength(part.text);
    case "image":
      return IMAGE_BYTES;
    case "thinking":
      // A provider that keeps what was thought to itself sends it enciphered, in the signature.
      return byteLength(part.text === "" ? part.signature : part.text);
    case "redacted_thinking":
      return byteLength(part.data);
    case "tool_use":
      return byteLength(part.name) + byteLength(JSON.stringify(part.input));
    case "tool_result":
      return part.content.reduce((sum, one) => sum + bytesOf(one), 0);
  }
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
