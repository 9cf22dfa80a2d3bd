/**
 * What breaks if two processes want the same session, or one that was frozen past its lease thaws?
 *
 * One drives; the other is told who. A frozen owner is fenced once its lease ran out: its commands are ended, and after it
 * thaws it can write nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resumeSession } from "../../src/engine/session.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { isAlive } from "../../src/workspace/process/identity.ts";
import { systemClock, testHost } from "../support/host.ts";
import { startSessionChild } from "../support/session-child.ts";
import { eventsOf, SANDBOX, testPlace } from "../support/session.ts";

/** Further than a lease lasts. */
const LATER_MS = 60_000;

/** The same machine a minute later, as far as leases go. */
const later: Clock = { ...systemClock, now: () => systemClock.now() + LATER_MS };

describe("two owners of one session", () => {
  it(
    "the second is refused while the first is at work, and a frozen first one is fenced",
    { timeout: 60_000 },
    async (context) => {
      if (SANDBOX === "none")
        context.skip("a frozen owner's commands are only provably ended with bubblewrap: apt-get install bubblewrap");
      const place = testPlace();
      const emulator = await startEmulator({
        scenario: {
          turns: [
            {
              call: [
                {
                  tool: "bash",
                  input: { command: "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i >> log.txt; sleep 0.2; done" },
                },
              ],
            },
            { say: "Done." },
          ],
        },
      });
      const child = startSessionChild({ ...place, task: "count", url: emulator.url, sandbox: SANDBOX });
      await child.until("point released");

      const model = createAnthropicModel({ apiKey: "test-key", baseUrl: emulator.url, clock: systemClock });
      const now = await testHost({ home: place.home, model });
      const [row] = await now.store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
      if (row === undefined) throw new Error("the child made no session");
      const request = { session: row.session, message: null, change: null };
      await expect(resumeSession(now, request)).rejects.toMatchObject({ kind: "lease_held" });

      child.child.kill("SIGSTOP");
      const store = await openSqliteStore({ path: join(place.home, "belay.db"), clock: later });
      const host = await testHost({ home: place.home, model, store, clock: later });
      const live = await resumeSession(host, request);
      const report = await live.done;
      expect(report).toMatchObject({ outcome: "completed" });
      const events = await eventsOf(host, row.session);
      const first = events.find((event) => event.kind === "ToolProcessStarted");
      expect(first && isAlive(first.data.process)).toBe(false);

      child.child.kill("SIGCONT");
      const fenced = await child.ended;
      expect(fenced.code).not.toBe(0);
      expect(fenced.report).toMatchObject({ outcome: "failed", error: { kind: "fenced" } });
      const after = await eventsOf(host, row.session);
      expect(after.length).toBe(events.length);
      expect(readFileSync(join(report.workspace ?? "", "log.txt"), "utf8")).toBe(
        "zero\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n",
      );
      await store.close();
      await now.store.close();
      await emulator.close();
    },
  );
});
