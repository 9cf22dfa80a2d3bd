/** What one event type consists of: one file each, beside this one. */
import type * as z from "zod";
import type { Envelope } from "../envelope.ts";
import { invariant } from "../harness-error.ts";
import type { JsonObject } from "../json.ts";
import type { SessionState } from "../state.ts";

/** An event as it is folded: its envelope, its payload, and the hash of its bytes. */
export interface Sealed<Data> extends Envelope {
  readonly data: Data;
  readonly hash: string;
}

export interface EventDefinition<Data> {
  /** Version of the payload that is written today. */
  readonly version: number;
  /** Built on first use. Payloads read from a journal pass it. */
  readonly schema: () => z.ZodType<Data>;
  /** Pure: the state after the event. The envelope's own fields (seq, hash, at) are already in `state`. */
  readonly fold: (state: SessionState, event: Sealed<Data>) => SessionState;
  /** Turns the payload of `version` into that of `version + 1`. Absent while there is only one version. */
  readonly upcast?: (data: JsonObject, version: number) => JsonObject;
}

/** The payload in today's shape, whatever version it was written with: one step at a time, so that each is written once. */
export function upcastPayload(
  definition: Pick<EventDefinition<never>, "version" | "upcast">,
  data: JsonObject,
  version: number,
): JsonObject {
  let current = data;
  for (let from = version; from < definition.version; from++) {
    invariant(definition.upcast !== undefined, "invariant F3: an event with older versions says how they are read");
    current = definition.upcast(current, from);
  }
  return current;
}
