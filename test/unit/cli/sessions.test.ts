/** The commands that look at the journal, on a real store in a home of their own. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { thisProcess } from "../../../src/host/lease-owner.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import type { Draft } from "../../../src/kernel/events/index.ts";
import { ledgerScopes } from "../../../src/kernel/ledger-scopes.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { canonicalJson } from "../../../src/kernel/json.ts";
import { INLINE_BYTES_MAX } from "../../../src/kernel/limits.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import { openJournal } from "../../../src/store/journal.ts";
import type { Owner } from "../../../src/store/port.ts";
import { createRedactor } from "../../../src/store/redaction.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { memoryVault } from "../../../src/store/vault.ts";
import { testConfig } from "../../support/config.ts";
import { answered, ids, toolFinished, toolStarted, toolUse } from "./sealed-events.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { newSummary } from "../../../src/store/summary.ts";

let directory = "";
let cwd = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-sessions-"));
  cwd = join(directory, "project");
  await mkdir(cwd);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function belay(...argv: readonly string[]): Promise<ProgramEnd> {
  return program({ directory, cwd }, argv);
}

/** A session as a run would have left it. */
async function journaled(
  drafts: readonly Draft[],
  facts: { readonly owner?: Owner; readonly title?: string } = {},
): Promise<SessionId> {
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock: systemClock });
  const session = ids.session();
  const title = facts.title ?? "fix the test";
  await store.createSession({
    tenant: LOCAL_TENANT,
    principal: LOCAL_PRINCIPAL,
    session,
    root: session,
    trace: ids.trace(),
    place: { cwd, source: cwd, directory: join(directory, "home/sessions", session) },
    priority: 0,
    summary: newSummary(title, "m"),
  });
  const lease = await store.claim({
    tenant: LOCAL_TENANT,
    session,
    owner: facts.owner ?? thisProcess(),
    ttl_ms: 60_000,
  });
  const redactor = createRedactor({ known: [], vault: memoryVault() });
  const journal = await openJournal({ store, tenant: LOCAL_TENANT, session, lease, redactor, spans: ids });
  await journal.append([
    { kind: "SessionCreated", data: { title } },
    { kind: "SessionConfigured", data: { config: testConfig() } },
    { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
    { kind: "UserMessageAdded", data: { parts: [{ type: "text", text: "fix the test", origin: { from: "user" } }] } },
  ]);
  const now = await store.now();
  await journal.append(drafts.map((draft) => inItsScopes(draft, journal.state, now)));
  if (facts.owner === undefined) await journal.close();
  await store.close();
  return session;
}

/** A reservation names the scopes that its session is in. */
function inItsScopes(draft: Draft, state: SessionState, now: number): Draft {
  if (draft.kind !== "BudgetReserved") return draft;
  const scopes = ledgerScopes(state, draft.turn ?? state.turn, now).map(({ scope }) => scope);
  return { ...draft, data: { ...draft.data, scopes } };
}

const ENDED: Draft = {
  kind: "RunEnded",
  data: { outcome: "completed", verification: "passed", exit_code: 0, error: null, active_ms: 5 },
};

describe("`belay sessions list`", () => {
  it("says how to begin where nothing is", async () => {
    expect(await belay("sessions", "list")).toEqual({
      code: 0,
      out: 'There are no sessions. Start one: belay run "fix the failing test".\n',
      err: "",
    });
  });

  it("says that there are more than it shows", async () => {
    for (const title of ["a", "b", "c"]) await journaled([ENDED], { title });
    const { out } = await belay("sessions", "list", "--limit", "2");
    expect(out.trimEnd().split("\n").slice(1)).toEqual([
      expect.stringMatching(/c$/),
      expect.stringMatching(/b$/),
      "There are more: --limit 4 shows older ones.",
    ]);
    expect((await belay("sessions", "list", "--limit", "3")).out).not.toContain("There are more");
    expect(JSON.parse((await belay("sessions", "list", "--limit", "2", "--json")).out)).toHaveLength(2);
  });

  it("shows what state each is in, newest first", async () => {
    const done = await journaled([...answered("Done."), ENDED], { title: "first" });
    const dead: Owner = { ...thisProcess(), pid: 2 ** 22 + 1, start_time: "1" };
    const cut = await journaled([], { title: "second", owner: dead });
    const driven = await journaled([], { title: "third", owner: thisProcess() });
    const { out } = await belay("sessions");
    const rows = out
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(/ {2,}/));
    const shown = rows.map(([id, state, , turns, tokens, cost, title]) => [id, state, turns, tokens, cost, title]);
    expect(new Set(shown.map((row) => JSON.stringify(row)))).toEqual(
      new Set(
        [
          [driven, "running", "0", "0", "$0.00", "third"],
          [cut, "cut off", "0", "0", "$0.00", "second"],
          [done, "completed", "1", "1.2k", "$0.012", "first"],
        ].map((row) => JSON.stringify(row)),
      ),
    );
  });

  it("is JSON for programs", async () => {
    const session = await journaled([...answered("Done."), ENDED]);
    const { out } = await belay("sessions", "list", "--here", "--json");
    expect(JSON.parse(out)).toMatchObject([{ session, state: "completed", turns: 1, verification: "passed", cwd }]);
  });
});

describe("`belay sessions show`", () => {
  it("tells the last session of this directory", async () => {
    const session = await journaled([...answered("All is well."), ENDED]);
    const { code, out } = await belay("sessions", "show");
    expect(code).toBe(0);
    expect(out).toContain(`Session ${session}`);
    expect(out).toContain("  All is well.");
    expect(out).toContain("completed · verification passed · exit code 0");
  });

  it("says that a session was cut off, and how to go on", async () => {
    const session = await journaled([], { owner: { ...thisProcess(), pid: 2 ** 22 + 1, start_time: "1" } });
    expect((await belay("sessions", "show", session)).out).toContain(`cut off: \`belay resume ${session}\` goes on`);
  });

  it("gives the folded state to programs", async () => {
    const session = await journaled([ENDED]);
    expect(JSON.parse((await belay("sessions", "show", "--json")).out)).toMatchObject({
      place: { cwd },
      state: { session, end: { outcome: "completed" } },
    });
  });

  it.each([
    [["sessions", "show"], "No session was started in"],
    [["sessions", "show", "ses_none"], "There is no session ses_none."],
    [["sessions", "show", "../../x"], "is not a session id"],
  ])("with %j says what is wrong, and ends with 2", async (argv, problem) => {
    const { code, out, err } = await belay(...argv);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(problem);
    expect(err.trim().split("\n")).toHaveLength(2);
  });
});

describe("`belay sessions export`", () => {
  it("prints every event so that its place in the chain can be computed from the line alone", async () => {
    const bash = toolUse("bash", { command: "seq 1 100000" });
    const large = "x".repeat(INLINE_BYTES_MAX + 10);
    await journaled([...answered("I run it.", [bash]), toolStarted(bash), toolFinished(bash, { text: large }), ENDED]);
    const lines = (await belay("sessions", "export")).out.trim().split("\n");
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    let previous = "0".repeat(64);
    let blobs = 0;
    for (const line of lines) {
      const { hash, blob, event } = JSON.parse(line) as {
        hash: string;
        blob: string | null;
        event: Record<string, unknown>;
      };
      expect(event["prev_hash"]).toBe(previous);
      const { data: _data, ...envelope } = event;
      if (blob !== null) expect(blob).toBe(`sha256:${sha256(canonicalJson(event))}`);
      expect(hash).toBe(sha256(canonicalJson(blob === null ? event : { ...envelope, blob })));
      previous = hash;
      blobs += blob === null ? 0 : 1;
    }
    expect(lines).toHaveLength(11);
    expect(blobs).toBe(1);
  });
});

describe("`belay cancel`", () => {
  it("says so when nothing runs", async () => {
    const session = await journaled([ENDED]);
    const { code, out } = await belay("cancel", session);
    expect({ code, out }).toEqual({
      code: 0,
      out: `Session ${session} is not running. \`belay resume ${session}\` goes on with it.\n`,
    });
  });

  it("asks the process that drives, and waits until it has stopped", async () => {
    const session = await journaled([], { owner: thisProcess() });
    const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock: systemClock });
    const canceling = belay("sessions", "cancel", session);
    const asked = async (): Promise<boolean> =>
      (await store.getSession(LOCAL_TENANT, session))?.cancel_requested === true;
    while (!(await asked())) await systemClock.sleep(20);
    const row = await store.getSession(LOCAL_TENANT, session);
    if (row?.owner == null) throw new TypeError("it is driven");
    await store.release({
      tenant: LOCAL_TENANT,
      session,
      token: row.owner.token,
      epoch: row.epoch,
      until: 0,
      last_seq: row.last_seq,
      cancel_requested: true,
    });
    const { code, out } = await canceling;
    await store.close();
    expect(code).toBe(0);
    expect(out).toContain(`Asked process ${process.pid} to stop session ${session}.`);
    expect(out).toContain("Stopped:");
  });
});

describe("`belay sessions rm`", () => {
  it("removes nothing when one of the names is wrong", async () => {
    const session = await journaled([ENDED]);
    expect((await belay("sessions", "rm", session, "ses_wrong")).code).toBe(2);
    expect((await belay("sessions", "list", "--json")).out).toContain(session);
  });

  it("removes a session with its journal", async () => {
    const session = await journaled([ENDED]);
    expect(await belay("sessions", "rm", session)).toEqual({ code: 0, out: `Removed session ${session}.\n`, err: "" });
    expect((await belay("sessions", "list", "--json")).out.trim()).toBe("[]");
  });
});

describe("the command line itself", () => {
  it.each([
    [["nonsense"], "unknown command"],
    [["run", "--max-turns", "many", "x"], "whole number"],
    [["run", "--output", "xml", "x"], "Allowed choices are text, json, events"],
    [["rollback"], "required option '--reason <text>' not specified"],
  ])("with %j ends with 2 and says how it is meant", async (argv, problem) => {
    const { code, out, err } = await belay(...argv);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(problem);
  });

  it("has an example in the help of every command", async () => {
    for (const name of ["run", "resume", "cancel", "diff", "rollback", "merge", "apply", "errors", "emulate"]) {
      const { code, out } = await belay(name, "--help");
      expect({ name, code, example: out.includes("Examples:\n  $ ") }).toEqual({ name, code: 0, example: true });
    }
  });

  it("prints one object also when a run cannot be started", async () => {
    const { code, out, err } = await belay("run", "--output", "json", "see @nothing.ts");
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ session: null, outcome: "failed", exit_code: 2, error: { kind: "usage" } });
    expect(err).toContain("The task mentions @nothing.ts, and there is no such file.");
  });

  it("prints the table of errors, whole", async () => {
    const { out } = await belay("errors");
    expect(out).toMatch(/^overloaded +retry +provider +The provider is overloaded\./m);
    expect(out).toMatch(/^143 +terminated +later/m);
    expect(JSON.parse((await belay("errors", "--json")).out)).toMatchObject({ exit_codes: { completed: { code: 0 } } });
  });
});

describe("`belay resume`", () => {
  it("refuses two names for the session instead of choosing one", async () => {
    const session = await journaled([...answered("Done."), ENDED]);
    const { code, err } = await belay("resume", session, "--last");
    expect([code, err]).toEqual([
      2,
      `belay: Both --last and session ${session} were named.\n       Name one of them.\n`,
    ]);
  });
});

describe("`belay sessions rm`", () => {
  it("removes also directories that were closed or made read-only", async () => {
    const session = await journaled([...answered("Done."), ENDED]);
    const inner = join(directory, "home/sessions", session, "tree/modules/of/go");
    await mkdir(inner, { recursive: true });
    await chmod(inner, 0o000);
    await chmod(join(inner, ".."), 0o555);
    expect(await belay("sessions", "rm", session)).toEqual({ code: 0, out: `Removed session ${session}.\n`, err: "" });
    expect(existsSync(join(directory, "home/sessions", session))).toBe(false);
  });
});
