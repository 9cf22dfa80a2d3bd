/** `belay cost`, on a real store in a home of its own. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { thisProcess } from "../../../src/host/lease-owner.ts";
import { ledgerScopes } from "../../../src/kernel/ledger-scopes.ts";
import type { Clock } from "../../../src/kernel/clock.ts";
import type { Draft } from "../../../src/kernel/events/index.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type ModelCallId, type SessionId } from "../../../src/kernel/ids.ts";
import { nanoDollars } from "../../../src/kernel/money.ts";
import { EXIT_TABLE } from "../../../src/kernel/outcome.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { openJournal } from "../../../src/store/journal.ts";
import { createRedactor } from "../../../src/store/redaction.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { newSummary } from "../../../src/store/summary.ts";
import { memoryVault } from "../../../src/store/vault.ts";
import { testConfig } from "../../support/config.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { ids, toolFinished, toolUse } from "./sealed-events.ts";

let directory = "";
let cwd = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-cost-"));
  cwd = join(directory, "project");
  await mkdir(cwd);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function belay(...argv: readonly string[]): Promise<ProgramEnd> {
  return program({ directory, cwd }, argv);
}

async function json(...argv: readonly string[]): Promise<Record<string, unknown>> {
  const { out } = await belay(...argv, "--json");
  return JSON.parse(out) as Record<string, unknown>; // printed by the command under test
}

interface Facts {
  readonly title?: string;
  readonly source?: string;
  readonly model?: string;
  readonly clock?: Clock;
  /** What each call cost, in nano-dollars. */
  readonly costs?: readonly number[];
  readonly lost?: number;
  /** So many of the calls were another session's. */
  readonly forkedAfter?: number;
  readonly outcome?: "completed" | "canceled";
}

const USAGE = { ...NO_USAGE, input_tokens: 100, cache_read_tokens: 900, output_tokens: 50 };

/** A session as runs leave it: each call in the journal and in the ledger. */
async function spent(facts: Facts = {}): Promise<SessionId> {
  const { title = "fix the test", source = cwd, model = "claude-sonnet-5", clock = systemClock } = facts;
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock });
  const session = ids.session();
  const place = { cwd: source, source, directory: join(directory, "home/sessions", session) };
  const summary = newSummary(title, model);
  const who = { tenant: LOCAL_TENANT, principal: LOCAL_PRINCIPAL, session, root: session, trace: ids.trace() };
  await store.createSession({ ...who, place, priority: 0, summary });
  const lease = await store.claim({ tenant: LOCAL_TENANT, session, owner: thisProcess(), ttl_ms: 60_000 });
  const redactor = createRedactor({ known: [], vault: memoryVault() });
  const journal = await openJournal({ store, tenant: LOCAL_TENANT, session, lease, redactor, spans: ids });
  await journal.append([
    { kind: "SessionCreated", data: { title } },
    { kind: "SessionConfigured", data: { config: testConfig({ model }) } },
    { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
    { kind: "UserMessageAdded", data: { parts: [{ type: "text", text: title, origin: { from: "user" } }] } },
  ]);
  for (const [i, cost] of (facts.costs ?? [3_000_001]).entries()) {
    if (i > 0 && i === facts.forkedAfter) await journal.append([forked()]);
    const call = ids.modelCall();
    const scopes = ledgerScopes(journal.state, 1, clock.now()).map(({ scope }) => scope);
    await journal.append(callDrafts(call, scopes, { cost, lost: facts.lost ?? 0, model }));
  }
  const outcome = facts.outcome ?? "completed";
  await journal.append([
    { kind: "RunEnded", data: { outcome, verification: "passed", exit_code: 0, error: null, active_ms: 60_000 } },
  ]);
  await journal.close();
  await store.close();
  return session;
}

function forked(): Draft {
  return { kind: "SessionForked", data: { from: ids.session(), seq: 5, hash: "0".repeat(64), workspace: null } };
}

/** The model asks for one `grep`, and is told what it found. */
function callDrafts(
  call: ModelCallId,
  scopes: readonly string[],
  { cost, lost, model }: { readonly cost: number; readonly lost: number; readonly model: string },
): readonly Draft[] {
  const grep = toolUse("grep", { pattern: "x" });
  const request = {
    attempt: 1,
    purpose: "turn" as const,
    max_tokens: 100,
    messages: 1,
    request: "",
    prompt: "",
    tools: "",
  };
  const answer = {
    stop: "tool_use" as const,
    usage: USAGE,
    model,
    request_id: null,
    duration_ms: 1,
    first_delta_ms: 1,
  };
  return [
    {
      kind: "BudgetReserved",
      turn: 1,
      data: { call, scopes: [...scopes], tokens: 9_000, cost: nanoDollars(2_000_000_000), max_tokens: null },
    },
    { kind: "ModelCallStarted", turn: 1, data: { call, provider: "anthropic", model, ...request } },
    { kind: "ModelCallFinished", data: { call, parts: [grep], ...answer } },
    {
      kind: "BudgetSettled",
      data: {
        call,
        usage: USAGE,
        cost: nanoDollars(cost),
        price: `anthropic/${model}`,
        unknown_tokens: lost,
        unknown_cost: nanoDollars(lost * 1_000),
      },
    },
    toolFinished(grep, { text: "found" }),
  ];
}

const DAY_MS = 86_400_000;

function clockAt(iso: string): Clock {
  return { ...systemClock, now: () => Date.parse(iso) };
}

describe("`belay cost`", () => {
  it("says that nothing was spent where nothing was", async () => {
    expect(await belay("cost")).toEqual({ code: 0, out: "Nothing was spent.\n", err: "" });
  });

  it("adds up all sessions, the dearest first, and says that the ledger has the same to the last nano-dollar", async () => {
    const cheap = await spent({ title: "fix the test", costs: [3_000_001] });
    const dear = await spent({ title: "write the page", costs: [7_000_003, 5_000_000] });
    expect((await belay("cost")).out.split("\n")).toEqual([
      "COST      UNKNOWN  CALLS  IN    CACHED       OUT  SESSION",
      `$0.012    -        2      2.0k  1.8k (90 %)  100  ${dear} write the page`,
      `$0.00300  -        1      1.0k  900 (90 %)   50   ${cheap} fix the test`,
      "$0.015    -        3      3.0k  2.7k (90 %)  150  total of 2 sessions",
      "The ledger has the same to the last nano-dollar: $0.015000004.",
      "",
    ]);
  });

  it("has the same total however it is added up", async () => {
    await spent({ costs: [1, 22_000_007], lost: 40 });
    await spent({ costs: [333_333_333], model: "claude-haiku-4-5" });
    for (const by of ["session", "model", "tool", "skill", "phase", "day"]) {
      const { rows, total, ledger } = await json("cost", "--by", by);
      const sums = rows as readonly { readonly cost_nano: number; readonly unknown_cost_nano: number }[]; // its shape, checked below
      expect(sums.reduce((sum, { cost_nano }) => sum + cost_nano, 0)).toBe(355_333_341);
      expect(sums.reduce((sum, { unknown_cost_nano }) => sum + unknown_cost_nano, 0)).toBe(80_000);
      expect(total).toMatchObject({ cost_nano: 355_333_341, unknown_cost_nano: 80_000, calls: 3 });
      expect(ledger).toMatchObject({ missing: { cost: 0, unknown_cost: 0, tokens: 0 }, moved: false });
    }
  });

  it("says what the ledger has beyond the journals that are here, once a session was removed", async () => {
    const gone = await spent({ costs: [5_000_000] });
    await spent({ costs: [2_000_000] });
    expect((await belay("sessions", "rm", gone)).code).toBe(0);
    const { out } = await belay("cost");
    expect(out).toContain(
      "The ledger has $0.007000000: $0.005000000 more than these journals (sessions that were removed",
    );
  });

  it("shows one session by its tools, and what lost answers may have cost apart from them", async () => {
    const session = await spent({ costs: [3_000_000], lost: 5_000 });
    await spent({ costs: [1_000_000_000] });
    const { out } = await belay("cost", session);
    const cells = out.split("\n").map((line) => line.split(/ {2,}/));
    expect(cells.slice(0, 5).map((row) => row.at(-1))).toEqual([
      "TOOL",
      "grep",
      "(system prompt and tool schemas)",
      "(user)",
      "(lost answers)",
    ]);
    expect(cells[1]?.[2]).toBe("1"); // calls of it
    expect(cells[4]?.slice(0, 2)).toEqual(["$0.00", "≤ $0.00500"]);
    expect(cells[5]?.slice(0, 3)).toEqual(["$0.00300", "≤ $0.00500", "1"]);
    expect(out).toContain("UNKNOWN is what answers that were lost may have cost at most (5.0k tokens).");
    expect(out).not.toContain("The ledger");
  });

  it("counts from a day on, in UTC, and by days", async () => {
    await spent({ costs: [1_000_000], clock: clockAt("2026-10-31T23:59:59Z") });
    await spent({ costs: [2_000_000], clock: clockAt("2026-11-01T00:00:00Z") });
    await spent({ costs: [4_000_000], clock: clockAt("2026-11-03T12:00:00Z") });
    const { rows, total, ledger } = await json("cost", "--by", "day", "--since", "2026-11-01");
    expect(rows).toMatchObject([
      { day: "2026-11-01", cost_nano: 2_000_000 },
      { day: "2026-11-03", cost_nano: 4_000_000 },
    ]);
    expect(total).toMatchObject({ cost_nano: 6_000_000 });
    expect(ledger).toBeNull();
  });

  it("counts the last days, and refuses a time that is none", async () => {
    await spent({ costs: [1_000_000], clock: clockAt(new Date(Date.now() - 9 * DAY_MS).toISOString()) });
    await spent({ costs: [2_000_000] });
    expect((await json("cost", "--since", "7d"))["total"]).toMatchObject({ cost_nano: 2_000_000 });
    for (const since of ["yesterday", "2026-02-30", "7", "-1d"])
      expect((await belay("cost", `--since=${since}`)).code).not.toBe(0);
  });

  it("counts what a fork took over from its parent once, where it was paid for", async () => {
    const fork = await spent({ costs: [5_000_000, 2_000_000], forkedAfter: 1 });
    for (const by of ["session", "tool"]) {
      const { total, inherited, rows } = await json("cost", fork, "--by", by);
      expect([total, inherited]).toMatchObject([{ cost_nano: 2_000_000 }, { cost_nano: 5_000_000 }]);
      const sums = rows as readonly { readonly cost_nano: number }[]; // its shape is the one of the total
      expect(sums.reduce((sum, { cost_nano }) => sum + cost_nano, 0)).toBe(2_000_000);
    }
    expect((await belay("cost", fork)).out).toContain(
      "$0.00500 that forked or imported sessions took over was paid for elsewhere",
    );
  });

  it("names a session whose journal is damaged, and counts the others", async () => {
    const damaged = await spent({ costs: [5_000_000] });
    await spent({ costs: [2_000_000] });
    const database = new Sqlite(join(directory, "home", "belay.db"));
    database.prepare("UPDATE records SET body = replace(body, 'e', 'E') WHERE session = ? AND seq = 6").run(damaged);
    database.close();
    const { out, code } = await belay("cost");
    expect(code).toBe(0);
    expect(out).toContain("total of 1 session\n");
    expect(out).toMatch(
      new RegExp(`! ${damaged} is not counted \\(\\$0\\.00500 by the list of sessions\\): Event 6 of session`),
    );
  });
});

describe("`belay cost --estimate`", () => {
  it("says how the default cap bounds it where nothing like it was ever done", async () => {
    const { out } = await belay("cost", "--estimate", "fix it", "--model", "claude-sonnet-5");
    expect(out).toBe(
      "No finished run is here that an estimate could rest on.\nWithout other limits a session ends at $5.00, 100 turns or 5.0M tokens, whatever it asks for.\n",
    );
  });

  it("rests on similar tasks in the same directory with the same model, and says so", async () => {
    for (const cost of [1, 2, 3, 4, 100])
      await spent({ title: `Fix the failing tests of part ${cost}`, costs: [cost * 1_000_000] });
    await spent({ title: "write a novel", costs: [999_000_000] });
    await spent({ title: "fix the failing tests", costs: [888_000_000], source: "/elsewhere" });
    await spent({ title: "fix the failing tests", costs: [777_000_000], outcome: "canceled" });
    const { out } = await belay("cost", "--estimate", "fix the failing test", "--model", "claude-sonnet-5");
    expect(out.split("\n")).toEqual([
      "With claude-sonnet-5, from 5 finished sessions: similar tasks in this directory with this model.",
      "         HALF UP TO  9 OF 10    MOST",
      "cost     $0.00300    $0.100     $0.100",
      "turns    1           1          1",
      "at work  1 min 0 s   1 min 0 s  1 min 0 s",
      "",
    ]);
  });

  it("is honest about few runs and about another model", async () => {
    await spent({ title: "fix the failing tests", model: "claude-haiku-4-5", costs: [4_000_000] });
    const estimate = await json("cost", "--estimate", "fix the test", "--model", "claude-sonnet-5");
    expect(estimate).toMatchObject({
      model: "claude-sonnet-5",
      runs: 1,
      few: true,
      rule: "all tasks, with any model",
      cost_usd: { p50: 0.004, p90: 0.004, max: 0.004 },
      default_caps: { cost_usd: 5, turns: 100 },
    });
    const { out } = await belay("cost", "--estimate", "fix the test", "--model", "claude-sonnet-5");
    expect(out).toContain("! That is few: it says little. Without other limits a session ends at $5.00");
  });

  it("does not go together with what asks for the past", async () => {
    const { code, err } = await belay("cost", "--estimate", "fix it", "--by", "tool");
    expect(code).toBe(EXIT_TABLE.usage.code);
    expect(err).toContain("Leave them away.");
  });
});
