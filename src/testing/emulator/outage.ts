/** Outages of a model: for a time, or for so many requests, nothing but failures. Others answer meanwhile. */
import * as z from "zod";
import type { Clock } from "../../kernel/clock.ts";

const SECOND_MS = 1_000;
const STATUSES = [500, 503, 529] as const;

const seconds = (): z.ZodNumber => z.number().min(0);
const nth = (): z.ZodInt => z.int().min(1);

export const outage = z
  .strictObject({
    /** Absent: every model. */
    model: z.string().min(1).optional(),
    /** Since the emulator's start; from and including the first, until before the second. */
    from_s: seconds().optional(),
    to_s: seconds().optional(),
    /** Of the requests to this model, counted from 1, both included. */
    from_request: nth().optional(),
    to_request: nth().optional(),
    /** `timeout`: not even headers come. `refuse`: the connection is reset, as the port is shared with other models. */
    status: z.union([z.literal(STATUSES), z.enum(["timeout", "refuse"])]),
  })
  .refine(({ from_s, to_s }) => (from_s ?? 0) < (to_s ?? Infinity), { message: "to_s is after from_s" })
  .refine(({ from_request, to_request }) => (from_request ?? 1) <= (to_request ?? Infinity), {
    message: "to_request is not before from_request",
  });

export type Outage = z.infer<typeof outage>;

export interface Outages {
  /** Counts a request to the model. @returns what it meets; null: it is answered */
  meet(model: string): Outage["status"] | null;
}

export function createOutages(outages: readonly Outage[], clock: Clock): Outages {
  const born = clock.monotonic();
  const counted = outages.map((entry) => ({ entry, requests: 0 }));
  return {
    meet: (model) => {
      const since = (clock.monotonic() - born) / SECOND_MS;
      let met: Outage["status"] | null = null;
      for (const one of counted) {
        if (one.entry.model !== undefined && one.entry.model !== model) continue;
        one.requests += 1;
        if (met === null && holds(one.entry, since, one.requests)) met = one.entry.status;
      }
      return met;
    },
  };
}

function holds({ from_s, to_s, from_request, to_request }: Outage, since: number, request: number): boolean {
  return (
    since >= (from_s ?? 0) &&
    since < (to_s ?? Infinity) &&
    request >= (from_request ?? 1) &&
    request <= (to_request ?? Infinity)
  );
}
