/** A simulated process of belay: the real engine with every edge simulated. */
import type { Host, Prompter } from "../../src/engine/host.ts";
import { NO_ADMISSION } from "../../src/model/admission.ts";
import { createIds } from "../../src/kernel/ids.ts";
import type { SessionState } from "../../src/kernel/state.ts";
import { nanoDollars } from "../../src/kernel/money.ts";
import { totalTokens } from "../../src/kernel/usage.ts";
import { oneModel } from "../../src/model/model.ts";
import type { Store } from "../../src/store/port.ts";
import { createRedactor } from "../../src/store/redaction.ts";
import { memoryVault, type Vault } from "../../src/store/vault.ts";
import type { Auditor } from "./auditor.ts";
import { type Disks, simulatedWorkspaces } from "./disk.ts";
import type { Dice } from "./dice.ts";
import type { Ledger } from "./ledger.ts";
import { type Commands, endCommand, simulatedShell } from "./shell.ts";
import { simulatedModel } from "./sim-model.ts";
import { storeOf } from "./sim-store.ts";
import { settle, TOOLS } from "./tools.ts";
import type { SimProcess, World } from "./world.ts";

/** What goes wrong how often, each for one call of the edge it names. All zero: fair weather. */
export interface Weather {
  readonly store: { readonly fail: number; readonly crash: number; readonly slow: number };
  readonly disk: { readonly fail: number; readonly crash: number; readonly slow: number; readonly freeze: number };
  readonly shell: { readonly fail: number; readonly crash: number; readonly freeze: number };
  readonly model: { readonly trouble: number; readonly crash: number; readonly calm: boolean };
  /** `unready`: tools that ask for a disk that is gone do not get it back. */
  readonly tool: { readonly crash: number; readonly unready: boolean };
  /** Nobody is there to ask; somebody comes too late. */
  readonly person: { readonly absent: boolean; readonly silent: number; readonly refuses: number };
}

/** What all processes of a session share. */
export interface Machine {
  readonly seed: number;
  readonly world: World;
  readonly ledger: Ledger;
  readonly auditor: Auditor;
  readonly store: Store;
  readonly disks: Disks;
  readonly commands: Commands;
  readonly vault: Vault;
  readonly secret: string;
  readonly luck: Dice;
  readonly ids: Dice;
  readonly snapshots: boolean;
  readonly token: () => string;
  /** The process stands still for longer than its lease, and somebody else takes the session over. */
  readonly freeze: (process: SimProcess) => void;
}

export interface Boot {
  readonly name: string;
  readonly machine: string;
  readonly weather: Weather;
}

export interface SimHost {
  readonly host: Host;
  readonly process: SimProcess;
  /** The state of the session it drives, for the auditor to compare. */
  watch(state: () => SessionState): void;
}

export const DIRECTORY = "/sessions";

export function boot(machine: Machine, { name, machine: where, weather }: Boot): SimHost {
  const { world, ledger, auditor, disks, commands, luck, secret, ids } = machine;
  const process = world.spawn(name, where);
  const edges = { world, process, ledger, luck };
  let inMemory: (() => SessionState) | null = null;
  settle({ ...edges, ...weather.tool });
  const store = storeOf({
    ...edges,
    shared: machine.store,
    auditor,
    faults: weather.store,
    inMemory: () => inMemory?.() ?? null,
  });
  const model = simulatedModel({
    ...edges,
    ...weather.model,
    secret,
    token: machine.token,
    onRequest: (request) => auditor.asked(process.pid, request),
  });
  const host: Host = {
    store,
    models: oneModel(model),
    prices: {
      costOf: (_provider, _model, usage) =>
        Promise.resolve({ cost: nanoDollars(totalTokens(usage) * 3_000), price: "simulated" }),
      batchCostOf: () => Promise.resolve(null),
      contextWindow: () => Promise.resolve(null),
    },
    admission: NO_ADMISSION, // the shared rate has simulations of its own
    workspaces: simulatedWorkspaces({
      ...edges,
      disks,
      faults: weather.disk,
      freeze: machine.freeze,
      snapshots: machine.snapshots,
    }),
    transfer: {} as Host["transfer"], // forks, exports and imports are not simulated
    shell: (workspace, mode) =>
      Promise.resolve(
        simulatedShell({
          ...edges,
          disk: disks.at(directoryOf(workspace.root)),
          commands,
          namespaced: mode === "bwrap",
          secret,
          faults: weather.shell,
          freeze: machine.freeze,
        }),
      ),
    // Reading real files takes the machine\'s time, of which the world knows nothing.
    contextFiles: () => ({ read: () => ({ found: "nothing" }), list: () => ({ found: "nothing" }) }),
    tools: TOOLS,
    redactor: () =>
      Promise.resolve(createRedactor({ known: [{ name: "PLANTED", value: secret }], vault: machine.vault })),
    home: "/home/user",
    clock: process.clock,
    random: () => luck.next(),
    ids: createIds(
      () => world.wall(),
      (n) => ids.bytes(n),
    ),
    owner: () => ({
      token: Buffer.from(ids.bytes(8)).toString("hex"),
      host: where,
      pid: process.pid,
      start_time: null,
      boot_id: null,
    }),
    ownerAlive: (owner) =>
      Promise.resolve(owner.host === where ? world.processes.get(owner.pid)?.status !== "dead" : null),
    endProcess: (identity) =>
      process.edge(async () => {
        await world.sleep(20);
        return endCommand(commands, identity);
      }),
    prompter: weather.person.absent ? null : prompterOf(machine, process, weather),
    version: "0.0.0-simulated",
  };
  return { host, process, watch: (state) => void (inMemory = state) };
}

export function vaultFor(): Vault {
  return memoryVault(Buffer.alloc(32, 7));
}

function directoryOf(root: string): string {
  return root.slice(0, -"/tree".length);
}

/** A person: answers, says no, or does not come. */
function prompterOf({ luck, ledger }: Machine, { clock }: SimProcess, { person }: Weather): Prompter {
  const answer = async (signal: AbortSignal): Promise<{ readonly approved: boolean; readonly by: string }> => {
    if (luck.chance(person.silent)) {
      ledger.met("person:does not come");
      await clock.sleep(20 * 3_600_000, signal);
      return { approved: false, by: "nobody" };
    }
    await clock.sleep(luck.duration(100, 60_000), signal);
    const approved = !signal.aborted && !luck.chance(person.refuses);
    ledger.met(approved ? "person:approves" : "person:refuses");
    return { approved, by: "somebody" };
  };
  return {
    ask: async (_question, signal) => {
      const { approved, by } = await answer(signal);
      if (!approved) return { answer: "no", by, reason: luck.chance(0.3) ? "not now" : null, rule: null };
      return luck.chance(0.2)
        ? { answer: "session", by, reason: null, rule: "Bash(exit 0)" }
        : { answer: "once", by, reason: null, rule: null };
    },
    askBudget: (_question, signal) => answer(signal),
  };
}
