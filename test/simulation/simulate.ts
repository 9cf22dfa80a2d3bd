/**
 * One simulated session, from its start to its end, with everything that a seed has in store for it. The real engine over
 * simulated edges; `auditor.ts` holds the invariants and looks at them at every step.
 *
 * The course of a seed: a session is started; it is disturbed, ends or dies, and is resumed, some times; then the weather
 * clears, one more run must bring it to its end, and everything is counted.
 */
import { type LiveSession, resumeSession, startSession } from "../../src/engine/session.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { textPart } from "../../src/kernel/content.ts";
import type { SessionConfig } from "../../src/kernel/config.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { readCall } from "../../src/policy/call-reading.ts";
import { CLEAN_LABEL } from "../../src/kernel/label.ts";
import { DEFAULT_CONTEXT } from "../../src/kernel/work-policy.ts";
import { testConfig } from "../support/config.ts";
import { loadSession } from "../../src/store/journal.ts";
import { createMemoryStore } from "../../src/store/memory/memory-store.ts";
import { createAuditor } from "./auditor.ts";
import { countEffects, type Ending, judgeRun, rowOf } from "./verdict.ts";
import { dice } from "./dice.ts";
import { createDisks } from "./disk.ts";
import { createLedger } from "./ledger.ts";
import { type Disturbance, FAIR, scenarioOf } from "./scenario.ts";
import { boot, DIRECTORY, type Machine, type SimHost, vaultFor } from "./sim-host.ts";
import { watchedStore } from "./sim-store.ts";
import { createWorld, Stuck } from "./world.ts";

export interface Simulated {
  readonly seed: number;
  /** Empty when every invariant held. */
  readonly violations: readonly string[];
  /** What was met, and how often. */
  readonly counters: ReadonlyMap<string, number>;
  /** A line for each step and fault; empty unless asked for. */
  readonly trace: readonly string[];
  /** Every record of the journal, to the byte. */
  readonly journal: readonly string[];
  readonly virtual_ms: number;
}

const SECRET = "hunter2-planted-secret-value";
/** Longer than any lease, and than a clock was set back. Milliseconds. */
const LEASE_TRIES_MS = 5_000;
const LEASE_TRIES_MAX = 100;
/** With everything raised, nothing is in the way of the end. */
const CLEAR = {
  limits: { turns: 9_999, active_ms: 29 * 24 * 3_600_000, tokens: 9_000_000_000 },
  context: DEFAULT_CONTEXT,
  budget: { caps: [], alert_at: null, turn_alert: null },
  setup: null,
  verify: null,
};

/** What the engine loads when it first needs it takes the machine's time, of which the world knows nothing. */
const LOADED = Promise.all([
  readCall(
    { tool: "bash", effect: "execute", input: { command: "true" } },
    {
      config: testConfig(),
      label: CLEAN_LABEL,
      phase: null,
      userWrote: () => false,
      webNamed: () => false,
      root: "/workspace",
      home: "/home/user",
      now: 0,
    },
  ),
  import("../../src/policy/rules/suggest.ts"),
]);

export async function simulate(seed: number, options: { readonly trace?: boolean } = {}): Promise<Simulated> {
  await LOADED;
  const world = createWorld();
  const strange: string[] = [];
  const rejected = (reason: unknown): void =>
    void strange.push(`a promise was rejected and nobody heard: ${String(reason)}`);
  const ledger = createLedger({
    time: () => world.time(),
    onEffect: (effect) => auditor.effect(effect),
    trace: options.trace ?? false,
  });
  const auditor = createAuditor({
    time: () => world.time(),
    slowed: () => ledger.slowed,
    secret: SECRET,
    met: ledger.met,
    tell: ledger.tell,
  });
  const memory = createMemoryStore({
    clock: { now: () => world.wall(), monotonic: () => world.time(), sleep: (ms) => world.sleep(ms) },
  });
  const scenario = scenarioOf(dice(seed, "scenario"));
  let tokens = 0;
  const machine: Machine = {
    seed,
    world,
    ledger,
    auditor,
    store: watchedStore(memory, auditor),
    disks: createDisks(),
    commands: new Map(),
    vault: vaultFor(),
    secret: SECRET,
    luck: dice(seed, "luck"),
    ids: dice(seed, "ids"),
    snapshots: scenario.snapshots,
    token: () => `T${(tokens += 1)}`,
    freeze: (process) => frozen(process),
  };
  let frozen: Machine["freeze"] = () => undefined;
  ledger.tell(`scenario ${JSON.stringify(scenario)}`);
  process.on("unhandledRejection", rejected);
  let over = false;
  const course = directed(machine, scenario, dice(seed, "course"), (how) => (frozen = how)).then(
    () => (over = true),
    (error: unknown) => {
      over = true;
      auditor.violated(14, error instanceof Error ? (error.stack ?? error.message) : String(error));
    },
  );
  try {
    await world.run(() => over || auditor.violations.length > 0 || strange.length > 0);
    if (over) await course;
  } catch (error) {
    if (!(error instanceof Stuck)) throw error;
    auditor.violated(11, error.message);
  } finally {
    process.off("unhandledRejection", rejected);
  }
  const row = await rowOf(memory);
  const journal =
    row === null ? [] : await memory.read({ tenant: LOCAL_TENANT, session: row.session, after_seq: 0, limit: 100_000 });
  return {
    seed,
    violations: [...auditor.violations, ...strange],
    counters: ledger.counters,
    trace: ledger.lines,
    journal: journal.map((record) => `${record.seq} ${record.hash} ${record.body}`),
    virtual_ms: world.time(),
  };
}

type Scenario = ReturnType<typeof scenarioOf>;

async function directed(
  machine: Machine,
  scenario: Scenario,
  luck: ReturnType<typeof dice>,
  onFreeze: (how: Machine["freeze"]) => void,
): Promise<void> {
  const { world, ledger } = machine;
  let booted = 0;
  const fresh = (weather = scenario.weather): SimHost =>
    boot(machine, { name: `belay-${(booted += 1)}`, machine: luck.pick(scenario.machines), weather });

  const rivals: Promise<unknown>[] = [];
  onFreeze((process) => {
    if (process.status !== "alive") return;
    const how_long = luck.int(16_000, 50_000);
    ledger.met("fault:freeze past the lease");
    ledger.tell(`fault: ${process.name} freezes for ${how_long} ms`);
    ledger.slowed += how_long;
    process.freeze();
    world.after(how_long, () => process.thaw());
    rivals.push(world.sleep(luck.int(15_100, how_long)).then(() => rival(machine, scenario, fresh)));
  });
  let kept: SimHost | null = null;
  for (let n = 1; n <= scenario.runs; n++) {
    const host: SimHost = kept ?? fresh();
    const ended = await oneRun(machine, scenario, host, luck, fresh);
    await Promise.all(rivals);
    // A program that uses the library stays; a command is gone after its run.
    kept = ended === "report" && luck.chance(0.3) && host.process.status === "alive" ? host : null;
    if (kept === null) host.process.kill();
    if (luck.chance(0.1)) world.jump(-luck.int(1_000, 30_000));
    if (luck.chance(0.7)) await world.sleep(luck.duration(1, 60_000));
  }
  for (const process of world.processes.values()) {
    if (process.status === "frozen" && luck.chance(0.5)) process.thaw();
  }
  if (luck.chance(0.5)) for (const process of world.processes.values()) process.kill();
  ledger.tell("the weather clears");
  await clearRun(machine, fresh(FAIR));
}

/** Starts the session, or resumes it, with whatever disturbs the run. */
async function oneRun(
  machine: Machine,
  scenario: Scenario,
  host: SimHost,
  luck: ReturnType<typeof dice>,
  fresh: () => SimHost,
): Promise<Ending> {
  const { world, ledger } = machine;
  const over = { yes: false };
  const rivals: Promise<unknown>[] = [];
  const count = luck.chance(0.8) ? scenario.disturbed : 0;
  const message = luck.chance(0.3) ? "go on" : null;
  const change = luck.chance(0.1) ? (config: SessionConfig): SessionConfig => ({ ...config, max_tokens: 4_096 }) : null;
  const running = driveOnce(machine, host, scenario.config, message, change);
  for (let i = 0; i < count; i++) {
    const what = luck.weighted(scenario.disturbances);
    const after = luck.duration(1, 60_000);
    const how_long = luck.duration(50, 60_000);
    world.after(after, () => {
      if (over.yes || host.process.status !== "alive") return;
      ledger.met(`disturbance:${what}`);
      ledger.tell(`disturbance: ${what} (${host.process.name})`);
      rivals.push(disturb(machine, scenario, { what, host, live: running.live, how_long, fresh, luck }));
    });
  }
  const ending = await running.ended;
  over.yes = true;
  await Promise.all(rivals);
  return ending;
}

interface Trouble {
  readonly what: Disturbance;
  readonly host: SimHost;
  readonly live: () => LiveSession | null;
  readonly how_long: number;
  readonly fresh: () => SimHost;
  readonly luck: ReturnType<typeof dice>;
}

async function disturb(machine: Machine, scenario: Scenario, trouble: Trouble): Promise<void> {
  const { world, store, ledger } = machine;
  const { what, host, live, how_long, luck } = trouble;
  switch (what) {
    case "crash":
      return host.process.kill();
    case "freeze":
      ledger.slowed += how_long;
      host.process.freeze();
      world.after(how_long, () => host.process.thaw());
      if (luck.chance(0.6)) {
        await world.sleep(luck.duration(10, how_long + 1_000));
        await rival(machine, scenario, trouble.fresh);
      }
      return;
    case "cancel": {
      const by = luck.pick(["user", "sigint", "sigterm", "sighup"] as const);
      live()?.cancel(by, "enough");
      if (luck.chance(0.2)) live()?.cancel("user", "and again");
      return;
    }
    case "cancel from elsewhere": {
      const session = (await rowOf(machine.store))?.session ?? null;
      if (session !== null) await store.requestCancel(LOCAL_TENANT, session);
      return;
    }
    case "clock back":
      return world.jump(-Math.min(how_long, 30_000));
    case "clock forward":
      return world.jump(how_long);
    case "suspend":
      world.jump(luck.duration(60_000, 12 * 3_600_000));
      if (luck.chance(0.5)) await rival(machine, scenario, trouble.fresh);
      return;
    case "rival":
      return rival(machine, scenario, trouble.fresh);
  }
}

/** Somebody else wants the session, while it is driven or after its lease ran out. */
async function rival(machine: Machine, scenario: Scenario, fresh: () => SimHost): Promise<void> {
  if ((await rowOf(machine.store)) === null) return;
  const host = fresh();
  await driveOnce(machine, host, scenario.config, null, null).ended;
  host.process.kill();
}

interface Running {
  live(): LiveSession | null;
  /** Settles when the run ended, was refused, or its process died. */
  readonly ended: Promise<Ending>;
}

function driveOnce(
  machine: Machine,
  host: SimHost,
  config: Scenario["config"],
  message: string | null,
  change: ((config: SessionConfig) => SessionConfig) | null,
): Running {
  const { ledger, auditor } = machine;
  let live: LiveSession | null = null;
  const drive = async (): Promise<Ending> => {
    const session = (await rowOf(machine.store))?.session ?? null;
    if (session === null) killOthers(machine, host);
    try {
      live =
        session === null
          ? await startSession(host.host, startOf(config))
          : await resumeSession(host.host, {
              session,
              message: message === null ? null : [textPart(message, { from: "user" })],
              change,
            });
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      ledger.met(`refused:${error.kind}`);
      ledger.tell(`${host.process.name} is refused: ${error.kind}: ${error.message}`);
      return "refused";
    }
    ledger.tell(`${host.process.name} drives`);
    host.watch(live.state);
    auditor.sameState(live.state(), "when a run begins");
    const report = await live.done;
    ledger.tell(
      `${host.process.name} reports ${report.outcome} ${report.error?.kind ?? ""} ${report.error?.message ?? ""}`,
    );
    ledger.met(`report:${report.outcome} ${report.error?.kind ?? ""}`);
    judgeRun(machine, host, live, report);
    return "report";
  };
  return { live: () => live, ended: Promise.race([drive(), host.process.died.then((): Ending => "died")]) };
}

/** A start is made anew only when nobody can come back with the first one: a seed has one session. */
function killOthers({ world }: Machine, host: SimHost): void {
  for (const process of world.processes.values()) if (process !== host.process) process.kill();
}

function startOf(config: Scenario["config"]): Parameters<typeof startSession>[1] {
  return {
    task: [textPart(`do the work; the key is ${SECRET}`, { from: "user" })],
    title: `do the work with ${SECRET}`,
    config,
    place: { cwd: "/project", source: "/project", sessions: DIRECTORY },
  };
}

/** No faults any more: one run must end the session well, whatever came before. */
async function clearRun(machine: Machine, host: SimHost): Promise<void> {
  const { world, auditor, ledger } = machine;
  const change = (config: SessionConfig): SessionConfig => ({ ...config, ...CLEAR, permission_mode: "default" });
  let report: RunReport | null = null;
  for (let tries = 0; report === null; tries++) {
    const session = (await rowOf(machine.store))?.session ?? null;
    if (session === null) killOthers(machine, host);
    try {
      const live =
        session === null
          ? await startSession(host.host, startOf(change(scenarioConfig(machine))))
          : await resumeSession(host.host, { session, message: [textPart("end it", { from: "user" })], change });
      host.watch(live.state);
      report = await live.done;
      judgeRun(machine, host, live, report);
    } catch (error) {
      if (!(error instanceof HarnessError) || error.kind !== "lease_held") throw error;
      ledger.met("refused:lease_held");
      if (tries > LEASE_TRIES_MAX) return auditor.violated(14, `a lease is held for ever: ${error.message}`);
      await world.sleep(LEASE_TRIES_MS);
    }
  }
  if (report.outcome !== "completed") {
    auditor.violated(
      14,
      `in fair weather the session ends ${report.outcome}: ${report.error?.kind} ${report.error?.message}`,
    );
  }
  await world.sleep(40_000); // what was left behind has acted by then
  await countEffects(machine);
  const session = (await rowOf(machine.store))?.session ?? null;
  if (session !== null) auditor.sameState((await loadSession(machine.store, LOCAL_TENANT, session)).state, "read back");
}

function scenarioConfig({ seed }: Machine): SessionConfig {
  return scenarioOf(dice(seed, "scenario")).config as SessionConfig; // `versions` is put on by the start
}
