/** The host of the command line: the local host, with the models and the secrets that the environment names. */
import type { Host, Prompter } from "../engine/host.ts";
import { createLocalHost } from "../host/local-host.ts";
import type { Store } from "../store/port.ts";
import type { Face } from "./face.ts";
import { commandModels } from "./providers.ts";
import { VERSION } from "./version.ts";

export interface HostParts {
  readonly face: Face;
  readonly store: Store;
  readonly prompter: Prompter | null;
}

export function createHost({ face, store, prompter }: HostParts): Host {
  const { environment } = face;
  return createLocalHost({
    store,
    models: commandModels(face, store),
    prompter,
    home: environment.home,
    userHome: environment.userHome,
    environment: environment.all,
    secrets: environment.secrets,
    version: VERSION,
  });
}
