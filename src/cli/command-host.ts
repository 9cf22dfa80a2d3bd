/** The host of the command line: the local host, with the models and the secrets that the environment names. */
import type { Host, Prompter } from "../engine/host.ts";
import { createLocalHost } from "../host/local-host.ts";
import type { Store } from "../store/port.ts";
import type { Face } from "./face.ts";
import { commandModels } from "./providers.ts";
import { readSettings, type Settings } from "./resolved-settings.ts";
import { VERSION } from "./version.ts";

export interface HostParts {
  readonly face: Face;
  readonly store: Store;
  readonly prompter: Prompter | null;
  /** Absent: they are read. No host is without them, because they say which models may be spoken to. */
  readonly settings?: Settings;
}

/** @throws HarnessError `config_invalid`: the settings cannot be used */
export function createHost({ face, store, prompter, settings }: HostParts): Host {
  const { environment } = face;
  const { allowed, prices } = settings ?? readSettings(environment.home);
  return createLocalHost({
    store,
    models: commandModels(face, store, allowed),
    prices,
    prompter,
    home: environment.home,
    userHome: environment.userHome,
    environment: environment.all,
    secrets: environment.secrets,
    version: VERSION,
  });
}
