/** The composition root: everything a session needs, put together for one machine and one user. */
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Host, Prompter } from "../engine/host.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { createIds, LOCAL_TENANT } from "../kernel/ids.ts";
import { createAnthropicModel } from "../model/anthropic.ts";
import { createPriceTable } from "../model/prices.ts";
import type { Store } from "../store/port.ts";
import { createRedactor } from "../store/redaction.ts";
import { openVault } from "../store/vault.ts";
import { builtInTools } from "../tool/registry.ts";
import { ripgrepProgram } from "../tool/ripgrep.ts";
import { createBwrapShell } from "../workspace/bwrap-shell.ts";
import { endProcess } from "../workspace/process-identity.ts";
import { createPlainShell } from "../workspace/process-plain-shell.ts";
import { probeSandbox } from "../workspace/sandbox-probe.ts";
import type { Shell } from "../workspace/shell.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { createWorkspaces } from "../workspace/workspaces.ts";
import type { Face } from "./face.ts";
import { isOwnerAlive, thisProcess } from "./lease-owner.ts";
import { systemClock } from "./system-clock.ts";
import { VERSION } from "./version.ts";

/** In the session's own directory. */
const VAULT_FILE = "secrets.json";

export interface HostParts {
  readonly face: Face;
  readonly store: Store;
  readonly prompter: Prompter | null;
}

export function createHost({ face, store, prompter }: HostParts): Host {
  const { environment } = face;
  const clock = systemClock;
  return {
    store,
    model: createAnthropicModel({
      apiKey: environment.apiKey,
      authToken: environment.authToken,
      baseUrl: environment.baseUrl,
      clock,
      loadBlob: (hash) => store.getBlob(LOCAL_TENANT, hash),
    }),
    prices: createPriceTable({}),
    workspaces: createWorkspaces({
      git: { path: environment.path, locale: environment.locale },
      clock,
      home: environment.userHome,
    }),
    shell: (workspace, mode) =>
      mode === "bwrap" ? sandboxed(face, workspace) : Promise.resolve(plain(face, workspace)),
    tools: builtInTools(),
    redactor: async (directory) =>
      createRedactor({ known: environment.secrets, vault: await openVault({ path: join(directory, VAULT_FILE) }) }),
    clock,
    random: () => Math.random(),
    ids: createIds(
      () => clock.now(),
      (bytes) => randomBytes(bytes),
    ),
    owner: thisProcess,
    ownerAlive: (owner) => Promise.resolve(isOwnerAlive(owner)),
    endProcess,
    prompter,
    version: VERSION,
  };
}

/** Fail closed: a session that was configured with a sandbox never runs a command without one. */
async function sandboxed({ environment }: Face, workspace: Workspace): Promise<Shell> {
  const sandbox = await probeSandbox();
  if (sandbox.mode === "none") {
    throw new HarnessError(
      "sandbox_missing",
      `This session's commands need a sandbox and there is none: ${sandbox.reason}.`,
      `Install it (${sandbox.install}), then resume.`,
    );
  }
  const ripgrep = await ripgrepProgram();
  return createBwrapShell({
    sandbox,
    root: workspace.root,
    scratch: workspace.scratch,
    // grep and glob run it; belay may be installed below the home that is hidden
    readable: ripgrep === null ? workspace.readable : [...workspace.readable, dirname(ripgrep)],
    protectedPaths: workspace.protected,
    home: environment.userHome,
    path: environment.path,
    hidden: [environment.home],
    maskedPaths: [],
    environment: environment.all,
    clock: systemClock,
  });
}

function plain({ environment }: Face, workspace: Workspace): Shell {
  return createPlainShell({
    scratch: workspace.scratch,
    home: environment.userHome,
    path: environment.path,
    environment: environment.all,
    clock: systemClock,
  });
}
