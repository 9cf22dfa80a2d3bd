/**
 * Redaction: secrets are replaced by tokens `[secret:<name>:<8 hex>]` before anything is stored. What a token stands for is
 * in the vault, outside the journal, so that the input of a tool can be turned back.
 *
 * D1: no known secret and no match of a pattern is left in what `redact` returns.
 * D2: redact(redact(x)) = redact(x).
 * D3: restore(redact(x)) = x, for every x without tokens of this session.
 * D4: the same text of the same name has the same token throughout a session.
 */
import type { Json } from "../kernel/json.ts";
import { knownSecrets } from "./known-secrets.ts";
import { patternsOpenAt, patternSpans } from "./secret-matcher.ts";
import { MATCH_CHARS_MAX } from "./secret-pattern.ts";
import { FORM_CHARS_MIN, formsOf } from "./secret-value-forms.ts";
import { disjoint, type FoundSpan, type Span } from "./span.ts";
import type { Vault } from "./vault.ts";

/** A shorter value is a word of ordinary text as often as not. Characters. */
export const KNOWN_SECRET_CHARS_MIN = FORM_CHARS_MIN;
/** Of a text that arrives in pieces: no more is undecided at a time. */
const HELD_CHARS_MAX = 2 * MATCH_CHARS_MAX;

const TOKEN_START = "[secret:";
const TOKEN = /\[secret:[A-Za-z0-9_-]{1,64}:[0-9a-f]{8}\]/g;

export interface KnownSecret {
  /** As in the environment. Stands in the token. */
  readonly name: string;
  readonly value: string;
}

export interface Redactor {
  redact(text: string): { readonly text: string; readonly count: number };
  /** Redacts every string in it, member names included. */
  redactJson(value: unknown): { readonly value: unknown; readonly count: number };
  /** Of a text whose end is still to come: how many characters can be redacted now, as no secret begins in them that ends later. */
  decidedIn(text: string): number;
  /** Tokens back to what they stand for. Foreign tokens stay as they are. */
  restore(text: string): string;
  /** `restore` for every string in it. */
  restoreJson<T extends Json>(value: T): T;
  /** Makes the tokens given out so far durable. Before what holds them is stored. */
  flush(): Promise<void>;
}

export function createRedactor(options: { readonly known: readonly KnownSecret[]; readonly vault: Vault }): Redactor {
  const { vault } = options;
  const seen = cleanTexts();
  const known = secretsToFind(options.known, vault, () => {
    seen.clear();
  });

  /** All secrets in a text without tokens; what a pattern finds is known from then on. */
  const secretsIn = (plain: string): readonly FoundSpan[] => {
    const spans = disjoint(joined(known.spans(plain), patternSpans(plain)));
    for (const { name, from, to } of spans) known.learn({ name, value: plain.slice(from, to) });
    return spans;
  };

  const redactOnce = (text: string): { readonly text: string; readonly count: number } => {
    // Nearly all text has neither tokens nor secrets: it is looked at whole, and taken apart only when something is there.
    if (!text.includes(TOKEN_START) && secretsIn(text).length === 0) return { text, count: 0 };
    let count = 0;
    const pieces = splitAtTokens(text, vault).flatMap((piece) => {
      if (piece.token || piece.text.length < KNOWN_SECRET_CHARS_MIN) return [piece];
      const spans = secretsIn(piece.text);
      count += spans.length;
      return spans.length === 0 ? [piece] : cutAt(piece.text, spans, ({ name }, secret) => vault.tokenOf(name, secret));
    });
    return { text: count === 0 ? text : pieces.map((piece) => piece.text).join(""), count };
  };

  const redact = (text: string): { readonly text: string; readonly count: number } => {
    // Nothing so short is a secret: neither what was named nor what a pattern finds.
    if (text.length < KNOWN_SECRET_CHARS_MIN || seen.has(text)) return { text, count: 0 };
    let found = { text, count: 0 };
    // Until nothing is found: a replacement can free a match that it overlapped, and what a pattern found once is known from
    // then on. Each round turns plain text into tokens, which are not looked into again, so the rounds end.
    for (;;) {
      const round = redactOnce(found.text);
      if (round.count === 0) break;
      found = { text: round.text, count: found.count + round.count };
    }
    if (found.count === 0) seen.add(text);
    return found;
  };

  const restore = (text: string): string => text.replace(TOKEN, (token) => vault.textOf(token) ?? token);

  return {
    redact,
    redactJson(value) {
      let count = 0;
      const redacted = mapStrings(value, (text) => {
        const one = redact(text);
        count += one.count;
        return one.text;
      });
      return { value: redacted, count };
    },
    decidedIn(text) {
      let decided = Math.max(Math.min(patternsOpenAt(text), known.openAt(text)), 0);
      // Nothing is cut in two that is a secret already; a mark that follows it may be what makes it one.
      for (const { from, to } of disjoint(joined(known.spans(text), patternSpans(text)))) {
        if (from < decided && decided <= to) decided = from;
      }
      return Math.max(decided, text.length - HELD_CHARS_MAX);
    },
    restore,
    // mapStrings keeps the shape and every value that is no string
    restoreJson: <T extends Json>(value: T): T => mapStrings(value, restore) as T,
    flush: () => vault.flush(),
  };
}

/** Nearly always both are empty. */
function joined<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return a.length === 0 ? b : [...a, ...b];
}

/** A part of a text; tokens are not looked into. */
interface Piece {
  readonly token: boolean;
  readonly text: string;
}

/** Tokens that this session gave out; a text that only looks like one is plain. */
function splitAtTokens(text: string, vault: Vault): Piece[] {
  if (!text.includes(TOKEN_START)) return [{ token: false, text }];
  const spans = [...text.matchAll(TOKEN)]
    .filter(([token]) => vault.textOf(token) !== undefined)
    .map(({ 0: token, index }) => ({ from: index, to: index + token.length }));
  return cutAt(text, spans, (_, token) => token);
}

/** @param tokenOf what stands in place of the text of a span */
function cutAt<T extends Span>(text: string, spans: readonly T[], tokenOf: (span: T, text: string) => string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const span of spans) {
    const { from, to } = span;
    pieces.push(
      { token: false, text: text.slice(done, from) },
      { token: true, text: tokenOf(span, text.slice(from, to)) },
    );
    done = to;
  }
  return [...pieces, { token: false, text: text.slice(done) }];
}

/** What patterns found is looked for by itself from then on: at most so many, so that a page of lookalikes costs no time. */
const LEARNED_MAX = 200;

interface SecretsToFind {
  spans(plain: string): readonly FoundSpan[];
  openAt(text: string): number;
  learn(secret: KnownSecret): void;
}

function secretsToFind(named: readonly KnownSecret[], vault: Vault, onNew: () => void): SecretsToFind {
  const secrets = knownSecrets();
  const learnt = new Set<string>();

  const add = ({ name, value }: KnownSecret): void => {
    if (value.length < KNOWN_SECRET_CHARS_MIN) return;
    const forms = [...formsOf(value)].map((form) => secrets.add({ name, value: form }));
    if (forms.includes(true)) onNew();
  };
  const learn = (secret: KnownSecret): void => {
    if (learnt.size >= LEARNED_MAX || learnt.has(secret.value)) return;
    learnt.add(secret.value);
    add(secret);
  };

  for (const secret of named) add(secret);
  for (const [token, text] of vault.entries()) learn({ name: token.split(":")[1] ?? "secret", value: text });

  return {
    spans: (plain) => secrets.spans(plain),
    openAt: (text) => secrets.openAt(text),
    learn,
  };
}

/** Ids, hashes and names come again and again. Characters, and how many are remembered. */
const SEEN_CHARS_MAX = 128;
const SEEN_MAX = 512;

interface CleanTexts {
  has(text: string): boolean;
  add(text: string): void;
  clear(): void;
}

/** Short texts in which nothing was found. What is found from then on makes all of them unknown again. */
function cleanTexts(): CleanTexts {
  const texts = new Set<string>();
  return {
    has: (text) => text.length <= SEEN_CHARS_MAX && texts.has(text),
    add: (text) => {
      if (text.length > SEEN_CHARS_MAX) return;
      if (texts.size >= SEEN_MAX) texts.clear();
      texts.add(text);
    },
    clear: () => {
      texts.clear();
    },
  };
}

/** Member names too: a tool's input is the model's to name. */
function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [change(key), mapStrings(member, change)]));
}
