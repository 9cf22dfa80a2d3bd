/** The journals of real sessions, as an audit reads them. */
import { describe, expect, it } from "vitest";
import type { Host } from "../../../../src/engine/host.ts";
import type { PermissionRule } from "../../../../src/kernel/permissions.ts";
import { readJournals } from "../../../../src/observe/permissions/journals.ts";
import { pastRules } from "../../../../src/observe/permissions/rule-history.ts";
import { RecordingPrompter, type ScriptedAnswer } from "../../../../src/testing/recording-prompter.ts";
import { callTool, say, scriptedModel } from "../../../../src/testing/scripted-model.ts";
import { testHost } from "../../../support/host.ts";
import { start, type TestPlace, testPlace } from "../../../support/session.ts";

const RULES: readonly PermissionRule[] = [
  { behavior: "allow", rule: "Bash(true *)", source: "project" },
  { behavior: "ask", rule: "Bash(echo *)", source: "user" },
  { behavior: "deny", rule: "Bash(git push *)", source: "user" },
];

/** Runs the commands in a session without a sandbox, in which a person gives these answers. */
async function ran(place: TestPlace, commands: readonly string[], answers: readonly ScriptedAnswer[]): Promise<Host> {
  const model = scriptedModel([...commands.map((command) => callTool("bash", { command })), say("Done.")]);
  const host = { ...(await testHost({ home: place.home, model })), prompter: new RecordingPrompter(answers) };
  const permissions = { rules: [...RULES], on_ask: "prompt" as const };
  const live = await start(host, place, { sandbox: { mode: "none", network: false }, approval: "ask", permissions });
  expect(await live.done).toMatchObject({ outcome: "completed" });
  return host;
}

describe("what real sessions leave", () => {
  it("is tallied by tool, by rule and by family", async () => {
    const place = testPlace();
    const commands = ["true x", "echo a && true y", "echo b", "git push origin", "make it", "make it"];
    const host = await ran(place, commands, ["once", "no", "once", { no: "not now" }]);
    const { here, everywhere, damaged, left_out } = await readJournals(host.store, {
      directory: place.repository,
      all_projects: true,
      since: 0,
    });
    expect([here.sessions, here.judged, everywhere?.judged, damaged, left_out]).toEqual([1, 6, 6, [], 0]);
    expect(Object.fromEntries(here.tools)).toEqual({
      Bash: { judged: 6, allowed: 1, approved: 2, refused: 2, stopped: 1, waiting: 0 },
    });
    expect(here.rules.get("allow Bash(true *)")).toMatchObject({
      judged: 1,
      allowed: 1,
      parts: 1,
      sessions: 1,
      opportunities: 6,
    });
    expect(here.rules.get("ask Bash(echo *)")).toMatchObject({ judged: 2, approved: 1, refused: 1 });
    expect(here.rules.get("deny Bash(git push *)")).toMatchObject({ judged: 1, stopped: 1 });
    const families = here.families.map(({ family, approved, refused, denied }) => [
      family.name,
      approved,
      refused,
      denied,
    ]);
    expect(families).toContainEqual(["git push", 0, 0, 1]);
    expect(families).toContainEqual(["make it", 1, 1, 0]);
    await host.store.close();
  });

  it("is of a project only where it was started there, and of a time only where it was written to since", async () => {
    const place = testPlace();
    const host = await ran(place, ["true x"], []);
    const counted = async (directory: string, since: number): Promise<number> =>
      (await readJournals(host.store, { directory, all_projects: false, since })).here.sessions;
    const later = (await host.store.now()) + 1;
    expect([
      await counted(place.repository, 0),
      await counted("/elsewhere", 0),
      await counted(place.repository, later),
    ]).toEqual([1, 0, 0]);
    await host.store.close();
  });

  it("holds the rules of that time", async () => {
    const place = testPlace();
    const host = await ran(place, ["true x"], []);
    const now = await host.store.now();
    const { then, old_enough } = await pastRules(host.store, place.repository, now);
    expect([then?.standing.rules, old_enough]).toEqual([RULES, true]);
    const before = await pastRules(host.store, place.repository, 1);
    expect([before.old_enough, before.first_seen.get("allow Bash(true *)")?.session]).toEqual([false, then?.session]);
    expect((await pastRules(host.store, "/elsewhere", now)).then).toBeNull();
    await host.store.close();
  });
});
