/**
 * A process that runs or resumes one session against the model server at `url`, and kills itself where it is told.
 * Acknowledged events are written to standard output as they become durable: what stands there must survive.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { textPart } from "../../src/kernel/content.ts";
import { resumeSession, startSession } from "../../src/engine/session.ts";
import { createAnthropicModel } from "../../src/model/anthropic.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { testConfig } from "../support/config.ts";
import { systemClock, testHost } from "../support/host.ts";
import { killPoints, withKillPoints } from "./kill-points.ts";

interface Order {
  readonly home: string;
  readonly repository: string;
  readonly url: string;
  readonly killAt: number;
  readonly verify: string | null;
  readonly sandbox: "bwrap" | "none";
  /** Commands may use the network, which makes them unconfined. */
  readonly network?: boolean;
  /** Different for every session, so that the model server keeps them apart. */
  readonly task: string;
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order; // written by the test beside this file
const say = (line: string): void => void writeSync(1, `${line}\n`);

const model = createAnthropicModel({ apiKey: "test-key", baseUrl: order.url, clock: systemClock });
const store = await openSqliteStore({ path: join(order.home, "belay.db"), clock: systemClock });
const acknowledging = new Proxy(store, {
  get: (target, key) => {
    if (key !== "append") {
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    }
    return async (command: Parameters<typeof store.append>[0]) => {
      await store.append(command);
      for (const record of command.records) say(`ack ${command.lease.session} ${record.seq} ${record.hash}`);
    };
  },
});
const real = await testHost({ home: order.home, model, store: acknowledging });
const points = killPoints(order.killAt, (name) => say(`point ${name}`));
const host = withKillPoints({ ...real, random: () => 0 }, points);

const [last] = await store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
const config = testConfig({ sandbox: { mode: order.sandbox, network: order.network ?? false }, verify: order.verify });
const live =
  last === undefined || last.last_seq === 0
    ? await startSession(host, {
        task: [textPart(order.task, { from: "user" })],
        title: order.task,
        config,
        place: { cwd: order.repository, source: order.repository, sessions: join(order.home, "sessions") },
      })
    : await resumeSession(host, { session: last.session, message: null, change: null });
const report = await live.done;
say(`points ${points.passed}`);
say(`report ${JSON.stringify(report)}`);
const failure = live.failure();
if (failure instanceof Error) process.stderr.write(`${failure.stack ?? failure.message}\n`);
await store.close();
process.exitCode = report.exit_code;
