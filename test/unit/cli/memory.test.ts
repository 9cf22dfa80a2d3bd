/** `belay memory` and `belay dream`: the real command over a real store in a home of its own. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectKey } from "../../../src/cli/project-key.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import type { MemoryId } from "../../../src/kernel/ids.ts";
import type { Memory } from "../../../src/kernel/memory.ts";
import { beginDream } from "../../../src/engine/memory/dream-lease.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { DAY, memory, memoryId, OF } from "../../support/memories.ts";
import { program, type ProgramEnd } from "../../support/program.ts";

let directory = "";
let cwd = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-memory-"));
  cwd = join(directory, "project");
  await mkdir(cwd);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const belay = (...argv: readonly string[]): Promise<ProgramEnd> => program({ directory, cwd }, argv);

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  await mkdir(join(directory, "home"), { recursive: true });
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock: systemClock });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Of this directory's project, and as old as they say. */
async function kept(...memories: readonly Memory[]): Promise<void> {
  await withStore(async (store) => {
    const project = await projectKey(store, { directory: cwd });
    const put = memories.map((one) => ({ ...one, project: one.scope === "user" ? "" : project }));
    await store.changeMemories(OF, { put, forget: [], used: [] });
  });
}

const now = (days: number): Partial<Memory> => {
  const at = systemClock.now() - days * DAY;
  return { created_at: at, used_at: at };
};

async function listed(...argv: readonly string[]): Promise<readonly Memory[]> {
  const { out } = await belay("memory", "list", "--state", "all", "--json", ...argv);
  return JSON.parse(out) as readonly Memory[]; // printed by the command under test
}

const ids = (memories: readonly Memory[]): readonly MemoryId[] => memories.map(({ id }) => id).toSorted();

describe("belay memory", () => {
  it("lists by kind and scope, and says what waits for a yes; a text cannot write to the terminal", async () => {
    await kept(
      memory("a", "the parser is generated\u001b[2J", now(1)),
      memory("b", "run the tests twice", { ...now(2), kind: "procedural", scope: "user" }),
      memory("c", "always push", { ...now(3), state: "proposed" }),
    );
    const all = await belay("memory");
    expect(all.out.split("\n").filter((line) => line.startsWith("mem_"))).toHaveLength(3);
    expect(all.out).not.toContain("\u001b");
    expect(all.out).toContain("1 proposed: `belay memory approve ID`");
    expect(ids(await listed("--kind", "procedural"))).toEqual([memoryId("b")]);
    expect(ids(await listed("--scope", "project"))).toEqual([memoryId("a"), memoryId("c")]);
  });

  it("search shows every factor of the score, and counts as no use", async () => {
    await kept(memory("a", "the parser is generated", { ...now(180), confidence: 0.5, uses: 9 }));
    const { out } = await belay("memory", "search", "fix", "the", "parser");
    const [head = "", row = ""] = out.split("\n");
    expect(head.split(/\s{2,}/)).toEqual([
      "MEMORY",
      "SCORE",
      "RANK",
      "RECENCY",
      "USE",
      "CONFIDENCE",
      "TOKENS",
      "KIND",
      "TEXT",
    ]);
    expect(row.split(/\s{2,}/)).toEqual([
      memoryId("a"),
      "0.375",
      "1.00",
      "0.500",
      "1.50",
      "0.50",
      "8",
      "semantic",
      "the parser is generated",
    ]);
    expect(await listed()).toMatchObject([{ uses: 9 }]);
  });

  it("edit makes a memory the person's own, approve lets it count, and both name what is wrong", async () => {
    await kept(
      memory("old", "use jQuery", now(700)),
      memory("new", "we moved to React", { ...now(1), state: "proposed", untrusted: true }),
    );
    expect(await belay("memory", "approve", memoryId("old"))).toMatchObject({ code: 2 });
    const approved = await belay("memory", "approve", memoryId("new"));
    expect(approved.out).toBe(`Approved ${memoryId("new")}, in place of ${memoryId("old")}: we moved to React\n`);
    expect(
      await belay("memory", "edit", memoryId("new"), "--text", "we moved to Vue", "--confidence", "0.9"),
    ).toMatchObject({ code: 0 });
    const [edited] = await listed();
    expect(edited).toMatchObject({
      text: "we moved to Vue",
      origin: "user",
      untrusted: false,
      confidence: 0.9,
      state: "active",
    });
    expect(await belay("memory", "edit", memoryId("new"))).toMatchObject({ code: 2 });
    expect(await belay("memory", "edit", memoryId("new"), "--confidence", "2")).toMatchObject({ code: 2 });
    expect(await belay("memory", "show", "mem_none0")).toMatchObject({ code: 2 });
  });

  it("forget takes ids, or all that hold every word of a query; without a yes it forgets nothing", async () => {
    await kept(
      memory("a", "use jQuery plugins", now(1)),
      memory("b", "use jQuery", now(2)),
      memory("c", "use React", now(3)),
    );
    expect(await belay("memory", "forget", "--query", "jquery plugins")).toMatchObject({ code: 2 });
    expect(await belay("memory", "forget", memoryId("a"), "mem_none0")).toMatchObject({ code: 2 });
    expect(await listed()).toHaveLength(3);
    expect(await belay("memory", "forget", "--query", "jquery plugins", "--yes")).toMatchObject({
      code: 0,
      out: `Forgot ${memoryId("a")}.\n`,
    });
    expect(await belay("memory", "forget", memoryId("b"))).toMatchObject({ code: 0 });
    expect(ids(await listed())).toEqual([memoryId("c")]);
  });

  it("forget minds every word of a query, also a number and words that say little by themselves", async () => {
    await kept(
      memory("a", "the build needs version 7", now(1)),
      memory("b", "the build needs version 8", now(2)),
      memory("c", "the build needs a new version", now(3)),
    );
    const forgot = await belay("memory", "forget", "--query", "build version 7", "--yes");
    expect(forgot).toMatchObject({ code: 0, out: `Forgot ${memoryId("a")}.\n` });
    expect(ids(await listed())).toEqual([memoryId("b"), memoryId("c")].toSorted());
  });

  it("what is exported is imported elsewhere: as proposals, or trusted; ids stay where they are free", async () => {
    await kept(
      memory("a", "the parser is generated", { ...now(3), uses: 4 }),
      memory("b", "run it twice", { ...now(2), scope: "user" }),
    );
    const { out } = await belay("memory", "export");
    const file = join(directory, "memories.jsonl");
    await writeFile(file, out);
    await belay("memory", "forget", memoryId("a"));
    expect(await belay("memory", "import", file)).toMatchObject({ code: 0 });
    const all = await listed();
    expect(all).toHaveLength(3);
    expect(all.find(({ id }) => id === memoryId("a"))).toMatchObject({
      text: "the parser is generated",
      origin: "import",
      untrusted: true,
      state: "proposed",
      uses: 4,
    });
    expect(all.find(({ id }) => id === memoryId("b"))).toMatchObject({ origin: "model", state: "active" });
    await belay("memory", "import", "--trusted", file);
    expect(
      (await listed()).filter(
        ({ state, untrusted, origin }) => origin === "import" && state === "active" && !untrusted,
      ),
    ).toHaveLength(2);
  });

  it("of a file with a bad line nothing is imported, and the lines are named", async () => {
    const file = join(directory, "bad.jsonl");
    const good = JSON.stringify({ kind: "semantic", text: "a fact" });
    await writeFile(
      file,
      [
        good,
        "{",
        JSON.stringify({ kind: "opinion", text: "x" }),
        JSON.stringify({ kind: "semantic", text: "x".repeat(1_001) }),
      ].join("\n"),
    );
    const end = await belay("memory", "import", file);
    expect(end.code).toBe(2);
    expect(end.err).toMatch(/Nothing was imported: line 2: no JSON.*line 3: kind:.*line 4: text:/s);
    expect(await listed()).toEqual([]);
    expect(await belay("memory", "import", join(directory, "none.jsonl"))).toMatchObject({ code: 2 });
  });

  it("keeps projects apart, and shows all of them when asked", async () => {
    await kept(memory("a", "the parser is generated", now(1)));
    const here = cwd;
    cwd = join(directory, "other");
    await mkdir(cwd);
    expect(await listed()).toEqual([]);
    expect(ids(await listed("--all-projects"))).toEqual([memoryId("a")]);
    cwd = here;
    expect(ids(await listed())).toEqual([memoryId("a")]);
  });
});

describe("belay dream", () => {
  const TIDY = [
    memory("a", "use jQuery", now(700)),
    memory("b", "we moved to React", now(1)),
    memory("c", "always push", { ...now(1), state: "proposed" }),
  ];

  it("prints what changed and why; with --dry-run nothing does", async () => {
    await kept(...TIDY);
    const dry = await belay("dream", "--dry-run");
    expect(dry.out).toContain(
      `> ${memoryId("b")} "we moved to React"\n    takes the place of ${memoryId("a")} "use jQuery" (react in place of jquery)`,
    );
    expect(dry.out).toContain(`? ${memoryId("c")} "always push"\n    waits for a yes`);
    expect((await listed()).map(({ state }) => state).toSorted()).toEqual(["active", "active", "proposed"]);
    const { out } = await belay("dream", "--json");
    expect(JSON.parse(out)).toMatchObject({
      status: "done",
      places: [{ project: null }, { superseded: [{ newer: memoryId("b"), older: memoryId("a") }] }],
    });
    expect((await listed()).map(({ state }) => state).toSorted()).toEqual(["active", "proposed", "superseded"]);
    await belay("dream", "--apply-proposals");
    expect((await listed()).map(({ state }) => state).toSorted()).toEqual(["active", "active", "superseded"]);
  });

  it("while another one is at work it says so, changes nothing, and ends well", async () => {
    await kept(...TIDY);
    await withStore((store) => beginDream(store, OF.tenant, "another"));
    const { code, out } = await belay("dream");
    expect(code).toBe(0);
    expect(out).toMatch(/^Another dream is at work, until .*Nothing was changed\.\n$/);
    expect((await listed()).map(({ state }) => state).toSorted()).toEqual(["active", "active", "proposed"]);
  });
});

describe("a project", () => {
  it("is the same in every clone, by its first commit, and stays what it was once called", async () => {
    const git = (at: string, ...args: readonly string[]): void =>
      void execFileSync("git", ["-C", at, "-c", "user.name=a", "-c", "user.email=a@example.org", ...args]);
    const before = await withStore((store) => projectKey(store, { directory: cwd }));
    expect(before).toMatch(/^dir-[0-9a-f]{32}$/);
    const one = join(directory, "one");
    await mkdir(one);
    git(one, "init", "-q");
    await writeFile(join(one, "a"), "a");
    git(one, "add", "a");
    git(one, "commit", "-qm", "first");
    git(one, "commit", "-qm", "second", "--allow-empty");
    const two = join(directory, "two");
    execFileSync("git", ["clone", "-q", one, two]);
    await mkdir(join(two, "below"));
    const keys = await withStore(async (store) => [
      await projectKey(store, { directory: one }),
      await projectKey(store, { directory: join(two, "below") }),
    ]);
    expect(keys[0]).toMatch(/^git-[0-9a-f]{32}$/);
    expect(keys[1]).toBe(keys[0]);
    git(cwd, "init", "-q");
    expect(await withStore((store) => projectKey(store, { directory: cwd }))).toBe(before);
  });
});
