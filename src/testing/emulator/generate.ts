/**
 * Answers that nobody has scripted, for load: so many tokens after such a time, drawn by the seed, the conversation and the
 * step, so that a retry and a second run get the same.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { delay, DELAY_MS_MAX } from "./fault.ts";
import { bytesOf } from "./tokens.ts";

const TOKENS_MAX = 100_000;
/** Few events for much text: the load is what counts here. */
const CHUNK_CHARS_DEFAULT = 400;
const UINT32 = 2 ** 32;
/** Each is one token with the space behind it. */
const WORDS = "the cow can eat its own hat and few men ask why red sea fog may hug old oak bay";

/** One value, or the least and the most of what is drawn evenly. */
const between = (max: number): z.ZodType<number | readonly [number, number]> =>
  z.union([
    z.int().min(0).max(max),
    z
      .tuple([z.int().min(0).max(max), z.int().min(0).max(max)])
      .refine(([least, most]) => least <= most, { message: "the least comes before the most" }),
  ]);

export const generate = z.strictObject({
  /** Of the text; at most what the request's max_tokens allows. */
  output_tokens: between(TOKENS_MAX),
  /** Before the answer begins. */
  latency_ms: between(DELAY_MS_MAX).default(0),
  chunk_chars: z.int().min(1).max(TOKENS_MAX).default(CHUNK_CHARS_DEFAULT),
  /** Between the events of a stream. */
  chunk_delay_ms: delay().default(0),
  seed: z.int().default(1),
});

type Generate = z.infer<typeof generate>;

interface Place {
  readonly conversation: string;
  readonly step: number;
  /** Null: it does not say. */
  readonly maxTokens: number | null;
}

/** A turn of a scenario. */
interface GeneratedTurn {
  readonly say: string;
  readonly stop?: "max_tokens";
  readonly latency_ms: number;
  readonly chunk_chars: number;
  readonly chunk_delay_ms: number;
  readonly repeat: 1;
}

export function generatedTurn(how: Generate, { conversation, step, maxTokens }: Place): GeneratedTurn {
  const bytes = createHash("sha256").update(`${how.seed}:${conversation}:${step}`).digest();
  const wanted = Math.max(1, drawn(how.output_tokens, bytes.readUInt32BE(0)));
  const tokens = Math.max(1, Math.min(wanted, maxTokens ?? wanted));
  return {
    say: textOf(tokens, bytes.readUInt32BE(8)),
    ...(tokens < wanted ? { stop: "max_tokens" } : {}),
    latency_ms: drawn(how.latency_ms, bytes.readUInt32BE(4)),
    chunk_chars: how.chunk_chars,
    chunk_delay_ms: how.chunk_delay_ms,
    repeat: 1,
  };
}

function drawn(range: Generate["latency_ms"], random: number): number {
  if (typeof range === "number") return range;
  const [least, most] = range;
  return least + Math.floor((random / UINT32) * (most - least + 1));
}

const BASE = `${WORDS} `;
const BASE_TOKENS = BASE.length / bytesOf(1);

/** Exactly so many tokens of text. */
function textOf(tokens: number, random: number): string {
  const start = bytesOf(random % BASE_TOKENS);
  const text = BASE.repeat(Math.ceil(tokens / BASE_TOKENS) + 1).slice(start, start + bytesOf(tokens));
  return `${text.slice(0, -1)}.`;
}
