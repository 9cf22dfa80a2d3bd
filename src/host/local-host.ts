/**
 * A host on this machine: SQLite or any store, the workspaces below a directory, the sandbox, the built-in tools. The one
 * place where the parts are put together; faces, tests and programs that use the library hand in what differs.
 */
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Host, Prompter } from "../engine/host.ts";
import { createContextFiles } from "../engine/context-files.ts";
import type { Clock } from "../kernel/clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { createIds } from "../kernel/ids.ts";
import { type ConfinementLimits, DEFAULT_CONFINEMENT } from "../kernel/permissions.ts";
import type { Admission } from "../model/admission.ts";
import { createAdmission } from "../model/admission/cell-admission.ts";
import type { Models } from "../model/model.ts";
import { createPriceTable, type ModelPrice } from "../model/prices.ts";
import type { Store } from "../store/port.ts";
import { createRedactor, type KnownSecret } from "../store/redaction.ts";
import { copyVault, openVault } from "../store/vault.ts";
import { builtInTools } from "../tool/registry.ts";
import { ripgrepProgram } from "../tool/ripgrep.ts";
import { createBwrapShell } from "../workspace/sandbox/bwrap-shell.ts";
import { endProcess } from "../workspace/process/identity.ts";
import { createPlainShell } from "../workspace/process/plain-shell.ts";
import { probeSandbox } from "../workspace/sandbox/probe.ts";
import type { Shell } from "../workspace/shell.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { createWorkspaces } from "../workspace/workspaces.ts";
import { isOwnerAlive, thisProcess } from "./lease-owner.ts";
import { randomPool } from "./random-pool.ts";
import { systemClock } from "./system-clock.ts";

/** In the session's own directory. */
const VAULT_FILE = "secrets.json";

export interface LocalHostOptions {
  readonly store: Store;
  readonly models: Models;
  /** Prices of one's own, by `provider/model`: they go before the table. Default none. */
  readonly prices?: { readonly [model: string]: ModelPrice };
  /** The rate that processes share, and the breakers of models. Default: kept in the store. */
  readonly admission?: Admission;
  /** belay's own directory: hidden from commands. */
  readonly home: string;
  /** The user's home directory: hidden from commands but for tool chains, and refused as a tree to work in. */
  readonly userHome: string;
  /** An allow list of it is handed to commands; PATH says where programs are found. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values that must never be written to a journal. Default none; patterns of well-known keys are always found. */
  readonly secrets?: readonly KnownSecret[];
  /** Asks a person where there is no sandbox. Default nobody. */
  readonly prompter?: Prompter | null;
  /** Default the machine's. */
  readonly clock?: Clock;
  /** Stands in the journal. */
  readonly version: string;
}

const PATH_DEFAULT = "/usr/local/bin:/usr/bin:/bin";
const LOCALE_DEFAULT = "C.UTF-8";

export function createLocalHost(options: LocalHostOptions): Host {
  const { store, models, environment, userHome, clock = systemClock } = options;
  const random = (): number => Math.random();
  const path = environment["PATH"] ?? PATH_DEFAULT;
  const locale = environment["LC_ALL"] ?? environment["LANG"] ?? LOCALE_DEFAULT;
  const workspaces = createWorkspaces({ git: { path, locale }, clock, home: userHome });
  return {
    store,
    models,
    prices: createPriceTable({ overrides: options.prices ?? {} }),
    admission: options.admission ?? createAdmission({ cells: store, clock, random }),
    workspaces,
    transfer: {
      recreate: workspaces.recreate,
      pack: workspaces.pack,
      copySecrets: async (from, to) => copyVault(join(from, VAULT_FILE), join(to, VAULT_FILE)),
    },
    contextFiles: (source) =>
      createContextFiles({ project: source, claude: join(userHome, ".claude"), belay: options.home }),
    shell: async (workspace, mode, limits = DEFAULT_CONFINEMENT) => {
      const common = { root: workspace.root, scratch: workspace.scratch, home: userHome, path, environment, clock };
      return mode === "bwrap" ? sandboxed(workspace, options.home, limits, common) : createPlainShell(common);
    },
    tools: builtInTools(),
    redactor: async (directory) =>
      createRedactor({ known: options.secrets ?? [], vault: await openVault({ path: join(directory, VAULT_FILE) }) }),
    home: userHome,
    clock,
    random,
    ids: createIds(
      () => clock.now(),
      randomPool((bytes) => randomBytes(bytes)),
    ),
    owner: thisProcess,
    ownerAlive: (owner) => Promise.resolve(isOwnerAlive(owner)),
    endProcess,
    prompter: options.prompter ?? null,
    version: options.version,
  };
}

/** Fail closed: a session that was configured with a sandbox never runs a command without one. */
async function sandboxed(
  workspace: Workspace,
  belayHome: string,
  limits: ConfinementLimits,
  common: Parameters<typeof createPlainShell>[0],
): Promise<Shell> {
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
    ...common,
    sandbox,
    // grep and glob run it; belay may be installed below the home that is hidden
    readable: ripgrep === null ? workspace.readable : [...workspace.readable, dirname(ripgrep)],
    tree: workspace.mode === "in_place" ? "users" : "own",
    ...(workspace.read_only === true ? { readOnly: true } : {}),
    protectedPaths: workspace.protected,
    readableSecrets: limits.readable_secrets,
    hidden: [belayHome],
    maskedPaths: [],
    limits,
  });
}
