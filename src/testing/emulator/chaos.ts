/**
 * Random faults that repeat: whether a request is met, and by what, hangs on the seed, the conversation, the step and how
 * often it was tried, never on the order in which requests arrive.
 */
import { createHash } from "node:crypto";
import { fault, type Fault } from "./fault.ts";
import type { Chaos } from "./scenario.ts";

/** Of a stream, where the default faults cut. */
const EVENTS_MAX = 12;
const UINT32 = 2 ** 32;

export interface Draw {
  readonly conversation: string;
  readonly step: number;
  readonly attempt: number;
}

export function drawFault(chaos: Chaos | undefined, { conversation, step, attempt }: Draw): Fault | null {
  if (chaos === undefined) return null;
  const bytes = createHash("sha256").update(`${chaos.seed}:${conversation}:${step}:${attempt}`).digest();
  if (bytes.readUInt32BE(0) / UINT32 >= chaos.rate) return null;
  const faults = chaos.faults ?? usualFaults(bytes.readUInt32BE(4) % EVENTS_MAX);
  return faults[bytes.readUInt32BE(8) % faults.length] ?? null;
}

/** All pass when the request is sent again. */
function usualFaults(position: number): readonly Fault[] {
  return [
    { status: 500 },
    { status: 529 },
    { status: 429, retry_after: 0 },
    { reset: true },
    { close: true },
    { cut_after_event: position },
    { cut_in_event: position },
    { cut_in_json: true },
    { end_after_event: position },
    { missing_stop: true },
    { error_event: { type: "overloaded_error", message: "Overloaded", after_event: position } },
    { html: 502 },
    { empty: true },
  ].map((entry) => fault.parse(entry));
}
