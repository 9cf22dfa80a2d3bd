/**
 * What breaks when processes that share a store die, freeze, overtake each other or lose their rights?
 * Acknowledged events must be stored, in order, without gaps, and by one writer at a time.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { isUnknown } from "../../src/kernel/fold.ts";
import { LOCAL_TENANT, type SessionId } from "../../src/kernel/ids.ts";
import { loadSession, readEvents } from "../../src/store/journal.ts";
import type { Store } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { journalOn, newSession, said } from "../support/session-fixture.ts";
import { type ChildLine, type ChildTask, realClock } from "../support/store-child.ts";

const CHILD = join(import.meta.dirname, "..", "support", "store-child.ts");
type Ack = Extract<ChildLine, { readonly said: "ack" }>;

let directory: string;
let path: string;
let store: Store;
let children: Set<Child>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-processes-"));
  path = join(directory, "home", "belay.db");
  store = await openSqliteStore({ path, clock: realClock });
  children = new Set();
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all([...children].map((child) => child.ended));
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

interface Child {
  readonly lines: readonly ChildLine[];
  /** All lines, when it has ended. */
  readonly ended: Promise<readonly ChildLine[]>;
  /** Resolves when it has said so many lines, or has ended. */
  heard(count: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

function start(task: Partial<ChildTask> & Pick<ChildTask, "session" | "name">, shell?: string): Child {
  const argument = JSON.stringify({ path, count: 0, fenced: "stop", ...task } satisfies ChildTask);
  const command = [process.execPath, CHILD, argument] as const;
  const spawned: ChildProcessByStdio<null, Readable, null> = shell
    ? spawn("sh", ["-c", `${shell}; exec "$@"`, "sh", ...command], { stdio: ["ignore", "pipe", "inherit"] })
    : spawn(command[0], command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  const lines: ChildLine[] = [];
  let waiting: { readonly count: number; readonly wake: () => void }[] = [];
  const reader = createInterface({ input: spawned.stdout });
  reader.on("line", (line) => {
    // A line that was cut by a kill acknowledges nothing.
    if (!line.endsWith("}")) return;
    lines.push(JSON.parse(line) as ChildLine); // written by the child
    waiting = waiting.filter(({ count, wake }) => lines.length < count || (wake(), false));
  });
  const ended = Promise.all([once(spawned, "exit"), once(reader, "close")]).then(() => {
    for (const { wake } of waiting) wake();
    return lines;
  });
  const child: Child = {
    lines,
    ended,
    heard: (count) =>
      new Promise((resolve) => {
        if (lines.length >= count) resolve();
        else waiting.push({ count, wake: resolve });
      }),
    kill: (signal) => spawned.kill(signal),
  };
  children.add(child);
  return child;
}

function acksIn(lines: readonly ChildLine[]): readonly Ack[] {
  return lines.filter((line) => line.said === "ack");
}

/** Reads the session with a connection of its own, verifying every hash, the chain and the row. */
async function stored(session: SessionId): Promise<ReadonlyMap<number, string>> {
  const fresh = await openSqliteStore({ path, clock: realClock });
  try {
    const hashes = new Map<number, string>();
    for await (const event of readEvents(fresh, LOCAL_TENANT, session)) {
      expect(isUnknown(event)).toBe(false);
      hashes.set(event.seq, event.hash);
    }
    const { row, state } = await loadSession(fresh, LOCAL_TENANT, session);
    expect([row.last_seq, state.seq]).toEqual([hashes.size, hashes.size]);
    return hashes;
  } finally {
    await fresh.close();
  }
}

function expectStored(acks: readonly Ack[], hashes: ReadonlyMap<number, string>): void {
  for (const { seq, hash } of acks) expect(hashes.get(seq), `event ${seq} was acknowledged`).toBe(hash);
}

function lastOf(lines: readonly ChildLine[]): ChildLine | undefined {
  return lines.at(-1);
}

describe("four processes", () => {
  it("that write to a session each lose nothing and do not get in each other's way", async () => {
    const sessions = ["ses_a", "ses_b", "ses_c", "ses_d"].map((session) => session as SessionId);
    for (const session of sessions) await store.createSession(newSession(session));
    const writers = sessions.map((session) => start({ session, name: session, count: 40 }));
    const outputs = await Promise.all(writers.map(({ ended }) => ended));
    for (const [i, lines] of outputs.entries()) {
      expect(lastOf(lines)).toEqual({ said: "done" });
      expect(acksIn(lines).map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
      const hashes = await stored(sessions[i] as SessionId); // outputs and sessions have the same length
      expect(hashes.size).toBe(40);
      expectStored(acksIn(lines), hashes);
    }
  });

  it("may open a store that does not exist yet at the same moment", async () => {
    const fresh = join(directory, "fresh", "belay.db");
    const opened = await Promise.all(
      Array.from({ length: 4 }, () => start({ path: fresh, session: "ses_none", name: "x" }).ended),
    );
    for (const lines of opened) expect(lastOf(lines)).toMatchObject({ said: "error", kind: "session_not_found" });
  });
});

describe("two processes on one session", () => {
  it("that take it from each other again and again never both write: every seq has one writer, every epoch one", async () => {
    const session = "ses_a" as SessionId;
    await store.createSession(newSession(session));
    const writers = ["one", "two"].map((name) =>
      start({ session, name, count: 40, fenced: "claim_again", from_epoch: 2 }),
    );
    const outputs = await Promise.all(writers.map(({ ended }) => ended));
    for (const lines of outputs) expect(lastOf(lines)).toEqual({ said: "done" });
    const acks = outputs.flatMap(acksIn);
    const hashes = await stored(session);
    expect(acks.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, n) => n + 1));
    expectStored(acks, hashes);
    const [first, second] = outputs.map((lines) => new Set(acksIn(lines).map(({ epoch }) => epoch)));
    expect(new Set(acks.map(({ epoch }) => epoch)).size).toBeGreaterThan(1);
    expect(first && second && [...first].filter((epoch) => second.has(epoch))).toEqual([]);
  });

  it("of which one froze: it is fenced when it thaws, and had not written in between", async () => {
    const session = "ses_a" as SessionId;
    await store.createSession(newSession(session));
    const frozen = start({ session, name: "frozen" });
    const journal = await journalBeside(frozen, session);
    const appended = await journal.append([said("from the new owner")]);
    frozen.kill("SIGCONT");
    const lines = await frozen.ended;
    expect(lastOf(lines)).toMatchObject({ said: "error", kind: "fenced" });
    await journal.append([said("goes on")]);
    const hashes = await stored(session);
    expectStored(acksIn(lines), hashes);
    expect(hashes.get(appended[0]?.seq ?? 0)).toBe(appended[0]?.hash);
    expect(Math.max(...acksIn(lines).map(({ seq }) => seq))).toBeLessThan(appended[0]?.seq ?? 0);
  });
});

/** Freezes the writer and takes its session over. Frozen in the middle of a commit it holds SQLite's lock: then once more. */
async function journalBeside(writer: ReturnType<typeof start>, session: SessionId): ReturnType<typeof journalOn> {
  for (let acks = 5; ; acks += 3) {
    await writer.heard(acks);
    writer.kill("SIGSTOP");
    try {
      return await journalOn(store, { token: "fresh", session });
    } catch (error) {
      if (!(error instanceof HarnessError) || error.kind !== "store_busy") throw error;
      writer.kill("SIGCONT");
    }
  }
}

describe("a writer that is killed", () => {
  it("loses nothing that it acknowledged, however often", async () => {
    const session = "ses_a" as SessionId;
    await store.createSession(newSession(session));
    const acks: Ack[] = [];
    for (let round = 0; round < 10; round++) {
      const writer = start({ session, name: `round-${round}` });
      await writer.heard(2 + ((round * 7) % 23));
      writer.kill("SIGKILL");
      const lines = await writer.ended;
      expect(lines[0]).toEqual({ said: "ready" });
      acks.push(...acksIn(lines));
      expectStored(acks, await stored(session));
    }
    expect(new Set(acks.map(({ seq }) => seq)).size).toBe(acks.length);
    expect(acks.length).toBeGreaterThan(50);
  });
});

describe("a process whose writes fail", () => {
  it("S5: acknowledges nothing after the first failed write, and what it acknowledged is stored", async () => {
    const session = "ses_a" as SessionId;
    await store.createSession(newSession(session));
    // The system refuses to let any file grow beyond this: a real I/O error in the middle of a commit.
    const lines = await start({ session, name: "limited" }, "trap '' XFSZ; ulimit -f 1024").ended;
    expect(lastOf(lines)).toMatchObject({ said: "error", kind: "store_io" });
    expect(lines.at(-2)).toEqual({ said: "fenced", kind: "store_io", untried: true, reads: true });
    expect(acksIn(lines).length).toBeGreaterThan(0);
    const hashes = await stored(session);
    expectStored(acksIn(lines), hashes);
    expect(hashes.size).toBe(acksIn(lines).length);
  });

  it("because it has no rights is told so, and leaves everything as it was", async () => {
    const session = "ses_a" as SessionId;
    await store.createSession(newSession(session));
    await chmod(directory, 0o755);
    for (const [mode, home] of [
      [0o444, 0o555],
      [0o444, 0o500],
    ] as const) {
      await chmod(path, mode);
      await chmod(join(directory, "home"), home);
      const lines = await start({ session, name: "nobody", unprivileged: true }).ended;
      expect(lines).toMatchObject([{ said: "error", kind: "store_read_only" }]);
    }
    const lines = await start({ path: join(directory, "new", "belay.db"), session, name: "nobody", unprivileged: true })
      .ended;
    // The user may be the owner of the directory, when the tests do not run as root.
    expect(lines).toMatchObject([
      { said: "error", kind: process.getuid?.() === 0 ? "store_read_only" : "session_not_found" },
    ]);
    await chmod(join(directory, "home"), 0o700);
    await chmod(path, 0o600);
    expect((await stored(session)).size).toBe(0);
  });
});
