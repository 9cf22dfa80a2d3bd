/** The loop, over real git, SQLite, files and processes; only the model is scripted. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resumeSession, startSession } from "../../../src/engine/session.ts";
import { textPart } from "../../../src/kernel/content.ts";
import { callTool, callTools, fail, hang, refuse, say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { testConfig } from "../../support/config.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, kinds, resultTexts, start, testPlace } from "../../support/session.ts";

describe("a session", () => {
  it("journals every intent before its effect and every receipt after it", async () => {
    const place = testPlace();
    const model = scriptedModel([
      callTool("write", { path: "hello.txt", content: "hello\n" }),
      callTool("bash", { command: "cat hello.txt" }),
      say("Done."),
    ]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place);
    const report = await live.done;
    expect(live.failure()).toBeNull();
    const events = await eventsOf(host, live.session);
    expect(kinds(events)).toEqual([
      "SessionCreated",
      "SessionConfigured",
      "PromptPinned",
      "RunStarted",
      "ContextAssembled",
      "UserMessageAdded",
      "BudgetReserved",
      "ModelCallStarted",
      "ModelCallFinished",
      "BudgetSettled",
      "WorkspacePrepared",
      "CheckpointCreated",
      "ToolJudged",
      "ToolStarted",
      "ToolFinished",
      "BudgetReserved",
      "ModelCallStarted",
      "ModelCallFinished",
      "BudgetSettled",
      "ToolJudged",
      "WorkspaceSnapshotted",
      "ToolStarted",
      "ToolProcessStarted",
      "ToolFinished",
      "BudgetReserved",
      "ModelCallStarted",
      "ModelCallFinished",
      "BudgetSettled",
      "CheckpointCreated",
      "RunEnded",
    ]);
    expect(resultTexts(events)[1]).toContain("hello");
    expect(report).toMatchObject({
      outcome: "completed",
      verification: "none_found",
      exit_code: 0,
      turns: 3,
      error: null,
    });
    expect(readFileSync(join(report.workspace ?? "", "hello.txt"), "utf8")).toBe("hello\n");
    expect(existsSync(join(place.repository, "hello.txt"))).toBe(false);
    model.assertComplete();
  });

  it("tells the model what is wrong with a call, runs nothing of it, and goes on", async () => {
    const place = testPlace();
    const model = scriptedModel([
      callTools([
        { name: "launch_missiles", input: {} },
        { name: "read", input: { wrong: true } },
      ]),
      say("I see."),
    ]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "completed", verification: "not_applicable" });
    const events = await eventsOf(host, live.session);
    expect(resultTexts(events)[0]).toMatch(/^error: There is no tool "launch_missiles". The tools are: read, write/);
    expect(resultTexts(events)[1]).toMatch(/^error: .*path/s);
    expect(kinds(events)).not.toContain("ToolStarted");
  });

  it("waits before it tries again what can pass, shows each wait, and starts no tool from a failed answer", async () => {
    const place = testPlace();
    const model = scriptedModel([fail("overloaded"), fail("stream_cut"), say("Now it works.")]);
    const host = { ...(await testHost({ home: place.home, model })), random: () => 0 };
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "completed", turns: 1 });
    const events = await eventsOf(host, live.session);
    expect(events.filter((event) => event.kind === "RetryScheduled").map((event) => event.data.kind)).toEqual([
      "overloaded",
      "stream_cut",
    ]);
  });

  it("never retries a spend limit: the run pauses, says so, and a resume goes on", async () => {
    const place = testPlace();
    const model = scriptedModel([fail("quota_exhausted"), say("Paid.")]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "failed", exit_code: 75, error: { kind: "quota_exhausted" } });
    const again = await resumeSession(host, { session: live.session, message: null, change: null });
    expect(await again.done).toMatchObject({ outcome: "completed" });
  });

  it("ends as refused when the model refuses, and takes another message", async () => {
    const place = testPlace();
    const model = scriptedModel([refuse("No."), say("Yes.")]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "refused", exit_code: 9 });
    const again = await resumeSession(host, {
      session: live.session,
      message: [textPart("please", { from: "user" })],
      change: null,
    });
    expect(await again.done).toMatchObject({ outcome: "completed" });
  });

  it("stops before it crosses the limit of turns, and goes on when the limit is raised", async () => {
    const place = testPlace();
    const model = scriptedModel([callTool("glob", { pattern: "*" }), callTool("glob", { pattern: "*" }), say("Done.")]);
    const host = await testHost({ home: place.home, model });
    const limits = { turns: 2, active_ms: 600_000, tokens: 1_000_000 };
    const live = await start(host, place, { limits });
    expect(await live.done).toMatchObject({ outcome: "limit_reached", exit_code: 7, turns: 2 });
    const same = await resumeSession(host, { session: live.session, message: null, change: null });
    expect(await same.done).toMatchObject({ outcome: "limit_reached" });
    const raised = await resumeSession(host, {
      session: live.session,
      message: null,
      change: (config) => ({ ...config, limits: { ...limits, turns: 3 } }),
    });
    expect(await raised.done).toMatchObject({ outcome: "completed", turns: 3 });
  });

  it("refuses a call whose worst case does not fit into the tokens that are left", async () => {
    const place = testPlace();
    const model = scriptedModel([]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place, { limits: { turns: 9, active_ms: 600_000, tokens: 5_000 } });
    expect(await live.done).toMatchObject({ outcome: "limit_reached", turns: 0 });
  });

  it("ends when its time is used up, with finished work kept and the open call closed", async () => {
    const place = testPlace();
    const model = scriptedModel([callTool("bash", { command: "echo started > s.txt; sleep 60" }), say("unused")]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place, { limits: { turns: 9, active_ms: 1_500, tokens: 1_000_000 } });
    expect(await live.done).toMatchObject({ outcome: "limit_reached" });
    const events = await eventsOf(host, live.session);
    expect(events.filter((event) => event.kind === "LimitReached").map((event) => event.data.limit)).toEqual([
      "active_ms",
    ]);
    expect(resultTexts(events)[0]).toMatch(/^canceled/);
  });

  it("is verified by a command, not by the model: red ends as verification_failed and the next run sees the findings", async () => {
    const place = testPlace();
    const model = scriptedModel([
      say("All done!"),
      callTool("write", { path: "proof.txt", content: "x" }),
      say("Really done."),
    ]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place, { verify: "test -f proof.txt || { echo proof is missing; exit 4; }" });
    expect(await live.done).toMatchObject({ outcome: "verification_failed", verification: "failed", exit_code: 3 });
    const again = await resumeSession(host, { session: live.session, message: null, change: null });
    expect(await again.done).toMatchObject({ outcome: "completed", verification: "passed", exit_code: 0 });
    const second = model.calls[1]?.messages.at(-1);
    expect(JSON.stringify(second)).toContain("proof is missing");
    const proof = (await eventsOf(host, live.session)).findLast((event) => event.kind === "VerificationFinished");
    expect(proof?.data).toMatchObject({ exit_code: 0, passed: true, tree: again.state().workspace?.tree });
  });

  it("that is canceled in the middle of a model call keeps what is finished and can be resumed", async () => {
    const place = testPlace();
    const model = scriptedModel([callTool("write", { path: "kept.txt", content: "kept" }), hang(), say("Done.")]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place);
    live.onEvents((events) => {
      if (events.some((event) => event.kind === "ModelCallStarted" && event.turn === 2))
        live.cancel("sigint", "Ctrl+C");
    });
    const report = await live.done;
    expect(report).toMatchObject({ outcome: "canceled", exit_code: 130 });
    expect(readFileSync(join(report.workspace ?? "", "kept.txt"), "utf8")).toBe("kept");
    const again = await resumeSession(host, { session: live.session, message: null, change: null });
    expect(await again.done).toMatchObject({ outcome: "completed" });
  });

  it("tells the model where the user stands in the project, and no absolute path", async () => {
    const place = testPlace();
    const model = scriptedModel([say("I know.")]);
    const host = await testHost({ home: place.home, model });
    const live = await startSession(host, {
      task: [textPart("look here", { from: "user" })],
      title: "look here",
      config: testConfig({ sandbox: { mode: "none", network: false } }),
      place: { cwd: join(place.repository, "src"), source: place.repository, sessions: join(place.home, "sessions") },
    });
    await live.done;
    const first = JSON.stringify(model.calls[0]?.messages);
    expect(first).toContain("The user stands in its directory src.");
    expect(first).not.toContain(place.directory);
  });

  it("extends each request of the one before it (a stable prefix)", async () => {
    const place = testPlace();
    const model = scriptedModel([
      callTool("glob", { pattern: "*" }),
      callTools([
        { name: "read", input: { path: "notes.txt" } },
        { name: "read", input: { path: "log.txt" } },
      ]),
      say("Done."),
    ]);
    const host = await testHost({ home: place.home, model });
    await (
      await start(host, place)
    ).done;
    const requests = model.calls;
    for (const [i, later] of requests.entries()) {
      const earlier = requests[i - 1];
      if (earlier === undefined) continue;
      expect(later.system).toBe(earlier.system);
      expect(later.tools).toEqual(earlier.tools);
      expect(later.messages.slice(0, earlier.messages.length)).toEqual(earlier.messages);
    }
  });
});
