/** CONTINUITY.md of a session's workspace is the projection of its journal, at every turn and after whatever happened to it. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderContinuity } from "../../../src/context/continuity.ts";
import { diffSession, rollbackSession } from "../../../src/engine/operations.ts";
import { type LiveSession, resumeSession } from "../../../src/engine/session.ts";
import { textPart } from "../../../src/kernel/content.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import { loadSession } from "../../../src/store/journal.ts";
import { callTool, callTools, say, scriptedModel, type ScriptedStep } from "../../../src/testing/scripted-model.ts";
import { layoutOf } from "../../../src/workspace/layout.ts";
import { NOTE_MARK } from "../../../src/workspace/own-note.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, start, testPlace } from "../../support/session.ts";

/** A session whose files the test finds while it runs. */
async function given(script: readonly ScriptedStep[]) {
  const place = testPlace();
  const host = await testHost({ home: place.home, model: scriptedModel(script) });
  const live = await start(host, place);
  const root = layoutOf(join(place.home, "sessions", live.session)).tree;
  return { place, host, live, root, note: join(root, ".belay/CONTINUITY.md") };
}

const GO_ON = [textPart("go on", { from: "user" })];

const textFor = (state: SessionState): string => `${NOTE_MARK}\n${renderContinuity(state)}`;

/** Called with each turn as its request is written down. */
function onTurn(live: LiveSession, look: (turn: number) => void): void {
  live.onEvents((events) => {
    for (const { kind, turn } of events) if (kind === "ModelCallStarted") look(turn);
  });
}

describe("CONTINUITY.md", () => {
  it("says at each turn what the journal says, and at the end how the run ended", async () => {
    const { live, note, host } = await given([
      callTool("write", { path: "a.txt", content: "a\n" }),
      callTool("read", { path: "nowhere.txt" }),
      callTool("write", { path: "b.txt", content: "b\n" }),
      say("Done."),
    ]);
    const seen: string[] = [];
    const expected: string[] = [];
    onTurn(live, (turn) => {
      if (turn === 1) return;
      seen.push(readFileSync(note, "utf8"));
      // The request has begun since, which is no news to it but for the number of the turn.
      expected.push(textFor({ ...live.state(), turn: turn - 1 }));
    });
    const { outcome } = await live.done;
    expect(outcome).toBe("completed");
    expect(seen).toEqual(expected);
    expect(seen[0]).toContain("a.txt (turn 1)");
    expect(seen[1]).toContain("read nowhere.txt: failed");
    const { state } = await loadSession(host.store, LOCAL_TENANT, live.session);
    expect(readFileSync(note, "utf8")).toBe(textFor(state));
    expect(readFileSync(note, "utf8")).toContain("the last run ended: completed");
  });

  it("is no part of the work: the difference has the agent's files alone", async () => {
    const { live, host, place } = await given([callTool("write", { path: "a.txt", content: "a\n" }), say("Done.")]);
    await live.done;
    expect((await diffSession(host, live.session)).changes.map(({ path }) => path)).toEqual(["a.txt"]);
    expect(existsSync(join(place.repository, ".belay"))).toBe(false);
  });

  it("holds the reason of a rollback as soon as that is done, and the next run begins with the same", async () => {
    const { live, host, note } = await given([
      callTool("write", { path: "a.txt", content: "a\n" }),
      say("Done."),
      say("Otherwise."),
    ]);
    await live.done;
    await rollbackSession(host, live.session, null, "the parser must stay as it is");
    expect(readFileSync(note, "utf8")).toContain("the parser must stay as it is");
    const again = await resumeSession(host, { session: live.session, message: null, change: null });
    const seen: string[] = [];
    onTurn(again, () => seen.push(readFileSync(note, "utf8")));
    expect((await again.done).outcome).toBe("completed");
    expect(seen).toEqual([expect.stringContaining("the parser must stay as it is")]);
  });

  it("is right again at the next turn after it was changed, cut or removed", async () => {
    const { live, host, note, root } = await given([
      callTool("write", { path: "a.txt", content: "a\n" }),
      say("Done."),
      say("Again."),
      say("Once more."),
    ]);
    await live.done;
    const damages: readonly (() => void)[] = [
      () => writeFileSync(note, NOTE_MARK),
      () => rmSync(join(root, ".belay"), { recursive: true }),
    ];
    for (const damage of damages) {
      damage();
      const again = await resumeSession(host, { session: live.session, message: GO_ON, change: null });
      const seen: string[] = [];
      onTurn(again, () => seen.push(readFileSync(note, "utf8")));
      await again.done;
      expect(seen).toEqual([expect.stringContaining("a.txt (turn 1)")]);
      const { state } = await loadSession(host.store, LOCAL_TENANT, live.session);
      expect(readFileSync(note, "utf8")).toBe(textFor(state));
    }
  });

  it("that it cannot be written is said once, ends nothing, and is taken back when it can", async () => {
    const { live, host, root, place } = await given([
      callTool("write", { path: "a.txt", content: "a\n" }),
      callTools([{ name: "read", input: { path: "a.txt" } }]),
      say("Done."),
      callTool("read", { path: "a.txt" }),
      say("Done."),
    ]);
    const outside = join(place.directory, "outside");
    mkdirSync(outside);
    // As soon as the workspace is there, and so before anything is written.
    live.onEvents((events) => {
      if (events.some(({ kind }) => kind === "WorkspacePrepared")) symlinkSync(outside, join(root, ".belay"));
    });
    expect((await live.done).outcome).toBe("completed");
    const health = async (): Promise<readonly string[]> =>
      (await eventsOf(host, live.session)).flatMap((event) =>
        event.kind === "HealthChanged" && event.data.subsystem === "continuity"
          ? [`${event.data.status}: ${event.data.reason}`]
          : [],
      );
    const bad = "degraded: .belay/CONTINUITY.md is not kept: .belay is no directory";
    expect(await health()).toEqual([bad]);
    rmSync(join(root, ".belay"));
    const again = await resumeSession(host, { session: live.session, message: GO_ON, change: null });
    expect((await again.done).outcome).toBe("completed");
    expect(await health()).toEqual([bad, "ok: .belay/CONTINUITY.md is kept again"]);
  });
});
