/** Around a whole test run: a place where the first test that needs PostgreSQL leaves word of its server; it is ended here. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunning } from "./is-running.ts";

const END_MS_MAX = 20_000;
const PROBE_MS = 20;

export function setup(): () => Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "belay-test-run-"));
  process.env["BELAY_TEST_RUN"] = directory;
  process.env["BELAY_TEST_RUN_PID"] = String(process.pid);
  return async () => {
    const state = join(directory, "state.json");
    // a server that is still starting is on its way to leave word
    const until = performance.now() + END_MS_MAX;
    const starting = (): boolean => existsSync(join(directory, "starting")) && !existsSync(state);
    while (starting() && performance.now() < until) await pause();
    if (existsSync(state)) {
      const { pid } = JSON.parse(readFileSync(state, "utf8")) as { readonly pid: number }; // written by its child
      if (isRunning(pid)) process.kill(pid, "SIGTERM");
      while (isRunning(pid) && performance.now() < until) await pause();
    }
    rmSync(directory, { recursive: true, force: true });
  };
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PROBE_MS));
}
