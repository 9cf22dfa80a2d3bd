/** What breaks if a run ends while its workspace is still being made beside it? */
import { describe, expect, it } from "vitest";
import type { Host } from "../../../src/engine/host.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import type { Store } from "../../../src/store/port.ts";
import { type AnswerStep, callTool, say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import type { Workspaces } from "../../../src/workspace/workspace.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, kinds, start, type TestPlace, testPlace } from "../../support/session.ts";

interface Beside {
  readonly host: Host;
  readonly place: TestPlace;
  /** The preparation has not settled. */
  readonly isAtWork: () => boolean;
}

/** The model answers only after the preparation began, and needs no tool. */
async function beside(
  prepare: (real: Workspaces["prepare"]) => Workspaces["prepare"],
  answer: AnswerStep = say("Nothing to do."),
): Promise<Beside> {
  const place = testPlace();
  const begun = Promise.withResolvers<undefined>();
  let atWork = 0;
  const host = await testHost({
    home: place.home,
    model: scriptedModel([{ ...answer, after: begun.promise }]),
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

describe("a run whose store fails while its workspace is made", () => {
  // Once it asked for the workspace for ever, and nothing else of the process had a turn.
  it("ends with that failure, and writes nothing more", async () => {
    const { host, place } = await beside(
      () => (request) =>
        new Promise((_, reject) => {
          request.signal.onabort = () => reject(new HarnessError("git_failed", "git was stopped.", "Run it again."));
        }),
      callTool("read", { path: "notes.txt" }),
    );
    const live = await start({ ...host, store: failsToRenew(host.store) }, place);
    expect(await live.done).toMatchObject({ outcome: "failed", error: { kind: "store_io" } });
    expect(kinds(await eventsOf(host, live.session))).not.toContain("RunEnded");
  });
});

/** The session's row cannot be read any more once the model has answered. */
function failsToRenew(store: Store): Store {
  let answered = false;
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      if (name === "append")
        return async (...request: Parameters<Store["append"]>) => {
          const appended = await target.append(...request);
          answered ||= JSON.stringify(request).includes("ModelCallFinished");
          return appended;
        };
      if (name === "getSession" && answered)
        return () => Promise.reject(new HarnessError("store_io", "The disk failed on purpose.", "Go on."));
      const member = target[name];
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
