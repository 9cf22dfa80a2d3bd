/** Sessions that travel in a file from one machine to another: two stores, two homes, two clones of a repository. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Host } from "../../../src/engine/host.ts";
import { deliverSession, diffSession, rollbackSession } from "../../../src/engine/operations.ts";
import { replaySession } from "../../../src/engine/replay/replay.ts";
import { resumeSession } from "../../../src/engine/session.ts";
import { type Imported, importSession, type ImportRequest } from "../../../src/engine/transfer/import.ts";
import { textPart } from "../../../src/kernel/content.ts";
import { LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { loadSession } from "../../../src/store/journal.ts";
import { callTool, say, scriptedModel, type ScriptedStep, think } from "../../../src/testing/scripted-model.ts";
import { manifestOf, userGit, workIn } from "../workspace/given.ts";
import { exportedFile } from "../../support/exported.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, kinds, SANDBOX, start, type TestPlace, testPlace } from "../../support/session.ts";

const CONFINED = {
  sandbox: { mode: SANDBOX, network: false },
  approval: SANDBOX === "bwrap" ? "sandbox" : "allow",
} as const;

interface Machine {
  readonly host: Host;
  readonly place: TestPlace;
}

async function machine(script: readonly ScriptedStep[], place: TestPlace = testPlace()): Promise<Machine> {
  return { host: await testHost({ home: place.home, model: scriptedModel(script) }), place };
}

/** Another machine, with a clone of the first one's repository. */
async function laptop(from: Machine, script: readonly ScriptedStep[] = []): Promise<Machine> {
  const place = testPlace();
  const repository = join(place.directory, "clone");
  userGit(place.directory, "clone", "-q", from.place.repository, repository);
  return machine(script, { ...place, repository });
}

function exported({ host }: Pick<Machine, "host">, session: SessionId): Promise<Buffer> {
  return exportedFile(host, session);
}

async function* inPieces(file: Uint8Array, size = 1_000): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < file.byteLength; from += size) yield file.subarray(from, from + size);
}

function imported({ host, place }: Machine, file: Uint8Array, more: Partial<ImportRequest> = {}): Promise<Imported> {
  const sessions = join(place.home, "sessions");
  return importSession(host, {
    file: inPieces(file),
    cwd: place.repository,
    sessions,
    as_new: false,
    confinement: CONFINED,
    ...more,
  });
}

const WORK: readonly ScriptedStep[] = [
  callTool("write", { path: "one.txt", content: "one\n" }),
  callTool("bash", {
    command: "seq 1 40000; mkdir -m 700 empty; ln -s one.txt link; printf x > run.sh; chmod 750 run.sh",
  }),
  say("Done."),
];

async function worked(
  script: readonly ScriptedStep[] = WORK,
  facts: Parameters<typeof start>[2] = {},
): Promise<Machine & { readonly session: SessionId }> {
  const from = await machine(script);
  const live = await start(from.host, from.place, { approval: CONFINED.approval, ...facts });
  await live.done;
  return { ...from, session: live.session };
}

const resumed = async (
  { host }: Machine,
  session: SessionId,
  message: string,
): Promise<Awaited<ReturnType<typeof resumeSession>>> => {
  const live = await resumeSession(host, { session, message: [textPart(message, { from: "user" })], change: null });
  await live.done;
  return live;
};

/** What a machine has of sessions: nothing must be left of a file that was refused. */
async function left({ host, place }: Machine): Promise<readonly unknown[]> {
  const directory = join(place.home, "sessions");
  const rows = await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 99 });
  return [rows.map((row) => row.session), existsSync(directory) ? readdirSync(directory) : []];
}

describe("a session in a file", () => {
  it("goes on elsewhere under its own id: resumed, looked at, rolled back, merged into a clone of the repository", async () => {
    const ci = await worked();
    const file = await exported(ci, ci.session);
    const home = await laptop(ci, [callTool("write", { path: "two.txt", content: "two\n" }), say("Done.")]);
    const before = manifestOf(home.place.repository);
    const came = await imported(home, file);
    expect(came).toMatchObject({
      session: ci.session,
      connected: true,
      without_files: null,
      exact: true,
      unknown_kinds: [],
    });
    expect(manifestOf(home.place.repository)).toEqual(before);
    const there = join(ci.place.home, "sessions", ci.session, "tree");
    expect(workIn(came.workspace ?? "")).toEqual(workIn(there));
    const recorded = await eventsOf(ci.host, ci.session);
    const events = await eventsOf(home.host, ci.session);
    expect(events.slice(0, recorded.length)).toEqual(recorded);
    expect(kinds(events.slice(recorded.length))).toEqual(["SessionImported"]);
    const live = await resumed(home, ci.session, "and two");
    expect(live.state().end).toMatchObject({ outcome: "completed" });
    const { changes } = await diffSession(home.host, ci.session);
    expect(changes.map(({ path }) => path)).toEqual(["link", "one.txt", "run.sh", "two.txt"]);
    const [first] = live.state().checkpoints;
    await rollbackSession(home.host, ci.session, first?.id ?? null, "look");
    expect(existsSync(join(came.workspace ?? "", "one.txt"))).toBe(false);
    await rollbackSession(home.host, ci.session, live.state().checkpoints.at(-1)?.id ?? null, "back");
    await deliverSession(home.host, ci.session, "merge");
    expect(readFileSync(join(home.place.repository, "two.txt"), "utf8")).toBe("two\n");
    expect(await replaySession(home.host, { session: ci.session })).toMatchObject({ verdict: "equal", findings: [] });
  });

  it("has a private workspace where the repository is not there: looked at and applied, not merged", async () => {
    const ci = await worked();
    const file = await exported(ci, ci.session);
    const home = await machine([]);
    const empty = join(home.place.directory, "empty");
    mkdirSync(empty);
    const came = await imported(home, file, { cwd: empty });
    expect(came).toMatchObject({ connected: false });
    expect((await diffSession(home.host, ci.session)).changes.map(({ path }) => path)).toEqual([
      "link",
      "one.txt",
      "run.sh",
    ]);
    await expect(deliverSession(home.host, ci.session, "merge")).rejects.toMatchObject({ kind: "repo_unsupported" });
    await deliverSession(home.host, ci.session, "apply");
    expect(readFileSync(join(empty, "one.txt"), "utf8")).toBe("one\n");
  });

  it("that worked in the user's own files, as in CI, goes on in a private clone", async () => {
    const ci = await worked(WORK, {
      workspace: { mode: "in_place", base: null },
      sandbox: { mode: "none", network: true },
      approval: "allow",
    });
    const file = await exported(ci, ci.session);
    const home = await laptop(ci, [callTool("bash", { command: "cat one.txt" }), say("Done.")]);
    const came = await imported(home, file);
    expect(came.connected).toBe(true);
    const { state } = await loadSession(home.host.store, LOCAL_TENANT, ci.session);
    expect(state.config).toMatchObject({ workspace: { mode: "clone" }, ...CONFINED });
    expect(existsSync(join(home.place.repository, "one.txt"))).toBe(false);
    const live = await resumed(home, ci.session, "look");
    expect(JSON.stringify(live.state().messages)).toContain("one\\n");
    await deliverSession(home.host, ci.session, "merge");
    expect(readFileSync(join(home.place.repository, "one.txt"), "utf8")).toBe("one\n");
  });

  it("is exported while it is driven, and what was under way there is never taken for ours", async () => {
    const ci = await machine([callTool("bash", { command: "sleep 30" }), say("Never.")]);
    const live = await start(ci.host, ci.place);
    await new Promise<void>((resolve) => {
      live.onEvents((events) => {
        if (events.some((event) => event.kind === "ToolProcessStarted")) resolve();
      });
    });
    const file = await exported(ci, live.session);
    live.cancel("user", "enough");
    await live.done;
    const home = await laptop(ci, [say("I see.")]);
    await imported(home, file);
    const { state } = await loadSession(home.host.store, LOCAL_TENANT, live.session);
    expect(state).toMatchObject({ run: null, processes: [], batch: [] });
    const again = await resumed(home, live.session, "go on");
    expect(JSON.stringify(again.state().messages)).toContain("interrupted: outcome unknown");
    expect(kinds(await eventsOf(home.host, live.session))).not.toContain("RecoveryFinished");
  });

  it("is there once when two import it at the same moment, and what a killed import left stands in nobody's way", async () => {
    const ci = await worked();
    const file = await exported(ci, ci.session);
    const home = await laptop(ci, [say("Fine.")]);
    mkdirSync(join(home.place.home, "sessions", ci.session, "tree"), { recursive: true }); // of an import that was killed
    const ends = await Promise.allSettled([imported(home, file), imported(home, file)]);
    expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(ends.find((end) => end.status === "rejected")?.reason).toMatchObject({ kind: "session_exists" });
    const { state } = await loadSession(home.host.store, LOCAL_TENANT, ci.session);
    expect(state.seq).toBeGreaterThan(0);
    expect((await diffSession(home.host, ci.session)).changes.map(({ path }) => path)).toContain("one.txt");
    expect((await resumed(home, ci.session, "go on")).state().end).toMatchObject({ outcome: "completed" });
  });

  it("leaves nothing beside the sessions, and removes what a killed import left a day ago and nothing else", async () => {
    const ci = await worked();
    const sessions = join(ci.place.home, "sessions");
    const names = [".import-0a", ".export-0b", ".import-0c", ".mine"];
    for (const name of names) mkdirSync(join(sessions, name));
    const days_ago = Date.now() / 1_000 - 2 * 24 * 3_600;
    for (const name of [".import-0a", ".export-0b", ".mine"]) utimesSync(join(sessions, name), days_ago, days_ago);
    await exported(ci, ci.session);
    expect(
      readdirSync(sessions)
        .filter((name) => name.startsWith("."))
        .sort(),
    ).toEqual([".import-0c", ".mine"]);
  });

  it("is not driven where its files are not, before anything is sent, and the way on is said", async () => {
    const ci = await worked([...WORK, say("Never.")]);
    await rename(join(ci.place.home, "sessions", ci.session), join(ci.place.home, "elsewhere"));
    const before = kinds(await eventsOf(ci.host, ci.session));
    await expect(resumed(ci, ci.session, "go on")).rejects.toMatchObject({
      kind: "workspace_missing",
      todo: expect.stringContaining("belay sessions export") as string,
    });
    expect(kinds(await eventsOf(ci.host, ci.session))).toEqual(before);
    await rm(join(ci.place.home, "sessions", ci.session), { recursive: true });
    await rename(join(ci.place.home, "elsewhere"), join(ci.place.home, "sessions", ci.session));
    expect((await resumed(ci, ci.session, "go on")).state().end).toMatchObject({ outcome: "completed" });
  });

  it("is refused where it is already, and comes as a fork when it is asked for", async () => {
    const ci = await worked();
    const file = await exported(ci, ci.session);
    await expect(imported(ci, file)).rejects.toMatchObject({ kind: "session_exists" });
    const came = await imported(ci, file, { as_new: true });
    expect(came.session).not.toBe(ci.session);
    const events = await eventsOf(ci.host, came.session);
    expect(kinds(events.slice(-2))).toEqual(["SessionForked", "SessionImported"]);
    expect(events.at(-1)).toMatchObject({ parent: { session: ci.session }, session: came.session });
    expect(readFileSync(join(came.workspace ?? "", "one.txt"), "utf8")).toBe("one\n");
    expect(await replaySession(ci.host, { session: came.session })).toMatchObject({ verdict: "equal", findings: [] });
  });

  it("carries no secret and no path of the machine, and drops thinking that held a secret", async () => {
    const secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";
    const ci = await worked([
      think(`the key is ${secret}`, callTool("bash", { command: `echo ${secret}; seq 1 100` })),
      say("Done."),
    ]);
    const file = await exported(ci, ci.session);
    const text = gunzipSync(file).toString("latin1");
    expect(text).not.toContain(secret);
    expect(text).not.toContain(ci.place.home);
    const home = await laptop(ci);
    await imported(home, file);
    const { state } = await loadSession(home.host.store, LOCAL_TENANT, ci.session);
    expect(state.thinking_from).toBe(state.messages.length - 1);
  });
});

describe("a file that cannot be trusted", () => {
  it("is refused when it is cut off anywhere, and nothing of it is stored", async () => {
    const ci = await worked([callTool("write", { path: "a", content: "a" }), say("Done.")]);
    const file = await exported(ci, ci.session);
    const home = await laptop(ci);
    for (const share of [0, 0.01, 0.2, 0.5, 0.8, 0.99]) {
      const cut = file.subarray(0, Math.floor(file.byteLength * share));
      await expect(imported(home, cut)).rejects.toMatchObject({ kind: "archive_invalid" });
      const repacked = gzipSync(gunzipSync(file).subarray(0, Math.floor(gunzipSync(file).byteLength * share)));
      await expect(imported(home, repacked)).rejects.toMatchObject({ kind: "archive_invalid" });
    }
    expect(await left(home)).toEqual([[], []]);
  });

  it("is refused when a byte of it was changed, wherever", async () => {
    const ci = await worked([callTool("write", { path: "a", content: "a" }), say("Done.")]);
    const plain = gunzipSync(await exported(ci, ci.session));
    const home = await laptop(ci);
    for (let n = 0; n < 25; n++) {
      const changed = Buffer.from(plain);
      const at = Math.floor((plain.byteLength * (n + 0.5)) / 25);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(imported(home, gzipSync(changed))).rejects.toMatchObject({ kind: "archive_invalid" });
    }
    // Also where nothing else would tell: in what the file says of itself.
    const told = Buffer.from(
      plain.toString("latin1").replace('"belay":"0.0.0-test"', '"belay":"9.9.9-test"'),
      "latin1",
    );
    await expect(imported(home, gzipSync(told))).rejects.toMatchObject({ kind: "archive_invalid" });
    expect(await left(home)).toEqual([[], []]);
  });

  it("is refused when somebody sealed a change anew: another session's events, lost events, foreign names", async () => {
    const ci = await worked();
    const file = gunzipSync(await exported(ci, ci.session));
    const home = await laptop(ci);
    const changes: readonly ((parts: RawPart[]) => readonly RawPart[])[] = [
      (parts) => edited(parts, "session", (text) => text.replace('"tenant":"local"', '"tenant":"other"')),
      (parts) => edited(parts, "session", (text) => text.replace(`"session":"${ci.session}"`, '"session":"../../etc"')),
      (parts) => edited(parts, "session", (text) => text.replace(`"session":"${ci.session}"`, '"session":"ses_other"')),
      (parts) => edited(parts, "session", (text) => text.replace('"version":1', '"version":2')),
      (parts) => edited(parts, "session", (text) => text.replace(/"tree":"[0-9a-f]{40}"/, '"tree":"--output=/tmp/x"')),
      (parts) =>
        edited(parts, "session", (text) => text.replace(/"tree":"[0-9a-f]{40}"/, `"tree":"${"1".repeat(40)}"`)),
      (parts) => edited(parts, "records", (text) => text.split("\n").slice(0, -2).join("\n") + "\n"),
      (parts) => edited(parts, "records", (text) => text.replace("one\\\\n", "two\\\\n")),
      (parts) => parts.filter(({ line }) => line["part"] !== "pack"),
      (parts) => parts.filter(({ line }) => line["part"] !== "blob"),
      (parts) => [...parts.slice(1), ...parts.slice(0, 1)],
      (parts) => [...parts, ...parts.filter(({ line }) => line["part"] === "pack")],
      (parts) =>
        parts.flatMap((part) => (part.line["part"] === "pack" ? [{ ...part, content: Buffer.from("PACK") }] : [part])),
    ];
    for (const [n, change] of changes.entries()) {
      const again = rawFile(change(rawParts(file)));
      await expect(imported(home, again), `change ${n}`).rejects.toMatchObject({ kind: "archive_invalid" });
    }
    expect(await left(home)).toEqual([[], []]);
    expect(await imported(home, rawFile(rawParts(file)))).toMatchObject({ connected: true });
  });

  it("is refused when it unpacks to more than it may, long before that is on the disk", async () => {
    const home = await machine([]);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    await expect(imported(home, bomb)).rejects.toMatchObject({ kind: "archive_invalid" });
    const long = { part: "blob", bytes: 2 ** 40, sha256: "0".repeat(64) };
    await expect(imported(home, gzipSync(Buffer.from(`${JSON.stringify(long)}\n`)))).rejects.toMatchObject({
      kind: "archive_invalid",
    });
    expect(await left(home)).toEqual([[], []]);
  });
});

interface RawPart {
  readonly line: Readonly<Record<string, unknown>>;
  readonly content: Buffer;
}

/** The parts of a file without its end, taken apart by what its head comment says. */
function rawParts(file: Buffer): RawPart[] {
  const parts: RawPart[] = [];
  for (let at = 0; at < file.byteLength;) {
    const end = file.indexOf(10, at);
    const line = JSON.parse(file.subarray(at, end).toString()) as { part: string; bytes: number };
    const content = file.subarray(end + 1, end + 1 + line.bytes);
    at = end + line.bytes + 2;
    if (line.part !== "end") parts.push({ line: { ...line }, content });
  }
  return parts;
}

/** Put together so that every hash of the file is right again. */
function rawFile(parts: readonly RawPart[]): Buffer {
  const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const all = createHash("sha256");
  const framed = (line: Readonly<Record<string, unknown>>, content: Buffer): Buffer => {
    const head = `${JSON.stringify({ ...line, bytes: content.byteLength, sha256: sha(content) })}\n`;
    if (line["part"] !== "end") all.update(head);
    return Buffer.concat([Buffer.from(head), content, Buffer.from("\n")]);
  };
  const body = parts.map(({ line, content }) => framed(line, content));
  const end = { parts: parts.length, sha256: all.digest("hex") };
  return gzipSync(Buffer.concat([...body, framed({ part: "end" }, Buffer.from(JSON.stringify(end)))]));
}

function edited(parts: readonly RawPart[], name: string, change: (text: string) => string): readonly RawPart[] {
  return parts.map((part) =>
    part.line["part"] === name ? { ...part, content: Buffer.from(change(part.content.toString())) } : part,
  );
}
