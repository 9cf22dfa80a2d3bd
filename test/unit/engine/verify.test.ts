/** What breaks if a verification writes files and is stopped in the middle? */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { callTool, say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { testHost } from "../../support/host.ts";
import { start, testPlace } from "../../support/session.ts";

it("what a canceled verification wrote is not part of the work", async () => {
  const place = testPlace();
  const model = scriptedModel([callTool("write", { path: "work.txt", content: "work\n" }), say("Done.")]);
  const host = await testHost({ home: place.home, model });
  const live = await start(host, place, { verify: "echo tried > tries.txt; sleep 600" });
  const tree = join(place.home, "sessions", live.session, "tree");
  live.onEvents((events) => {
    if (events.some(({ kind }) => kind === "ToolProcessStarted")) void cancelOnce(join(tree, "tries.txt"));
  });
  const cancelOnce = async (file: string): Promise<void> => {
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
    live.cancel("user", "enough");
  };
  expect(await live.done).toMatchObject({ outcome: "canceled" });
  expect([existsSync(join(tree, "work.txt")), existsSync(join(tree, "tries.txt"))]).toEqual([true, false]);
});
