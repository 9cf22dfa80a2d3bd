/** Planned phases: their models and caps, what set-up leaves of them, reviews, and a crash at any write of a change. */
import { describe, expect, it } from "vitest";
import { type LiveSession, resumeSession } from "../../../src/engine/session.ts";
import { NO_CAP } from "../../../src/kernel/budget.ts";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { textPart } from "../../../src/kernel/content.ts";
import type { Event } from "../../../src/kernel/events/index.ts";
import { NO_FALLBACK } from "../../../src/kernel/model-policy.ts";
import { faultyStore } from "../../../src/testing/faulty-store.ts";
import { callTool, say, scriptedModel, type ScriptedStep } from "../../../src/testing/scripted-model.ts";
import type { Host } from "../../../src/engine/host.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, start, testPlace, type TestPlace } from "../../support/session.ts";

const phase = (
  name: string,
  facts: Partial<SessionConfig["phases"][number]> = {},
): SessionConfig["phases"][number] => ({
  name,
  tools: null,
  read_only: false,
  instructions: `Do ${name}.`,
  ...facts,
});
const PHASES = [phase("explore", { read_only: true }), phase("implement"), phase("check")];

function hostAt(place: TestPlace, script: readonly ScriptedStep[]): Promise<Host> {
  return testHost({ home: place.home, model: scriptedModel(script) });
}

function resume(
  host: Host,
  live: Pick<LiveSession, "session">,
  facts: Partial<SessionConfig> = {},
  message?: string,
): Promise<LiveSession> {
  return resumeSession(host, {
    session: live.session,
    message: message === undefined ? null : [textPart(message, { from: "user" })],
    change: (config) => ({ ...config, ...facts }),
  });
}

function moves(events: readonly Event[]): readonly string[] {
  return events.flatMap(({ kind, data }) =>
    kind === "PhaseEntered" ? [`+${data.phase}`] : kind === "PhaseLeft" ? [`-${data.phase}`] : [],
  );
}

describe("planned phases", () => {
  it("have models of their own, and are told to the model one by one", async () => {
    const place = testPlace();
    const model = scriptedModel([
      callTool("read", { path: "notes.txt" }),
      say("Found."),
      say("Changed."),
      say("Checked."),
    ]);
    const host = await testHost({ home: place.home, model });
    const models = { ...NO_FALLBACK, phases: { explore: { provider: "anthropic", model: "claude-haiku-4-5" } } };
    const live = await start(host, place, { phases: PHASES, models });
    expect(await live.done).toMatchObject({ outcome: "completed", turns: 4 });
    expect(model.calls.map((call) => call.model)).toEqual([
      "claude-haiku-4-5",
      "claude-haiku-4-5",
      "claude-sonnet-4-5",
      "claude-sonnet-4-5",
    ]);
    const told = model.calls.map(({ messages }) => (JSON.stringify(messages).match(/Phase \d of 3/g) ?? []).at(-1));
    expect(told).toEqual(["Phase 1 of 3", "Phase 1 of 3", "Phase 2 of 3", "Phase 3 of 3"]);
  });

  it("end with their cap: nobody moves on for money's sake, and a resume with a higher one goes on in the same phase", async () => {
    const place = testPlace();
    const reading = callTool("read", { path: "notes.txt" });
    const host = await hostAt(place, [reading, reading, say("Found."), say("Changed."), say("Checked.")]);
    const cap = { ...NO_CAP, scope: "phase:explore" };
    const live = await start(host, place, {
      phases: PHASES,
      setup: "echo ready",
      budget: { caps: [{ ...cap, turns: 1 }], alert_at: null, turn_alert: null },
    });
    // Set-up came between the phase's first turn and its cap, and did not begin to count anew.
    expect(await live.done).toMatchObject({ outcome: "budget_exhausted", turns: 1 });
    expect(live.state().phase).toBe("explore");
    const again = await resume(host, live, {
      budget: { caps: [{ ...cap, turns: 3 }], alert_at: null, turn_alert: null },
    });
    expect(await again.done).toMatchObject({ outcome: "completed", turns: 5 });
    const events = await eventsOf(host, live.session);
    expect(moves(events)).toEqual(["+explore", "-explore", "+implement", "-implement", "+check"]);
  });

  it("begin anew with what is said after all of them are done", async () => {
    const place = testPlace();
    const host = await hostAt(place, [say("1"), say("2"), say("3"), say("4"), say("5")]);
    const two = PHASES.slice(0, 2);
    const live = await start(host, place, { phases: two });
    expect((await live.done).outcome).toBe("completed");
    const again = await resume(host, live, {}, "and more");
    expect(await again.done).toMatchObject({ outcome: "completed", turns: 4 });
    expect(moves(await eventsOf(host, live.session))).toEqual([
      "+explore",
      "-explore",
      "+implement",
      "-implement",
      "+explore",
      "-explore",
      "+implement",
    ]);
  });

  it(
    "come to the same end whichever write of the journal is lost, each entered once",
    { timeout: 120_000 },
    async () => {
      const place = testPlace();
      const last = process.env["BELAY_TEST_LONG"] === undefined ? 2 : 1;
      let struckOnce = false;
      for (let failAt = 3; ; failAt += last) {
        // Every conversation is made of answers alone, so a model that is asked anew says what follows.
        const host = await hostAt(
          place,
          Array.from({ length: 9 }, () => say("Done.")),
        );
        const store = faultyStore(host.store, { failAt, when: failAt % 2 === 0 ? "before" : "after" });
        const begun = await start({ ...host, store }, place, { phases: PHASES }).then(
          async (live) => ({ live, report: await live.done }),
          () => null,
        );
        struckOnce ||= store.struck;
        if (begun !== null) {
          if (begun.report.outcome !== "completed") {
            // The process that drove it is gone.
            const again = await resume({ ...host, ownerAlive: () => Promise.resolve(false) }, begun.live);
            expect([failAt, (await again.done).outcome]).toEqual([failAt, "completed"]);
          }
          const events = await eventsOf(host, begun.live.session);
          expect([failAt, ...moves(events)]).toEqual([
            failAt,
            "+explore",
            "-explore",
            "+implement",
            "-implement",
            "+check",
          ]);
        }
        await host.store.close();
        if (!store.struck) break;
      }
      expect(struckOnce).toBe(true);
    },
  );
});

describe("a session that waits for a review", () => {
  it("is not resumed without one; a review is journaled, and begins to count the turns anew", async () => {
    const place = testPlace();
    const reading = callTool("read", { path: "notes.txt" });
    const host = await hostAt(place, [reading, reading, reading, reading]);
    const live = await start(host, place, { review_every: 2 });
    expect(await live.done).toMatchObject({ outcome: "needs_review", exit_code: 5, turns: 2 });
    await expect(resume(host, live)).rejects.toMatchObject({ kind: "usage" });
    const again = await resumeSession(host, {
      session: live.session,
      message: null,
      change: null,
      review: { by: "ann", remark: null },
    });
    expect(await again.done).toMatchObject({ outcome: "needs_review", turns: 4 });
    const events = await eventsOf(host, live.session);
    expect(events.flatMap(({ kind, data }) => (kind === "ReviewGiven" ? [data] : []))).toEqual([
      { by: "ann", remark: null },
    ]);
  });
});
