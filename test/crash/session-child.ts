/**
 * A process that runs or resumes one session against the model server at `url`, and kills itself where it is told.
 * Acknowledged events are written to standard output as they become durable: what stands there must survive.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { deliverSession, rollbackSession } from "../../src/engine/operations.ts";
import { type LiveSession, resumeSession, startSession } from "../../src/engine/session.ts";
import type { Host, Prompter } from "../../src/engine/host.ts";
import { type PlainPart, textPart } from "../../src/kernel/content.ts";
import { isUnknown } from "../../src/kernel/fold.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../src/kernel/ids.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { readEvents } from "../../src/store/journal.ts";
import type { SessionRow, Store } from "../../src/store/port.ts";
import { DEFAULT_CONTEXT } from "../../src/kernel/work-policy.ts";
import { testConfig } from "../support/config.ts";
import { systemClock, testHost } from "../support/host.ts";
import type { ChildOrder } from "../support/session-child.ts";
import { openPlaceStore } from "../support/store-place.ts";
import { killPoints, withKillPoints } from "./kill-points.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as ChildOrder; // written by the test beside this file
const say = (line: string): void => void writeSync(1, `${line}\n`);

const store = await openPlaceStore(order.store ?? { sqlite: join(order.home, "belay.db") });
let live: LiveSession | null = null;
let commands = 0;
const points = killPoints(order.killAt ?? 0, (name) => {
  say(`point ${name}`);
  if (name === "released" && ++commands === order.cancelAtCommand) live?.cancel("user", "canceled by the test");
});

const model = createAnthropicModel({ apiKey: "test-key", baseUrl: order.url, clock: systemClock });
const real = await testHost({ home: order.home, model, store: acknowledging(store) });
const yes: Prompter = {
  ask: async () => ({ answer: "once", by: "the test", reason: null, rule: null }),
  askBudget: async () => ({ approved: true, by: "the test" }),
};
const host = withKillPoints({ ...real, random: () => 0, prompter: order.unconfined ? yes : null }, points);

const rowOf = async (): Promise<SessionRow | undefined> =>
  (await store.listSessions({ tenant: LOCAL_TENANT, limit: 1 }))[0];
const isFinished = (row: SessionRow | undefined): row is SessionRow =>
  row?.summary.status === "ended" && row.summary.outcome === "completed";

const last = await rowOf();
if (order.after === undefined || !isFinished(last)) await run(host, last);
const done = await rowOf();
if (order.after !== undefined && isFinished(done)) await finish(host, done.session, order.after);
say(`points ${points.passed}`);
await store.close();

async function run(on: Host, row: SessionRow | undefined): Promise<void> {
  live =
    row === undefined || row.last_seq === 0
      ? await startSession(on, {
          task: [textPart(order.task, { from: "user" })],
          title: "the work",
          config: configOf(),
          place: { cwd: order.repository, source: order.repository, sessions: join(order.home, "sessions") },
        })
      : await resumeSession(on, { session: row.session, message: messageFor(row), change: null });
  const report = await live.done;
  // The user insists, once: what was not verified is to be done.
  if (report.outcome === "verification_failed" && order.insist === true) {
    const failed = await rowOf();
    if (failed !== undefined && messageFor(failed) !== null) return run(on, failed);
  }
  say(`report ${JSON.stringify(report)}`);
  const failure = live.failure();
  if (failure instanceof Error) process.stderr.write(`${failure.stack ?? failure.message}\n`);
  process.exitCode = report.exit_code;
}

function messageFor({ summary }: SessionRow): readonly PlainPart[] | null {
  if (order.insist !== true || summary.status !== "ended" || summary.outcome !== "verification_failed") return null;
  return [textPart("That is not done yet: do it.", { from: "user" })];
}

function configOf(): ReturnType<typeof testConfig> {
  return testConfig({
    sandbox: { mode: order.unconfined ? "none" : order.sandbox, network: order.network ?? false },
    ...(order.unconfined ? { approval: "ask" } : {}),
    ...(order.inPlace ? { workspace: { mode: "in_place", base: null } } : {}),
    verify: order.verify ?? null,
    ...(order.window === undefined ? {} : { max_tokens: 2_048, context: { ...DEFAULT_CONTEXT, window: order.window } }),
  });
}

/** Unless it was done before: what a person asks for twice is done twice. */
async function finish(on: Host, session: SessionId, after: NonNullable<ChildOrder["after"]>): Promise<void> {
  for await (const event of readEvents(store, LOCAL_TENANT, session))
    if (!isUnknown(event) && event.actor === "user" && ["RolledBack", "WorkDelivered"].includes(event.kind)) return;
  try {
    if (after === "rollback") await rollbackSession(on, session, null, "the test takes it back");
    else await deliverSession(on, session, after);
    say("finished");
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    say(`refused ${error.kind} ${error.message}`);
  }
}

function acknowledging(inner: Store): Store {
  return new Proxy(inner, {
    get: (target, key) => {
      if (key !== "append") {
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      }
      return async (command: Parameters<Store["append"]>[0]) => {
        await target.append(command);
        for (const record of command.records) say(`ack ${command.lease.session} ${record.seq} ${record.hash}`);
      };
    },
  });
}
