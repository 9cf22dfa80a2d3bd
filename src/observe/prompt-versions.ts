/** Which texts shaped a session, and since when: its hashes as journaled. */
import type { Event, EventOf, UnknownEvent } from "../kernel/events/index.ts";
import { isUnknown } from "../kernel/fold.ts";

export interface SessionPin {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: EventOf<"PromptPinned">["data"]["reason"];
  /** Names of the blobs. */
  readonly system: string;
  readonly tools: string;
  readonly parts: readonly { readonly kind: string; readonly name: string; readonly hash: string }[];
}

export interface VersionReport {
  /** Of the configuration, as it stands at the end; null before it was configured. */
  readonly versions: EventOf<"SessionConfigured">["data"]["config"]["versions"] | null;
  /** In their order; none for a session of a version before they were kept. */
  readonly pins: readonly SessionPin[];
}

export async function versionReport(events: AsyncIterable<Event | UnknownEvent>): Promise<VersionReport> {
  let versions: VersionReport["versions"] = null;
  const pins: SessionPin[] = [];
  for await (const event of events) {
    if (isUnknown(event)) continue;
    if (event.kind === "SessionConfigured" || event.kind === "SettingsChanged") ({ versions } = event.data.config);
    else if (event.kind === "PromptPinned") pins.push({ seq: event.seq, at: event.at, ...event.data });
  }
  return { versions, pins };
}
