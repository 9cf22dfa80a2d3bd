/** What every command about batches has around it: the store, the host, the providers' batches, the settings, the queue. */
import { join } from "node:path";
import { systemClock } from "../host/system-clock.ts";
import type { Host } from "../engine/host.ts";
import { LOCAL_TENANT } from "../kernel/ids.ts";
import type { BatchModels } from "../model/batch/batch.ts";
import { createBatchModels } from "../model/batch/batch-models.ts";
import type { Store } from "../store/port.ts";
import { type Queue, queueIn } from "../workflow/batch/deferred.ts";
import { createHost } from "./command-host.ts";
import type { Face } from "./face.ts";
import { readSettings, type Settings } from "./resolved-settings.ts";
import { withStore } from "./session-choice.ts";

/** Below belay's home: batches are kept beside the sessions. */
const SESSIONS_DIRECTORY = "sessions";

export interface BatchParts {
  readonly face: Face;
  readonly store: Store;
  readonly host: Host;
  readonly batches: BatchModels;
  readonly settings: Settings;
  readonly queue: Queue;
  /** The directory below which those of sessions are. */
  readonly sessions: string;
}

export async function withBatches<T>(face: Face, work: (parts: BatchParts) => Promise<T>): Promise<T> {
  const { home, providers } = face.environment;
  const settings = readSettings(home);
  return withStore(face, async (store) => {
    const host = createHost({ face, store, prompter: null, settings });
    const batches = createBatchModels({
      variables: providers,
      allowed: settings.allowed,
      toolCallId: () => host.ids.toolCall(),
      loadBlob: (hash) => store.getBlob(LOCAL_TENANT, hash),
      clock: systemClock,
    });
    return work({
      face,
      store,
      host,
      batches,
      settings,
      queue: queueIn(home),
      sessions: join(home, SESSIONS_DIRECTORY),
    });
  });
}
