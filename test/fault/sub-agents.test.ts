/** Twenty sub-agents on one repository, and everything that can go wrong with some of them at once. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resumeSession } from "../../src/engine/session.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { childrenOf } from "../support/agents.ts";
import { filesBelow } from "../support/files-below.ts";
import { testHost } from "../support/host.ts";
import { eventsOf, resultTexts, testPlace } from "../support/session.ts";
import { CAP, CONFLICTING, KILLED, NUMBERS, POOR, twentyModel } from "../support/twenty-agents.ts";

const CHILD = new URL("../support/agents-child.ts", import.meta.url).pathname;

/** Something of everything: a stash, a staged change, one that is not, a file that git does not know. */
function unsettle(repository: string): void {
  const git = (...args: readonly string[]): void =>
    void execFileSync("git", args, { cwd: repository, stdio: "ignore" });
  writeFileSync(join(repository, "src/app.js"), "stashed\n");
  git("-c", "user.name=u", "-c", "user.email=u@example.com", "stash");
  writeFileSync(join(repository, "src/app.js"), "staged\n");
  git("add", "src/app.js");
  writeFileSync(join(repository, "src/app.js"), "not staged\n");
  writeFileSync(join(repository, "unknown.txt"), "unknown\n");
}

describe("twenty sub-agents", () => {
  test("two killed, one over budget, two in conflict: twenty results, one cap, and the user's repository as it was", async () => {
    const place = testPlace();
    unsettle(place.repository);
    const before = filesBelow(place.repository);
    const order = JSON.stringify({ home: place.home, repository: place.repository });
    const first = spawnSync(process.execPath, [CHILD, order], { encoding: "utf8", timeout: 120_000 });
    expect([first.signal, first.stderr]).toEqual(["SIGKILL", ""]);

    const host = await testHost({ home: place.home, model: twentyModel(null) });
    const [row] = (await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 100 })).filter(
      ({ summary }) => summary.agent === undefined,
    );
    const session = row?.session;
    if (session === undefined) throw new Error("the first process began no session");
    const killed = await childrenOf(host, session);
    expect(killed.filter(({ end }) => end === null)).toHaveLength(KILLED.length);

    const live = await resumeSession(host, { session, message: null, change: null });
    const report = await live.done;
    expect([report.outcome, report.error]).toEqual(["completed", null]);

    // Each call has one result, of one shape.
    const events = await eventsOf(host, session);
    const results = resultTexts(events);
    const data = results.map((text) => JSON.parse(text.slice(text.lastIndexOf("\n") + 1)) as Record<string, unknown>); // the last line
    expect(data.map(({ outcome }) => outcome)).toEqual(
      data.map((one) => ((one["files"] as string[]).includes("poor.txt") ? "budget_exhausted" : "completed")), // a list of paths
    );
    expect(data.filter(({ outcome }) => outcome === "budget_exhausted")).toHaveLength(1);
    expect(new Set(data.map((one) => one["session"])).size).toBe(NUMBERS.length);

    // No call had two sub-agents, whoever began them.
    const rows = await host.store.listSessions({ tenant: LOCAL_TENANT, root: session, limit: 100 });
    expect(rows.filter(({ summary }) => summary.agent !== undefined)).toHaveLength(NUMBERS.length);

    // Of the two that wanted the same lines the first is in; of the poor one nothing is.
    const tree = join(place.home, "sessions", session, "tree");
    const parts = NUMBERS.filter((n) => existsSync(join(tree, `part-${n}.txt`)));
    expect(parts).toEqual(NUMBERS.filter((n) => n !== POOR && n !== CONFLICTING[1]));
    expect(readFileSync(join(tree, "shared.txt"), "utf8")).toBe(`by ${CONFLICTING[0]}\n`);
    const merges = events.flatMap((event) => (event.kind === "AgentMerged" ? [event.data.status] : []));
    expect([...merges].sort()).toEqual(["conflict", "kept", ...NUMBERS.slice(2).map(() => "merged")]);

    // Files stay only where work is in them that is nowhere else.
    const clones = readdirSync(join(place.home, "sessions")).filter((name) =>
      existsSync(join(place.home, "sessions", name, "tree")),
    );
    expect(clones).toHaveLength(3);

    const [position] = await host.store.listScopes(LOCAL_TENANT, `tree:${session}`, 1);
    const spent = (position?.cost ?? 0) + (position?.unknown_cost ?? 0);
    const children = await childrenOf(host, session);
    const journaled = [live.state(), ...children].reduce((sum, one) => sum + (one.cost ?? 0) + one.unknown_cost, 0);
    expect([spent, position?.reserved_cost]).toEqual([journaled, 0]);
    expect(spent).toBeLessThanOrEqual(CAP);

    expect(filesBelow(place.repository)).toEqual(before);
    await host.store.close();
  }, 180_000);
});
