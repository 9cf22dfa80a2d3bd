/**
 * What fills the context, part by part: the prompt of each call as it was sent, with the tokens of each part.
 *
 * The method. A provider counts a prompt as a whole. What was in a counted prompt before keeps its tokens; what is new shares
 * what came on top, by estimates. A prompt that is smaller than what was known of it (another model counts otherwise, thinking
 * was left out) is shared out anew over all of it.
 *
 * W1: the parts of a counted prompt add up to what the provider counted, to the token.
 * W2: where nobody counted, the sum is that of the estimates, and says so.
 */
import { bytesTokens, partTokens } from "../../kernel/bound.ts";
import type { ContentPart } from "../../kernel/content.ts";
import type { Event, EventOf } from "../../kernel/events/index.ts";
import type { ModelCallId } from "../../kernel/ids.ts";
import type { SessionState } from "../../kernel/state.ts";
import { promptTokens } from "../../kernel/usage.ts";
import { apportion } from "../cost/apportion.ts";
import { kindOf, type KnownTexts, knownTexts, type NamedKind } from "./part-kind.ts";

export interface WindowPart extends NamedKind {
  readonly tokens: number;
}

export interface WindowParts {
  /** In the order of the prompt; those of one kind and name added up. */
  readonly parts: readonly WindowPart[];
  readonly tokens: number;
  /** Of the tokens, those that no provider counted. */
  readonly estimated: number;
}

/** One part of a prompt. `of` is the same object in every prompt that holds the part. */
interface Piece extends NamedKind {
  readonly of: object;
  /** Tokens, as estimated. */
  readonly weight: number;
}

export interface PartsReading {
  /** In order, every event of one session, each with the state that it was folded into. @returns the prompt that was answered */
  take(event: Event, before: SessionState, after: SessionState): WindowParts | null;
  /** What the next prompt is going to hold. */
  now(state: SessionState): WindowParts;
}

export function partsReading(): PartsReading {
  let known: KnownTexts = new Map();
  let head = headOf(null, []);
  let sent: { readonly call: ModelCallId; readonly pieces: readonly Piece[] } | null = null;
  const counts = new Counts();
  const kinds = new WeakMap<object, Piece>();
  const piece = (part: ContentPart, role: "user" | "assistant"): Piece => {
    const found = kinds.get(part);
    if (found !== undefined) return found;
    const made = { ...kindOf(part, role, known), of: part, weight: partTokens(part) };
    kinds.set(part, made);
    return made;
  };
  const pieces = (state: SessionState): readonly Piece[] => [...head, ...conversation(state, piece)];
  return {
    take: (event, before, after) => {
      switch (event.kind) {
        case "SessionConfigured":
        case "SettingsChanged":
          if (before.config?.versions.prompt !== after.config?.versions.prompt || head.length === 0)
            head = headOf(after, []);
          return null;
        case "ContextAssembled":
          known = knownTexts(known, event.data.parts);
          head = headOf(after, event.data.parts);
          return null;
        case "InstructionsLoaded":
          for (const part of event.data.parts)
            kinds.set(part, { ...piece(part, "user"), kind: "rules", name: event.data.names.join(", ") });
          return null;
        case "ModelSwitched":
          counts.forget();
          return null;
        case "ModelCallStarted":
          if (event.data.purpose === "turn") sent = { call: event.data.call, pieces: pieces(before) };
          return null;
        case "ModelCallFinished": {
          if (sent === null || sent.call !== event.data.call) return null;
          const total = promptTokens(event.data.usage);
          if (total > 0) counts.count(sent.pieces, total);
          const found = counts.sum(sent.pieces);
          answered(event, (part) => piece(part, "assistant"), counts);
          sent = null;
          return found;
        }
        default:
          return null;
      }
    },
    now: (state) => counts.sum(pieces(state)),
  };
}

/** Output tokens are counted too: they are what the answer's parts are likely to have in the next prompt. */
function answered({ data }: EventOf<"ModelCallFinished">, piece: (part: ContentPart) => Piece, counts: Counts): void {
  if (data.usage.output_tokens === 0 || data.parts.length === 0) return;
  const pieces = data.parts.map(piece);
  const shares = apportion(
    data.usage.output_tokens,
    pieces.map(({ weight }) => weight),
  );
  for (const [i, { of }] of pieces.entries()) counts.expect(of, shares[i] ?? 0);
}

/** The part of a request that is the same in every call. */
function headOf(state: SessionState | null, rows: EventOf<"ContextAssembled">["data"]["parts"]): readonly Piece[] {
  const sumOf = (kind: "system" | "tools"): number =>
    rows.filter((row) => row.kind === kind).reduce((sum, { tokens }) => sum + tokens, 0);
  const [system, tools] = [sumOf("system"), sumOf("tools")];
  const bytes = state?.config?.versions.prompt_bytes ?? 0;
  if (system + tools === 0)
    return bytes === 0 ? [] : [{ kind: "system", name: "with tool schemas", of: {}, weight: bytesTokens(bytes) }];
  return [
    { kind: "system", name: "", of: {}, weight: system },
    { kind: "tools", name: "", of: {}, weight: tools },
  ];
}

/** With the results that are there of calls that are still open: they come before anything else is sent. */
function conversation(
  { messages, thinking_from, batch, inbox }: SessionState,
  piece: (part: ContentPart, role: "user" | "assistant") => Piece,
): readonly Piece[] {
  const said = messages.flatMap(({ role, parts }, index) =>
    (parts as readonly ContentPart[]) // what either role says is a content part
      .filter(({ type }) => index >= thinking_from || (type !== "thinking" && type !== "redacted_thinking"))
      .map((part) => piece(part, role)),
  );
  const open = batch.flatMap(({ result }) => (result === null ? [] : [result]));
  return [...said, ...[...open, ...inbox].map((part) => piece(part, "user"))];
}

/** Tokens of parts, by the part itself. */
class Counts {
  #counted = new WeakMap<object, number>();
  /** Of an answer: counted as output, and not yet in a prompt. */
  readonly #expected = new WeakMap<object, number>();

  forget(): void {
    this.#counted = new WeakMap();
  }

  expect(of: object, tokens: number): void {
    this.#expected.set(of, tokens);
  }

  /** W1. */
  count(pieces: readonly Piece[], total: number): void {
    const added = pieces.filter(({ of }) => !this.#counted.has(of));
    const before = pieces.reduce((sum, { of }) => sum + (this.#counted.get(of) ?? 0), 0);
    const anew = total < before || added.length === 0 || added.length === pieces.length;
    const open = anew ? pieces : added;
    const shares = apportion(
      anew ? total : total - before,
      open.map((one) => this.#tokensOf(one)),
    );
    for (const [i, { of }] of open.entries()) this.#counted.set(of, shares[i] ?? 0);
  }

  /** W2. */
  sum(pieces: readonly Piece[]): WindowParts {
    const parts = new Map<string, WindowPart>();
    let estimated = 0;
    for (const one of pieces) {
      const tokens = this.#tokensOf(one);
      if (!this.#counted.has(one.of)) estimated += tokens;
      const key = `${one.kind} ${one.name}`;
      parts.set(key, { kind: one.kind, name: one.name, tokens: tokens + (parts.get(key)?.tokens ?? 0) });
    }
    const all = [...parts.values()];
    return { parts: all, tokens: all.reduce((sum, { tokens }) => sum + tokens, 0), estimated };
  }

  #tokensOf({ of, weight }: Piece): number {
    return this.#counted.get(of) ?? this.#expected.get(of) ?? weight;
  }
}
