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
import { SECRET_PATTERNS, type SecretPattern } from "./secret-pattern.ts";
import type { Vault } from "./vault.ts";

/** A shorter value is a word of ordinary text as often as not. Characters. */
export const KNOWN_SECRET_CHARS_MIN = 8;

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

  const redactOnce = (text: string): { readonly text: string; readonly count: number } => {
    let pieces = splitAtTokens(text, vault);
    let count = 0;
    const replace = (find: (plain: string) => readonly Span[], name: string): void => {
      pieces = pieces.flatMap((piece) => {
        if (piece.token) return [piece];
        const spans = find(piece.text);
        if (spans.length === 0) return [piece];
        count += spans.length;
        return cutAt(piece.text, spans, (secret) => vault.tokenOf(name, secret));
      });
    };
    for (const { name, value } of known.all()) {
      if (text.includes(value)) replace((plain) => spansOfText(plain, value), name);
    }
    for (const pattern of SECRET_PATTERNS) {
      const find = (plain: string): readonly Span[] => {
        const spans = spansOfPattern(plain, pattern);
        for (const { from, to } of spans) known.learn({ name: pattern.name, value: plain.slice(from, to) });
        return spans;
      };
      replace(find, pattern.name);
    }
    return { text: pieces.map((piece) => piece.text).join(""), count };
  };

  /** Nearly all text is: it is looked at whole, and taken apart only when something is there. */
  const isClean = (text: string): boolean => {
    if (seen.has(text)) return true;
    for (const { value } of known.all()) if (text.includes(value)) return false;
    for (const { pattern } of SECRET_PATTERNS) {
      pattern.lastIndex = 0;
      if (pattern.test(text)) return false;
    }
    seen.add(text);
    return true;
  };

  const redact = (text: string): { readonly text: string; readonly count: number } => {
    // Nothing so short is a secret: neither what was named nor what a pattern finds.
    if (text.length < KNOWN_SECRET_CHARS_MIN || isClean(text)) return { text, count: 0 };
    let found = { text, count: 0 };
    // Until nothing is found: a replacement can free a match that it overlapped, and what a pattern found once is known from
    // then on. Each round turns plain text into tokens, which are not looked into again, so the rounds end.
    for (;;) {
      const round = redactOnce(found.text);
      if (round.count === 0) return found;
      found = { text: round.text, count: found.count + round.count };
    }
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
    restore,
    // mapStrings keeps the shape and every value that is no string
    restoreJson: <T extends Json>(value: T): T => mapStrings(value, restore) as T,
    flush: () => vault.flush(),
  };
}

/** A part of a text; tokens are not looked into. */
interface Piece {
  readonly token: boolean;
  readonly text: string;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Tokens that this session gave out; a text that only looks like one is plain. */
function splitAtTokens(text: string, vault: Vault): Piece[] {
  if (!text.includes(TOKEN_START)) return [{ token: false, text }];
  const spans = [...text.matchAll(TOKEN)]
    .filter(([token]) => vault.textOf(token) !== undefined)
    .map(({ 0: token, index }) => ({ from: index, to: index + token.length }));
  return cutAt(text, spans, (token) => token);
}

/** @param tokenOf what stands in place of the text of a span. */
function cutAt(text: string, spans: readonly Span[], tokenOf: (text: string) => string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const { from, to } of spans) {
    pieces.push({ token: false, text: text.slice(done, from) }, { token: true, text: tokenOf(text.slice(from, to)) });
    done = to;
  }
  return [...pieces, { token: false, text: text.slice(done) }];
}

function spansOfText(plain: string, secret: string): readonly Span[] {
  const spans: Span[] = [];
  for (let from = plain.indexOf(secret); from >= 0; from = plain.indexOf(secret, from + secret.length)) {
    spans.push({ from, to: from + secret.length });
  }
  return spans;
}

function spansOfPattern(plain: string, { pattern, accept }: SecretPattern): readonly Span[] {
  // Nearly always there is none, and `matchAll` makes a copy of the expression before it looks.
  pattern.lastIndex = 0;
  if (!pattern.test(plain)) return [];
  pattern.lastIndex = 0;
  return [...plain.matchAll(pattern)].flatMap((match) => {
    const secret = match.groups?.["secret"] ?? match[0];
    const to = match.index + match[0].length; // the secret is the end of the match
    return accept && !accept(secret) ? [] : [{ from: to - secret.length, to }];
  });
}

/** What patterns found is looked for by itself from then on: at most so many, so that a page of lookalikes costs no time. */
const LEARNED_MAX = 200;

interface SecretsToFind {
  /** Longest first: one secret may hold another. */
  all(): readonly KnownSecret[];
  learn(secret: KnownSecret): void;
}

function secretsToFind(named: readonly KnownSecret[], vault: Vault, onNew: () => void): SecretsToFind {
  const byValue = new Map<string, KnownSecret>();
  let sorted: readonly KnownSecret[] | null = null;
  let learned = 0;

  const add = (secret: KnownSecret): boolean => {
    if (secret.value.length < KNOWN_SECRET_CHARS_MIN || byValue.has(secret.value)) return false;
    byValue.set(secret.value, secret);
    sorted = null;
    onNew();
    return true;
  };
  const learn = (secret: KnownSecret): void => {
    if (learned < LEARNED_MAX && add(secret)) learned += 1;
  };

  for (const { name, value } of named) {
    if (value.length < KNOWN_SECRET_CHARS_MIN) continue;
    for (const form of formsOf(value)) add({ name, value: form });
  }
  for (const [token, text] of vault.entries()) learn({ name: token.split(":")[1] ?? "secret", value: text });

  return {
    all: () => (sorted ??= [...byValue.values()].sort((a, b) => b.value.length - a.value.length)),
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

/** A secret as it stands in plain text, in JSON, in JSON within JSON, and in an address. */
function formsOf(value: string): ReadonlySet<string> {
  const escaped = JSON.stringify(value).slice(1, -1);
  return new Set([value, escaped, JSON.stringify(escaped).slice(1, -1), encodeURIComponent(value.toWellFormed())]);
}

/** Member names too: a tool's input is the model's to name. */
function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [change(key), mapStrings(member, change)]));
}
