/** Holds the one server of a test run: says where it is, and ends it when it is told to, or when the test run is gone. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRunning } from "./is-running.ts";
import { startPostgresServer } from "./postgres-server.ts";

const [directory = "", run = ""] = process.argv.slice(2);
const LOOK_MS = 500;

function say(state: { readonly url: string } | { readonly error: string }): void {
  const whole = join(directory, "state.tmp");
  writeFileSync(whole, JSON.stringify({ ...state, pid: process.pid }));
  renameSync(whole, join(directory, "state.json"));
}

try {
  const server = await startPostgresServer(["-c", "max_connections=200"]);
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    void server.remove().then(() => process.exit(0));
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, end);
  setInterval(() => {
    if (!isRunning(Number(run))) end();
  }, LOOK_MS);
  say({ url: server.url });
} catch (error) {
  say({ error: String(error) });
  process.exitCode = 1;
}
