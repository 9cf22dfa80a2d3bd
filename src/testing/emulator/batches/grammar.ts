/** How batches of a scenario go: their pace, what fails in them, their limits and faults. Documented in `docs/emulator.md`. */
import * as z from "zod";
import { ERROR_WORDS } from "../error-word.ts";
import { count, delay, times } from "../fault.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Requests by their custom id, or a share of them that hangs on the custom id alone. */
const some = {
  share: z.number().min(0).max(1).optional(),
  /** A part of the custom id. */
  custom_id: z.string().min(1).optional(),
};
const one = {
  message: "say a share or a part of the custom id, and not both",
};
const isOne = ({ share, custom_id }: { share?: number | undefined; custom_id?: string | undefined }): boolean =>
  (share === undefined) !== (custom_id === undefined);

export const ACTS = ["upload", "create", "get", "list", "results", "cancel"] as const;

const batchFault = z
  .strictObject({
    at: z.enum(ACTS),
    /** Such requests that pass before it. */
    after: count().default(0),
    times: times().default(1),
    /** An error response. */
    status: z.int().min(400).max(599).optional(),
    retry_after: count().optional(),
    /** The order is carried out, and the connection is cut before it is answered. */
    lost: z.literal(true).optional(),
    /** The connection is cut, and nothing was carried out. */
    unsent: z.literal(true).optional(),
    /** Of results: the connection is cut in the middle. */
    cut: z.literal(true).optional(),
    /** Of results: an end in order after half of them. */
    short: z.literal(true).optional(),
    /** Of results: a line in the middle that is none. */
    garbage: z.literal(true).optional(),
  })
  .refine(
    ({ status, lost, unsent, cut, short, garbage }) =>
      [status, lost, unsent, cut, short, garbage].filter(Boolean).length === 1,
    {
      message: "a fault of batches is exactly one of status, lost, unsent, cut, short, garbage",
    },
  )
  .refine(({ at, cut, short, garbage }) => at === "results" || !(cut || short || garbage), {
    message: "cut, short and garbage are faults of results",
  });

export const batches = z.strictObject({
  /** From the creation on, before anything is answered. */
  delay_ms: delay().default(0),
  /** How many requests are answered each second after that. Absent: all at once. */
  per_second: z.number().positive().optional(),
  /** A batch ends at this poll at the earliest. */
  polls: z.int().min(1).default(1),
  /** The first that holds. They fail each time they are submitted. */
  errored: z
    .array(z.strictObject({ ...some, error: z.enum(ERROR_WORDS).default("server_error") }).refine(isOne, one))
    .default([]),
  /** They are not answered, and expire. */
  unanswered: z.strictObject(some).refine(isOne, one).optional(),
  /** From the creation on; what is not answered by then expires. */
  window_ms: z.int().min(0).default(DAY_MS),
  /** From the creation on, how long results can be fetched. */
  results_ms: z
    .int()
    .min(0)
    .default(29 * DAY_MS),
  /** Of one batch. Absent: the provider's own. */
  requests_max: z.int().min(1).optional(),
  bytes_max: z.int().min(1).optional(),
  faults: z.array(batchFault).default([]),
});

export type Batches = z.infer<typeof batches>;
export type BatchFault = z.infer<typeof batchFault>;
export type Act = (typeof ACTS)[number];
