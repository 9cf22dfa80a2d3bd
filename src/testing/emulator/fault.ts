/** The faults of a scenario, their grammar. What each does to a client is in `docs/emulator.md`. */
import * as z from "zod";
import { ERROR_WORDS } from "./error-word.ts";

export const DELAY_MS_MAX = 600_000;
export const TIMES_MAX = 1_000_000;
const CHUNK_BYTES_MAX = 1_000_000;

export const count = (): z.ZodInt => z.int().min(0);
export const times = (): z.ZodInt => z.int().min(1).max(TIMES_MAX);
export const delay = (): z.ZodInt => z.int().min(0).max(DELAY_MS_MAX);
export const headers = (): z.ZodRecord<z.ZodString, z.ZodString> => z.record(z.string(), z.string());
const flag = (): z.ZodLiteral<true> => z.literal(true);

/** How bytes travel. Nothing of it changes what an answer says: a client must not notice. */
export const wire = z.strictObject({
  /** Every write has at most so many bytes, wherever that cuts. */
  chunk_bytes: z.int().min(1).max(CHUNK_BYTES_MAX).optional(),
  /** Between the writes. */
  chunk_ms: delay().optional(),
  line_ends: z.enum(["lf", "crlf", "cr"]).optional(),
  /** A comment before every event. */
  comments: flag().optional(),
  /** An event of a kind that does not exist before every event. */
  unknown_events: flag().optional(),
});

/** Before or instead of an answer. */
const whole = {
  /** An error response. */
  status: z.int().min(300).max(599).optional(),
  /** An error response by what it means, in the words of whoever is asked. */
  error: z.enum(ERROR_WORDS).optional(),
  /** The connection is reset before anything is answered. */
  reset: flag().optional(),
  /** The connection is closed in order before anything is answered. */
  close: flag().optional(),
  /** The connection is reset, and for so many milliseconds nobody listens on the port. */
  refuse_ms: z.int().min(1).max(DELAY_MS_MAX).optional(),
  /** Not even headers come; the connection stays open. */
  no_headers: flag().optional(),
  /** A 200 with this body and content type: a proxy's page, say. */
  raw: z.strictObject({ body: z.string(), content_type: z.string().default("text/html") }).optional(),
  /** An HTML page with this status, where JSON or events were due. */
  html: z.int().min(200).max(599).optional(),
  /** A 200 without a body. */
  empty_body: flag().optional(),
  /** The headers say gzip, the body is none. */
  gzip_garbage: flag().optional(),
  /** The body is longer or shorter than its length says. */
  content_length: z.enum(["longer", "shorter"]).optional(),
};

/** In a stream, counted in its events. */
const inStream = {
  /** The connection is cut after n events (0: after the headers). */
  cut_after_event: count().optional(),
  /** The connection is cut in the middle of the nth event, counted from 0. */
  cut_in_event: count().optional(),
  /** The connection is cut in the middle of the JSON of a tool's input. */
  cut_in_json: flag().optional(),
  /** The connection is cut inside a character of more than one byte. */
  cut_in_character: flag().optional(),
  /** Nothing comes after n events, and the connection stays open. */
  silence_after_event: count().optional(),
  silence_in_event: count().optional(),
  /** A clean end after n events. */
  end_after_event: count().optional(),
  /** A clean end without the events that say so. */
  missing_stop: flag().optional(),
  /** The last delta again and again, until the client goes. */
  endless: flag().optional(),
  /** The nth event comes twice. */
  duplicate_event: count().optional(),
  /** The data of the nth event is no JSON. */
  bad_event: count().optional(),
  /** An event that does not exist, after n events. */
  unknown_event: z
    .strictObject({
      after_event: count().default(1),
      name: z.string().default("emulator.unknown"),
      data: z.unknown().optional(),
    })
    .optional(),
  /** An error inside the stream, with status 200. */
  error_event: z
    .strictObject({
      type: z.string(),
      message: z.string(),
      code: z.string().optional(),
      form: z.enum(["event", "nested", "failed"]).optional(),
      after_event: count().optional(),
    })
    .optional(),
};

/** In what the answer says. */
const inAnswer = {
  /** A complete answer whose last tool input is cut, with stop_reason max_tokens. */
  truncated_json: flag().optional(),
  /** The same, with the stop reason of an answer that is whole. */
  cut_tool_json: flag().optional(),
  /** An answer without content. */
  empty: flag().optional(),
  /** An answer that does not say its usage. */
  usage_missing: flag().optional(),
};

const WAYS = { ...whole, ...inStream, ...inAnswer };
// The keys of the object literal above.
export const FAULT_WAYS = Object.keys(WAYS) as readonly (keyof typeof WAYS)[];

export const fault = z
  .strictObject({
    /** How many requests of one step it meets, before the turn is answered. */
    times: times().default(1),
    ...WAYS,
    /** Of an error response: JSON, or text as it stands. Absent: the provider's own body. */
    body: z.unknown().optional(),
    /** Seconds, or a date. */
    retry_after: z.union([z.number().min(0), z.string()]).optional(),
    retry_after_ms: count().optional(),
    /** Rate headers that say that nothing is left of this. */
    exhausted: z.enum(["requests", "tokens"]).optional(),
    /** When the rate headers say that it is back. */
    reset_ms: count().optional(),
    headers: headers().optional(),
    wire: wire.optional(),
  })
  .refine((value) => waysOf(value) === 1 || (waysOf(value) === 0 && value.wire !== undefined), {
    message: `a fault is exactly one of ${FAULT_WAYS.join(", ")}, or a wire alone`,
  });

function waysOf(value: { readonly [way in keyof typeof WAYS]?: unknown }): number {
  return FAULT_WAYS.filter((way) => value[way] !== undefined).length;
}

export type Fault = z.infer<typeof fault>;
export type FaultInput = z.input<typeof fault>;
export type Wire = z.infer<typeof wire>;

/** The way of a fault, for the log of requests. */
export function wayOf(value: Fault): string {
  return FAULT_WAYS.find((way) => value[way] !== undefined) ?? "wire";
}

/** A client that takes this answer goes on: the turn was said. */
export function isHarmless(value: Fault): boolean {
  return ["wire", "duplicate_event", "unknown_event", "usage_missing"].includes(wayOf(value));
}
