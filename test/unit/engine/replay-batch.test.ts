import { describe, expect, it } from "vitest";
import { replaySession } from "../../../src/engine/replay/replay.ts";
import { checkBatchEvent } from "../../../src/engine/replay/batch-decisions.ts";
import type { Event } from "../../../src/kernel/events/index.ts";
import { emptyState, foldEvent, isUnknown } from "../../../src/kernel/fold.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import { readEvents } from "../../../src/store/journal.ts";
import { type BatchWorld, batchWorld, prompts } from "../workflow/batch-world.ts";
import { fakeBatches, fault, promptOf, success } from "../workflow/fake-batches.ts";

/** Two rounds, a submission that did not arrive, and one whose receipt was lost. */
async function drivenWorld(): Promise<BatchWorld> {
  const world = await batchWorld(prompts(6));
  const faults = [fault("network", false), fault("timeout", true)];
  const batches = fakeBatches({
    requests: 4,
    onSubmit: () => faults.shift() ?? null,
    answer: (request, times) => (times === 0 && promptOf(request) === "say 1" ? "expired" : success("Said.")),
  });
  await world.drive(batches, { until: "idle" });
  await world.drive(batches);
  return world;
}

/** Each event with the state that it was folded into. */
async function* stepsOf({ host, session }: BatchWorld): AsyncGenerator<readonly [Event, SessionState]> {
  const row = await host.store.getSession(LOCAL_TENANT, session);
  if (row === null) throw new RangeError("no such batch");
  let state = emptyState(row);
  for await (const event of readEvents(host.store, LOCAL_TENANT, session)) {
    if (!isUnknown(event)) yield [event, state];
    state = foldEvent(state, event);
  }
}

/** A number in the payload that is another one. */
function tampered(event: Event, member: string): Event {
  const data: Readonly<Record<string, unknown>> = event.data;
  return { ...event, data: { ...data, [member]: Number(data[member]) + 1 } } as Event; // the same event but for one number
}

const DERIVED = {
  BatchPartSubmitting: ["part", "round", "attempt", "from"],
  BatchPartEnded: ["left"],
  BatchJobsRetried: ["round", "jobs", "results_bytes"],
  BatchEnded: ["answered", "failed"],
  BudgetSettled: ["cost", "unknown_tokens"],
} as const;

describe("the replay of a batch", () => {
  it("takes every step anew and settles every part anew, and comes to the same", async () => {
    const { host, session } = await drivenWorld();
    const replay = await replaySession(host, { session });
    expect(replay).toMatchObject({ verdict: "equal", findings: [] });
    expect(replay.checked.decisions).toBeGreaterThan(10);
    expect(replay.checked.amounts).toBe(4);
  });

  it.each(Object.entries(DERIVED).flatMap(([kind, members]) => members.map((member) => [kind, member] as const)))(
    "notices another %s.%s",
    async (kind, member) => {
      let noticed = 0;
      let seen = 0;
      for await (const [event, before] of stepsOf(await drivenWorld())) {
        if (event.kind !== kind || before.jobs === null) continue;
        seen += 1;
        noticed += checkBatchEvent(tampered(event, member), before, before.jobs)?.length ?? 0;
      }
      expect(seen).toBeGreaterThan(0);
      expect(noticed).toBe(seen);
    },
  );

  it("notices an end that came too early, and a part that was collected before it was answered", async () => {
    const all: (readonly [Event, SessionState])[] = [];
    for await (const step of stepsOf(await drivenWorld())) all.push(step);
    const submitted = all.find(([{ kind }]) => kind === "BatchPartSubmitted")?.[1].jobs;
    const event = (kind: Event["kind"]): Event => {
      const found = all.find(([one]) => one.kind === kind)?.[0];
      if (found === undefined) throw new RangeError(`no ${kind}`);
      return found;
    };
    if (submitted == null) throw new RangeError("no part was submitted");
    const [, before] = all[0] ?? [];
    if (before === undefined) throw new RangeError("no events");
    expect(checkBatchEvent(event("BatchEnded"), before, submitted)).toMatchObject([{ kind: "decision" }]);
    expect(checkBatchEvent(event("BatchPartEnded"), before, submitted)).toMatchObject([{ kind: "decision" }]);
  });
});
