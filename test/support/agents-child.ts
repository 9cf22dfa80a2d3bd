/** A process that begins the twenty, and kills itself when the two are in the middle of their work and the others of their batch ended. */
import { join } from "node:path";
import { startSession } from "../../src/engine/session.ts";
import { textPart } from "../../src/kernel/content.ts";
import { testHost } from "./host.ts";
import { KILLED, twentyConfig, twentyModel } from "./twenty-agents.ts";
import { PARALLEL_READS_MAX } from "../../src/kernel/limits.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as { readonly home: string; readonly repository: string }; // written by the test
let hanging = 0;
let ended = 0;
const perhapsDie = (): void => {
  if (hanging === KILLED.length && ended === PARALLEL_READS_MAX - KILLED.length) process.kill(process.pid, "SIGKILL");
};
const model = twentyModel(() => {
  hanging += 1;
  perhapsDie();
});
const host = await testHost({ home: order.home, model });
const live = await startSession(host, {
  task: [textPart("do the work", { from: "user" })],
  title: "twenty parts",
  config: twentyConfig(),
  place: { cwd: order.repository, source: order.repository, sessions: join(order.home, "sessions") },
});
live.onEvents((events) => {
  ended += events.filter(({ kind }) => kind === "SubAgentEnded").length;
  perhapsDie();
});
await live.done;
