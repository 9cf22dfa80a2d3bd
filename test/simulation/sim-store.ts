/**
 * The store as one process sees it: the shared memory store, watched by the auditor where things take effect, and behind faults
 * where this process asks. A call may fail before or after it took effect, be slow, or be the last that the process makes.
 */
import type { ErrorKind } from "../../src/kernel/error-kind.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import type { SessionState } from "../../src/kernel/state.ts";
import type { Store } from "../../src/store/port.ts";
import { aroundStore, type StoreMethod, WRITES } from "../../src/testing/faulty-store.ts";
import type { Auditor } from "./auditor.ts";
import { crashed } from "./disk.ts";
import type { Dice } from "./dice.ts";
import type { Ledger } from "./ledger.ts";
import type { SimProcess, World } from "./world.ts";

const KINDS: readonly ErrorKind[] = ["store_busy", "store_full", "store_io", "store_read_only"];
const SLOW_MS_MAX = 8_000;

export interface StoreFaults {
  readonly fail: number;
  readonly crash: number;
  readonly slow: number;
}

export interface StoreParts {
  readonly world: World;
  readonly process: SimProcess;
  readonly shared: Store;
  readonly auditor: Auditor;
  readonly ledger: Ledger;
  readonly luck: Dice;
  readonly faults: StoreFaults;
  /** The state of the session that this process drives. */
  readonly inMemory: () => SessionState | null;
}

/** The one store of the machine; every effect on it passes the auditor. */
export function watchedStore(memory: Store, auditor: Auditor): Store {
  return {
    ...memory,
    claim: async (command) => {
      const lease = await memory.claim(command);
      auditor.claimed(lease, command.owner.pid);
      return lease;
    },
    append: async (command) => {
      await memory.append(command);
      const row = await memory.getSession(command.lease.tenant, command.lease.session);
      if (row !== null) await auditor.stored(memory, row, command);
    },
  };
}

export function storeOf(parts: StoreParts): Store {
  const { world, process, shared, auditor, ledger, luck, faults } = parts;
  let broken: HarnessError | null = null;

  const fails = (method: StoreMethod, when: string): never => {
    const kind = luck.pick(KINDS);
    ledger.met(`fault:store ${kind} ${when}`);
    ledger.tell(`fault: ${process.name} store.${method} fails ${when} it took effect (${kind})`);
    const error = new HarnessError(kind, "The simulated store failed.", "Go on.");
    if (kind === "store_io") broken = error;
    throw error;
  };

  const around = <T>(method: StoreMethod, run: () => Promise<T>): Promise<T> =>
    process.edge(async () => {
      if (broken && WRITES.has(method)) throw broken;
      const crash = luck.chance(faults.crash) ? luck.pick(["before", "after"] as const) : null;
      const fault = luck.chance(faults.fail) ? luck.pick(["before", "after"] as const) : null;
      if (luck.chance(faults.slow)) {
        const ms = luck.duration(5, SLOW_MS_MAX);
        ledger.met("fault:store slow");
        ledger.slowed += ms;
        await world.sleep(ms);
      }
      if (fault === "before") fails(method, "before");
      if (crash === "before") crashed(process, ledger, `before store.${method}`);
      if (process.status === "dead") return new Promise<T>(() => undefined);
      const result = await run();
      if (crash === "after") crashed(process, ledger, `after store.${method}`);
      if (fault === "after") fails(method, "after");
      return result;
    });

  const faulty = aroundStore(shared, around);
  return {
    ...faulty,
    append: async (command) => {
      await faulty.append(command);
      auditor.acknowledged(command, parts.inMemory());
    },
  };
}
