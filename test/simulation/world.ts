/**
 * The simulated world: virtual time and the machine's processes. Nothing here waits for real: when everything that could run
 * has run, time jumps to the next timer, so a seed always takes the same course.
 *
 * W1: timers fire one at a time, in the order of their times, then of their making.
 * W2: a dead process never goes on: what it awaits never settles, and what it asks for has no effect.
 * W3: a frozen process goes on where it stood when it thaws; what was on its way to it arrives then.
 */
import type { Clock } from "../../src/kernel/clock.ts";

/** Virtual time of a whole session, all its runs and pauses included. Beyond it something waits without a limit. */
const TIME_MAX_MS = 30 * 3_600_000;
/** Timers of a session. Beyond it something turns in circles. */
const TIMERS_MAX = 60_000;
/** An ordinary day. */
const START_WALL_MS = 1_750_000_000_000;

export class Stuck extends Error {}

export interface World {
  /** Milliseconds since the start. Never goes back, and goes on through everything. */
  time(): number;
  /** What the machine's clock shows; `jump` sets it forwards or back, as NTP or a suspend does. */
  wall(): number;
  jump(ms: number): void;
  /** @returns to call it off */
  after(ms: number, fire: () => void): () => void;
  sleep(ms: number): Promise<void>;
  /** Runs until `done`. @throws Stuck when nothing is left that could wake anybody, or a bound is passed */
  run(done: () => boolean): Promise<void>;
  spawn(name: string, machine: string): SimProcess;
  readonly processes: ReadonlyMap<number, SimProcess>;
}

export interface SimProcess {
  readonly name: string;
  readonly pid: number;
  readonly machine: string;
  readonly clock: Clock;
  readonly status: "alive" | "frozen" | "dead";
  /** Resolves when it died. */
  readonly died: Promise<void>;
  kill(): void;
  freeze(): void;
  thaw(): void;
  /** Runs `work` outside and brings what became of it back. W2, W3. */
  edge<T>(work: () => Promise<T>): Promise<T>;
  /** Calls it when the process runs. W2, W3. */
  deliver(call: () => void): void;
  /** Called when it died. */
  onDeath(call: () => void): void;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
  off: boolean;
}

export function createWorld(): World {
  const timers = timerQueue();
  const processes = new Map<number, SimProcess>();
  let now = 0;
  let offset = START_WALL_MS;
  let fired = 0;
  let order = 0;

  const world: World = {
    time: () => now,
    wall: () => offset + now,
    jump: (ms) => void (offset += ms),
    after: (ms, fire) => {
      const timer: Timer = { due: now + Math.max(0, ms), order: order++, fire, off: false };
      timers.push(timer);
      return () => void (timer.off = true);
    },
    sleep: (ms) => new Promise((resolve) => void world.after(ms, resolve)),
    run: async (done) => {
      for (;;) {
        await everythingReady();
        if (done()) return;
        const timer = timers.pop();
        if (timer === undefined) throw new Stuck("nothing is left that could wake anybody (G5)");
        now = Math.max(now, timer.due);
        fired += 1;
        if (now > TIME_MAX_MS) throw new Stuck(`the session takes more than ${TIME_MAX_MS} virtual ms (G5)`);
        if (fired > TIMERS_MAX) throw new Stuck(`the session takes more than ${TIMERS_MAX} timers (G5)`);
        timer.fire();
      }
    },
    spawn: (name, machine) => {
      const process = createProcess(world, name, 1_000 + processes.size, machine);
      processes.set(process.pid, process);
      return process;
    },
    processes,
  };
  return world;
}

function createProcess(world: World, name: string, pid: number, machine: string): SimProcess {
  const death = Promise.withResolvers<void>();
  const mourners: (() => void)[] = [];
  let waiting: (() => void)[] = [];
  let status: SimProcess["status"] = "alive";

  const deliver = (call: () => void): void => {
    if (status === "alive") call();
    else if (status === "frozen") waiting.push(call);
  };
  const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

  return {
    name,
    pid,
    machine,
    get status() {
      return status;
    },
    died: death.promise,
    deliver,
    onDeath: (call) => void mourners.push(call),
    kill: () => {
      if (status === "dead") return;
      status = "dead";
      waiting = [];
      for (const mourn of mourners) mourn();
      death.resolve();
    },
    freeze: () => {
      if (status === "alive") status = "frozen";
    },
    thaw: () => {
      if (status !== "frozen") return;
      status = "alive";
      const arrived = waiting;
      waiting = [];
      for (const call of arrived) deliver(call);
    },
    edge: (work) => {
      if (status === "dead") return never();
      return new Promise((resolve, reject) => {
        deliver(() => {
          work().then(
            (value) => deliver(() => resolve(value)),
            (error: Error) => deliver(() => reject(error)),
          );
        });
      });
    },
    clock: {
      now: () => world.wall(),
      monotonic: () => world.time(),
      sleep: (ms, signal) => {
        if (status === "dead") return never();
        if (signal?.aborted === true || ms <= 0) return Promise.resolve();
        return new Promise((resolve) => {
          const wake = (): void => {
            callOff();
            signal?.removeEventListener("abort", wake);
            resolve();
          };
          const callOff = world.after(ms, () => deliver(wake));
          signal?.addEventListener("abort", wake, { once: true });
        });
      },
    },
  };
}

/** A binary heap. Timers that were called off are dropped when they come up. */
function timerQueue(): { push(timer: Timer): void; pop(): Timer | undefined } {
  const heap: Timer[] = [];
  const at = (i: number): Timer => heap[i] as Timer; // only called below the heap's length
  const before = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.order < b.order);
  const swap = (i: number, j: number): void => {
    [heap[i], heap[j]] = [at(j), at(i)];
  };
  const take = (): Timer | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && before(at(child), at(least))) least = child;
      if (least === i) return first;
      swap(i, least);
      i = least;
    }
  };
  return {
    push: (timer) => {
      heap.push(timer);
      for (let i = heap.length - 1; i > 0;) {
        const parent = (i - 1) >> 1;
        if (!before(at(i), at(parent))) return;
        swap(i, parent);
        i = parent;
      }
    },
    pop: () => {
      for (let timer = take(); timer; timer = take()) if (!timer.off) return timer;
      return undefined;
    },
  };
}

/** Promises that can settle without time have settled. */
function everythingReady(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
