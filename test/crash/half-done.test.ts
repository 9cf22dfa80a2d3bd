/**
 * What becomes of a call that belay was killed in the middle of? Three fates: it runs again, it is undone and runs again, or
 * the model is told that nobody knows. Never is it repeated silently where a repetition could be seen from outside.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import type { Event } from "../../src/kernel/events/index.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { systemClock, testHost } from "../support/host.ts";
import { startSessionChild } from "../support/session-child.ts";
import { eventsOf, resultTexts, SANDBOX, testPlace } from "../support/session.ts";

interface Resumed {
  readonly report: RunReport;
  readonly events: readonly Event[];
  readonly log: string;
}

/** Between two looks at a file that another process writes. Milliseconds. */
const PROBE_MS = 10;
const SLOW = "echo begun >> log.txt; sleep 1; echo ended >> log.txt";

/** Kills belay once the first command has begun, or at a point, and resumes. */
async function killed(
  turns: ScenarioInput["turns"],
  facts: { readonly network?: boolean; readonly killAt?: string } = {},
): Promise<Resumed> {
  const place = testPlace();
  const emulator = await startEmulator({ scenario: { turns } });
  onTestFinished(() => emulator.close());
  const order = { ...place, task: "work", url: emulator.url, sandbox: SANDBOX, network: facts.network ?? false };
  const first = startSessionChild(order);
  await first.until(`point ${facts.killAt ?? "released"}`);
  // The command has written its first line; the second comes a second later.
  if (facts.killAt === undefined) await hasBegun(place.home);
  first.child.kill("SIGKILL");
  await first.ended;
  const { report, stderr } = await startSessionChild(order).ended;
  if (report === null) throw new Error(stderr);
  const host = await testHost({ home: place.home, model: createAnthropicModel({ apiKey: "k", clock: systemClock }) });
  const [row] = await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
  if (row === undefined) throw new Error("there is no session");
  const events = await eventsOf(host, row.session);
  await host.store.close();
  return { report, events, log: readFileSync(join(report.workspace ?? "", "log.txt"), "utf8") };
}

async function hasBegun(home: string): Promise<void> {
  const begun = (): boolean =>
    globSync(join(home, "sessions/*/tree/log.txt")).some((path) => readFileSync(path, "utf8").includes("begun"));
  while (!begun()) await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
}

describe("a call that was cut off", () => {
  it("and was confined is undone and runs again; the model is told beside the result", async (context) => {
    if (SANDBOX === "none") context.skip("nothing is confined without bubblewrap: apt-get install bubblewrap");
    const { report, events, log } = await killed([
      { call: [{ tool: "bash", input: { command: SLOW } }] },
      { say: "Done." },
    ]);
    expect(report.outcome).toBe("completed");
    expect(log).toBe("zero\nbegun\nended\n");
    expect(
      events.flatMap((event) => (event.kind === "RolledBack" || event.kind === "ToolRequeued" ? [event.kind] : [])),
    ).toEqual(["RolledBack", "ToolRequeued"]);
    expect(resultTexts(events)[0]).toMatch(/^ok: \[belay was stopped in the middle of `bash`/);
  });

  it("and changed files that are not tracked is not repeated: outcome unknown", async (context) => {
    if (SANDBOX === "none") context.skip("nothing is confined without bubblewrap: apt-get install bubblewrap");
    const command = `mkdir -p ignored; echo x >> ignored/cache; ${SLOW}`;
    const { report, events, log } = await killed([
      { call: [{ tool: "bash", input: { command } }] },
      { say: "I looked." },
    ]);
    expect(report.outcome).toBe("completed");
    expect(log).toBe("zero\nbegun\n");
    expect(resultTexts(events)[0]).toMatch(/^interrupted: interrupted: outcome unknown.*ignored/s);
  });

  it("and could reach the network is not repeated: outcome unknown", async () => {
    const { report, events, log } = await killed(
      [{ call: [{ tool: "bash", input: { command: SLOW } }] }, { say: "I looked." }],
      { network: true },
    );
    expect(report.outcome).toBe("completed");
    expect(log).toBe("zero\nbegun\n");
    expect(resultTexts(events)[0]).toMatch(/^interrupted: interrupted: outcome unknown/);
  });

  it("and only reads runs again", async () => {
    const { report, events } = await killed(
      [{ call: [{ tool: "read", input: { path: "log.txt" } }] }, { say: "Read.", latency_ms: 2_000 }],
      {
        killAt: "read.before",
      },
    );
    expect(report.outcome).toBe("completed");
    expect(resultTexts(events)[0]).toMatch(/^ok: .*zero/s);
  });
});
