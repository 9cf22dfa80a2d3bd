/** What breaks if a run ends while its workspace is still being made beside it? */
import { describe, expect, it } from "vitest";
import type { Host } from "../../../src/engine/host.ts";
import { say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import type { Workspaces } from "../../../src/workspace/workspace.ts";
import { testHost } from "../../support/host.ts";
import { start, type TestPlace, testPlace } from "../../support/session.ts";

interface Beside {
  readonly host: Host;
  readonly place: TestPlace;
  /** The preparation has not settled. */
  readonly isAtWork: () => boolean;
}

/** The model answers only after the preparation began, and needs no tool. */
async function beside(prepare: (real: Workspaces["prepare"]) => Workspaces["prepare"]): Promise<Beside> {
  const place = testPlace();
  const begun = Promise.withResolvers<undefined>();
  let atWork = 0;
  const host = await testHost({
    home: place.home,
    model: scriptedModel([say("Nothing to do.", { after: begun.promise })]),
  });
  const wrapped = prepare((request) => host.workspaces.prepare(request));
  const workspaces: Workspaces = {
    ...host.workspaces,
    prepare: async (request) => {
      atWork += 1;
      begun.resolve(undefined);
      return wrapped(request).finally(() => (atWork -= 1));
    },
  };
  return { host: { ...host, workspaces }, place, isAtWork: () => atWork > 0 };
}

describe("a run that needs no workspace", () => {
  it("is done only when nothing of its preparation is at work, and stops it instead of waiting for it", async () => {
    const { host, place, isAtWork } = await beside(
      () => (request) => new Promise((_, reject) => (request.signal.onabort = () => reject(new RangeError("stopped")))),
    );
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "completed" });
    expect(isAtWork()).toBe(false);
  });

  it("completes although the preparation fails in a way that nobody foresaw", async () => {
    const { host, place } = await beside(() => () => Promise.reject(new RangeError("a disk of glass")));
    const live = await start(host, place);
    expect(await live.done).toMatchObject({ outcome: "completed" });
  });
});
