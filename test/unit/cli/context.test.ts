/** `belay context`, on a real store in a home of its own. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { thisProcess } from "../../../src/host/lease-owner.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { textPart } from "../../../src/kernel/content.ts";
import type { Draft } from "../../../src/kernel/events/index.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { EXIT_TABLE } from "../../../src/kernel/outcome.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";
import { DEFAULT_CONTEXT } from "../../../src/kernel/work-policy.ts";
import { openJournal } from "../../../src/store/journal.ts";
import { createRedactor } from "../../../src/store/redaction.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { newSummary } from "../../../src/store/summary.ts";
import { memoryVault } from "../../../src/store/vault.ts";
import { testConfig } from "../../support/config.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { ids } from "./sealed-events.ts";

let directory = "";
let cwd = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-context-"));
  cwd = join(directory, "project");
  await mkdir(cwd);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const belay = (...argv: readonly string[]): Promise<ProgramEnd> => program({ directory, cwd }, argv);

/** One session for each list: as many turns, with a compaction before each of the named ones. In the order of their time. */
async function sessions(
  ...all: readonly { readonly title: string; readonly turns: number; readonly compactedBefore?: readonly number[] }[]
): Promise<readonly SessionId[]> {
  let at = systemClock.now();
  const clock = { ...systemClock, now: () => (at += 10) };
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock });
  const made: SessionId[] = [];
  for (const { title, turns, compactedBefore = [] } of all) {
    const session = ids.session();
    const place = { cwd, source: cwd, directory: join(directory, "home/sessions", session) };
    const who = { tenant: LOCAL_TENANT, principal: LOCAL_PRINCIPAL, session, root: session, trace: ids.trace() };
    await store.createSession({ ...who, place, priority: 0, summary: newSummary(title, "m") });
    const lease = await store.claim({ tenant: LOCAL_TENANT, session, owner: thisProcess(), ttl_ms: 60_000 });
    const redactor = createRedactor({ known: [], vault: memoryVault() });
    const journal = await openJournal({ store, tenant: LOCAL_TENANT, session, lease, redactor, spans: ids });
    const config = testConfig({ context: { ...DEFAULT_CONTEXT, window: 100_000 } });
    await journal.append([
      { kind: "SessionCreated", data: { title } },
      { kind: "SessionConfigured", data: { config } },
      { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
      { kind: "UserMessageAdded", data: { parts: [textPart(title, { from: "user" })] } },
    ]);
    for (let turn = 1; turn <= turns; turn++)
      await journal.append([...(compactedBefore.includes(turn) ? [COMPACTED] : []), ...turnDrafts(turn)]);
    await journal.append([
      {
        kind: "RunEnded",
        data: { outcome: "completed", verification: "passed", exit_code: 0, error: null, active_ms: 1 },
      },
    ]);
    await journal.close();
    made.push(session);
  }
  await store.close();
  return made;
}

const COMPACTED: Draft = {
  kind: "ContextCompacted",
  data: {
    layer: "auto",
    reason: "over the threshold",
    before: 9_000,
    after: 3_000,
    same: 500,
    cache_lost: 1_000,
    cleared: [],
    head: [],
    kept: 0,
    summarized: false,
  },
};

function turnDrafts(turn: number): readonly Draft[] {
  const call = ids.modelCall();
  const request = { attempt: 1, purpose: "turn", max_tokens: 100, messages: 1, request: "", prompt: "", tools: "" };
  const answer = { stop: "end_turn", model: "m", request_id: null, duration_ms: 1, first_delta_ms: 1 } as const;
  const usage = { ...NO_USAGE, input_tokens: 1_000 * turn };
  return [
    { kind: "ModelCallStarted", turn, data: { call, provider: "p", model: "m", ...request, purpose: "turn" } },
    { kind: "ModelCallFinished", data: { call, parts: [textPart("Hm.", { from: "model" })], usage, ...answer } },
    { kind: "UserMessageAdded", data: { parts: [textPart("go on", { from: "user" })] } },
  ];
}

describe("`belay context`", () => {
  it("shows the last session of the directory: how full, part by part, turn by turn, and what was compacted", async () => {
    const [session] = await sessions({ title: "fix it", turns: 4, compactedBefore: [3] });
    const { out, code } = await belay("context");
    expect(code).toBe(0);
    expect(out.split("\n").slice(0, 3)).toEqual([
      `${session} turn 4 · fix it · p/m`,
      expect.stringMatching(/^4\.\dk of 100k tokens \(4 %\) · 96 % left · compacted at 80\.0k$/),
      expect.stringMatching(/ of them came since the last request and are estimates\.$/),
    ]);
    expect(out).toContain("system prompt with tool schemas");
    expect(out).toContain("A compacted");
    expect(out).toContain("1 compaction, 6.0k tokens freed");
    // Nothing but ASCII draws the chart where no colours are wanted.
    expect(out).not.toMatch(/[█┤└]/);
  });

  it("--turn shows what that turn was made of, --turns a line for each, --json all of it", async () => {
    const [session = ""] = await sessions({ title: "fix it", turns: 3 });
    expect((await belay("context", session, "--turn", "2")).out).toMatch(/turn 2 · p\/m\n2\.0k of 100k tokens \(2 %\)/);
    const lines = (await belay("context", "--turns")).out.trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[3]).toMatch(/^3 +3,000 +3 % /);
    const whole = JSON.parse((await belay("context", "--json")).out) as Printed; // printed by the command under test
    expect(whole.turns.map(({ tokens, parts }) => [tokens, parts.reduce((sum, part) => sum + part.tokens, 0)])).toEqual(
      [
        [1_000, 1_000],
        [2_000, 2_000],
        [3_000, 3_000],
      ],
    );
    const one = JSON.parse((await belay("context", "--turn", "3", "--json")).out) as Printed["turns"][number];
    expect(one.tokens).toBe(3_000);
  });

  it("refuses a turn that there is none of, and options that do not go together", async () => {
    await sessions({ title: "fix it", turns: 1 });
    for (const argv of [
      ["--turn", "7"],
      ["--stats", "--turn", "1"],
      ["--since", "7d"],
      ["--stats", "--since", "HEAD"],
    ]) {
      const { code, err } = await belay("context", ...argv);
      expect(code, argv.join(" ")).toBe(EXIT_TABLE.usage.code);
      expect(err).not.toBe("");
    }
  });
});

describe("`belay context --stats`", () => {
  it("has a line for each session with totals and medians, and says which was compacted more often than is usual", async () => {
    const usual = Array.from({ length: 5 }, (_, i) => ({ title: `usual ${i}`, turns: 20, compactedBefore: [15] }));
    const odd = { title: "odd one", turns: 6, compactedBefore: [3, 5] };
    const made = await sessions(...usual, odd);
    const { out } = await belay("context", "--stats");
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^TURNS +PEAK +WINDOW +COMPACTED +FREED +CACHED +LOST +SESSION$/);
    expect(lines[1]).toMatch(/^6 +6\.0k +6 % +2A +12\.0k +- +0 +! ses_\S+ odd one$/);
    expect(out).toMatch(/\n106 +20\.0k +20 % +7A +42\.0k +- +0 +total of 6 sessions\n20 +20\.0k +20 % +1A .*median\n/);
    expect(out).toContain(`! ${made[5]}: compacted every 3 turns; earlier sessions went 20 (median of 5)`);
    const alone = await belay("context", made[5] ?? "");
    expect(alone.out).toContain("! compacted every 3 turns; earlier sessions went 20 (median of 5)");
    expect((await belay("context", made[4] ?? "")).out).not.toContain("! compacted");
    const json = JSON.parse((await belay("context", "--stats", "--json")).out) as { sessions: { alert: unknown }[] };
    expect(json.sessions.map(({ alert }) => alert === null)).toEqual([false, true, true, true, true, true]);
  });

  it("says so where there is nothing", async () => {
    await sessions();
    expect((await belay("context", "--stats")).out).toBe("There are no sessions with a turn in that time.\n");
  });
});

interface Printed {
  readonly turns: readonly { readonly tokens: number; readonly parts: readonly { readonly tokens: number }[] }[];
}
