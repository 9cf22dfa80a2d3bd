/** The host of the command line: the local host, with the model and the secrets that the environment names. */
import type { Host, Prompter } from "../engine/host.ts";
import { createLocalHost } from "../host/local-host.ts";
import { systemClock } from "../host/system-clock.ts";
import { LOCAL_TENANT } from "../kernel/ids.ts";
import { createAnthropicModel } from "../model/anthropic.ts";
import { oneModel } from "../model/model.ts";
import type { Store } from "../store/port.ts";
import type { Face } from "./face.ts";
import { VERSION } from "./version.ts";

export interface HostParts {
  readonly face: Face;
  readonly store: Store;
  readonly prompter: Prompter | null;
}

export function createHost({ face, store, prompter }: HostParts): Host {
  const { environment } = face;
  const model = createAnthropicModel({
    apiKey: environment.apiKey,
    authToken: environment.authToken,
    baseUrl: environment.baseUrl,
    clock: systemClock,
    loadBlob: (hash) => store.getBlob(LOCAL_TENANT, hash),
  });
  return createLocalHost({
    store,
    models: oneModel(model),
    prompter,
    home: environment.home,
    userHome: environment.userHome,
    environment: environment.all,
    secrets: environment.secrets,
    version: VERSION,
  });
}
