/** `belay prompts`, in real repositories, with lock files as people and merges leave them. */
import { lstatSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import Sqlite from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { SYSTEM_PARTS, SYSTEM_PROMPT } from "../../../src/context/system-prompt.ts";
import { hashOf } from "../../../src/kernel/envelope.ts";
import { builtInTools } from "../../../src/tool/registry.ts";
import { say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { testHost } from "../../support/host.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { start } from "../../support/session.ts";
import { repositoryWith, temporaryDirectory, userGit, writeFiles } from "../workspace/given.ts";

const LOCK = "belay.prompts.lock";
const SKILL = ".claude/skills/release/SKILL.md";

let directory = "";
let repository = "";
beforeEach(() => {
  directory = temporaryDirectory();
  repository = repositoryWith({
    "AGENTS.md": "Be brief.\n",
    [SKILL]: "---\nname: release\ndescription: How to release\n---\nTag it.\n",
    ".claude/agents/scout.md": "---\nname: scout\ndescription: Looks\n---\nLook.\n",
    ".claude/rules/api/http.md": "Say which status.\n",
    "prompts/one.md": "One.\n",
    "prompts/deep/two.md": "Two.\n",
    ".belay/settings.json": JSON.stringify({ prompts: ["prompts/*.md"] }),
  });
});

function belay(...argv: readonly string[]): Promise<ProgramEnd> {
  return program({ directory, cwd: repository }, ["prompts", ...argv]);
}

async function json(...argv: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { out, err } = await belay(...argv, "--json");
  if (out === "") throw new Error(err);
  return JSON.parse(out) as Readonly<Record<string, unknown>>; // printed by the command under test
}

function write(path: string, text: string): void {
  writeFiles(repository, { [path]: text });
}

function lockFile(): string {
  return readFileSync(join(repository, LOCK), "utf8");
}

describe("belay prompts list", () => {
  it("names belay's own prompts and the project's, each with size, hash and whether it is locked", async () => {
    const { prompts, directory: top } = await json("list");
    expect(top).toBe(repository);
    const listed = prompts as readonly { kind: string; name: string; hash: string; status: string; text?: string }[];
    expect(listed.filter(({ kind }) => kind === "system").map(({ name }) => name)).toEqual([
      ...SYSTEM_PARTS.map(({ name }) => name),
      "order",
    ]);
    expect(listed.filter(({ kind }) => kind === "tool").map(({ name }) => name)).toEqual([
      ...builtInTools().map(({ name }) => name),
      "order",
    ]);
    expect(listed.flatMap(({ kind, name }) => (kind === "system" || kind === "tool" ? [] : [[kind, name]]))).toEqual([
      ["instructions", "AGENTS.md"],
      ["rule", ".claude/rules/api/http.md"],
      ["skill", SKILL],
      ["agent", ".claude/agents/scout.md"],
      ["prompt", "prompts/one.md"],
    ]);
    expect(listed.find(({ name }) => name === "AGENTS.md")?.hash).toBe(hashOf("Be brief.\n"));
    expect(new Set(listed.map(({ status }) => status))).toEqual(new Set(["not locked"]));
    expect(listed.every(({ text }) => text === undefined)).toBe(true);
  });

  it("is the same wherever in the repository one stands, and shows what a lock makes of it", async () => {
    await belay("lock");
    write("AGENTS.md", "Be long.\n");
    write("src/a.ts", "");
    const { out } = await program({ directory, cwd: join(repository, "src") }, ["prompts"]);
    expect(out).toMatch(/^instructions +\d+ +[0-9a-f]{12} +changed +project +AGENTS\.md$/m);
    expect(out).toMatch(/^system +\d+ +[0-9a-f]{12} +locked +belay +work$/m);
  });

  it("says that a pattern names nothing, and refuses one that leads out of the project", async () => {
    write(".belay/settings.json", JSON.stringify({ prompts: ["none/*.md", "prompts/**/*.md"] }));
    const { notes, prompts } = await json("list");
    expect(notes).toEqual(['no file is named by "none/*.md"']);
    expect(
      (prompts as readonly { kind: string; name: string }[]).filter(({ kind }) => kind === "prompt"),
    ).toMatchObject([{ name: "prompts/deep/two.md" }, { name: "prompts/one.md" }]);
    for (const glob of ["../*.md", "/etc/*", "a/../../b"]) {
      write(".belay/settings.json", JSON.stringify({ prompts: [glob] }));
      expect(await belay("list")).toMatchObject({
        code: 2,
        err: expect.stringContaining("within the project") as string,
      });
    }
  });
});

describe("belay prompts show", () => {
  it("prints a text by its name, by kind and name, or by the beginning of its hash", async () => {
    expect((await belay("show", "system")).out).toBe(`${SYSTEM_PROMPT}\n`);
    for (const name of ["AGENTS.md", "instructions AGENTS.md", hashOf("Be brief.\n").slice(0, 8)])
      expect((await belay("show", name)).out).toBe("Be brief.\n\n");
    expect(JSON.parse((await belay("show", "bash")).out)).toMatchObject({ name: "bash" });
    expect(await json("show", SKILL)).toMatchObject({
      kind: "skill",
      text: expect.stringContaining("Tag it.") as string,
    });
  });

  it("says which prompts there are where a name fits none, and asks where it fits several", async () => {
    expect(await belay("show", "nothing")).toMatchObject({
      code: 2,
      err: expect.stringContaining('"system role"') as string,
    });
    expect(await belay("show", "order")).toMatchObject({
      code: 2,
      err: expect.stringContaining('"tool order"') as string,
    });
  });

  it("shows what a file says to the terminal as text, whatever it would have it do", async () => {
    write("AGENTS.md", "a\u001b]0;owned\u0007b\u202Ec\n");
    expect((await belay("show", "AGENTS.md")).out).not.toMatch(/[\u001b\u0007\u202E]/);
  });
});

describe("belay prompts lock and check", () => {
  it("fail without a lock, hold after it, and name each change with the way to accept it", async () => {
    expect(await belay("check")).toMatchObject({
      code: 2,
      err: expect.stringContaining("belay prompts lock") as string,
    });
    expect(await belay("lock")).toMatchObject({ code: 0 });
    const before = lockFile();
    expect(await belay("check")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+ prompts as locked\.\n$/) as string,
    });
    write("AGENTS.md", "Be long.\n");
    write(".claude/agents/other.md", "---\nname: other\n---\n");
    rmSync(join(repository, "prompts/one.md"));
    const { code, out } = await belay("check");
    expect(code).toBe(3);
    expect(out).toContain("~ instructions AGENTS.md changed\n");
    expect(out).toContain("+ agent .claude/agents/other.md is new\n");
    expect(out).toContain("- prompt prompts/one.md is gone\n");
    expect(out).toContain("belay prompts lock");
    expect(await json("check")).toMatchObject({
      equal: false,
      changed: [{ kind: "instructions", name: "AGENTS.md", from: hashOf("Be brief.\n"), to: hashOf("Be long.\n") }],
      added: [{ name: ".claude/agents/other.md" }],
      removed: [{ name: "prompts/one.md" }],
    });
    expect(lockFile()).toBe(before);
    await belay("lock");
    expect(await belay("check")).toMatchObject({ code: 0 });
  });

  it("fail when belay's own prompt is not the one that was locked, and show the difference from the lock alone", async () => {
    await belay("lock");
    const [part] = SYSTEM_PARTS;
    if (part === undefined) throw new Error("there are parts");
    const older = "You are an older agent.";
    const locked = JSON.parse(lockFile()) as { prompts: { name: string; hash: string; text?: string[] }[] };
    const entry = locked.prompts.find(({ name }) => name === part.name);
    Object.assign(entry ?? {}, { hash: hashOf(older), text: [older] });
    write(LOCK, JSON.stringify(locked));
    expect(await belay("check")).toMatchObject({
      code: 3,
      out: expect.stringContaining(`~ system ${part.name} changed`) as string,
    });
    const { out } = await belay("diff");
    expect(out).toContain(`-${older}\n`);
    expect(out).toContain(`+${part.text}\n`);
    expect((await belay("diff", "system")).out).toContain(`-${older}\n`);
  });

  it("annotate each change on GitHub, where nothing that a file is called can be taken for a command", async () => {
    await belay("lock");
    write(".claude/rules/x::error::%0A.md", "New.\n");
    write("AGENTS.md", "Be long.\n");
    const { code, out } = await onGitHub("check");
    expect(code).toBe(3);
    const commands = out.split("\n").filter((line) => line.startsWith("::"));
    expect(commands).toHaveLength(2);
    expect(commands[0]).toMatch(
      /^::error title=a prompt is not as locked,file=AGENTS\.md::instructions AGENTS\.md changed/,
    );
    expect(commands[1]).toContain("%250A");
  });

  it("refuse a lock file that a merge, a person or a link broke; a new lock mends it", async () => {
    await belay("lock");
    const whole = lockFile();
    const broken = {
      "merge conflict": `<<<<<<< HEAD\n${whole}=======\n${whole}>>>>>>> other\n`,
      "no JSON": whole.slice(0, 100),
      "edited by hand": whole.replace("You work alone", "You work together"),
      "no UTF-8": "",
    };
    for (const [why, text] of Object.entries(broken)) {
      write(LOCK, text);
      if (why === "no UTF-8") writeFiles(repository, { [LOCK]: Buffer.from([0xff, 0xfe]) });
      expect(await belay("check")).toMatchObject({ code: 2, err: expect.stringContaining(why) as string });
      expect((await belay("list")).out).toContain(why);
    }
    expect(await belay("lock")).toMatchObject({ code: 0 });
    expect(lockFile()).toBe(whole);
  });

  it("write nothing through a link, and read none that leads out of the repository", async () => {
    const outside = join(directory, "profile");
    writeFiles(directory, { profile: "export PATH\n" });
    symlinkSync(outside, join(repository, LOCK));
    expect(await belay("check")).toMatchObject({ code: 2, err: expect.stringContaining("leads out") as string });
    expect(await belay("lock")).toMatchObject({ code: 0 });
    expect(readFileSync(outside, "utf8")).toBe("export PATH\n");
    expect(lstatSync(join(repository, LOCK)).isFile()).toBe(true);
  });

  it("say that the lock's name is taken, and leave nothing beside it", async () => {
    writeFiles(repository, { [`${LOCK}/x`]: "" });
    expect(await belay("lock")).toMatchObject({
      code: 1,
      err: expect.stringContaining("could not be written") as string,
    });
    expect(userGit(repository, "status", "--porcelain")).toBe(`?? ${LOCK}/\n`);
  });

  it("name a prompt that is too large, no text, or a link out of the repository; neither locks nor passes it", async () => {
    await belay("lock");
    writeFiles(directory, { "secret.md": "a secret\n" });
    symlinkSync(join(directory, "secret.md"), join(repository, "prompts/out.md"));
    write("prompts/big.md", "x".repeat(2 * 1024 * 1024));
    writeFiles(repository, { "prompts/one.md": Buffer.from([0xff]) });
    const { code, out } = await belay("check");
    expect(code).toBe(3);
    expect(out).toContain("! prompt prompts/big.md cannot be read: it has more than 1048576 bytes\n");
    expect(out).toContain("! prompt prompts/out.md cannot be read: it leads out of the directory\n");
    expect(out).toContain("! prompt prompts/one.md cannot be read: it is no UTF-8 text\n");
    expect(out).not.toContain("one.md is gone");
    const before = lockFile();
    expect(await belay("lock")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Nothing was locked") as string,
    });
    expect(lockFile()).toBe(before);
    expect((await belay("list")).out).toContain("unreadable");
  });

  it("follow links within the repository, and count nothing of the user's own", async () => {
    symlinkSync("AGENTS.md", join(repository, "CLAUDE.md"));
    writeFiles(directory, { ".claude/CLAUDE.md": "mine\n", ".claude/rules/own.md": "mine\n" });
    const { prompts } = await json("list");
    const listed = prompts as readonly { kind: string; name: string; hash: string }[];
    expect(listed.find(({ name }) => name === "CLAUDE.md")?.hash).toBe(hashOf("Be brief.\n"));
    expect(JSON.stringify(listed)).not.toContain("own.md");
  });
});

describe("belay prompts diff", () => {
  it("finds the text of a project's file that was locked in its commits, also some commits ago", async () => {
    await belay("lock");
    write("AGENTS.md", "Be long.\n");
    userGit(repository, "add", "-A");
    userGit(repository, "commit", "-qm", "longer");
    write("AGENTS.md", "Be longer.\n");
    const { code, out } = await belay("diff", "AGENTS.md");
    expect(code).toBe(0);
    expect(out).toContain(`--- instructions AGENTS.md (${LOCK})\n+++ instructions AGENTS.md (present)\n`);
    expect(out).toContain("-Be brief.\n+Be longer.\n");
    expect((await belay("diff", SKILL)).out).toBe(`${SKILL} does not differ.\n`);
  });

  it("says so where that text is nowhere", async () => {
    write("prompts/one.md", "Never committed.\n");
    await belay("lock");
    write("prompts/one.md", "Another.\n");
    expect(await belay("diff", "prompts/one.md")).toMatchObject({
      code: 1,
      err: expect.stringContaining("its hash alone") as string,
    });
  });
});

describe("prompts of sessions", () => {
  it("are shown, compared and set, and their versions printed", async () => {
    const { one, older } = await sessions();
    expect((await belay("show", "system", "--session", one)).out).toBe(`${SYSTEM_PROMPT}\n`);
    expect((await belay("show", "bash", "--session", one)).out).not.toBe(
      (await belay("show", "bash", "--session", older)).out,
    );
    const { out } = await belay("diff", "--session", older, "--against", one);
    expect(out).toMatch(/^\+ +"description": "Run it\."/m);
    expect((await belay("diff", "--session", one)).out).toBe("Nothing differs.\n");
    const versions = await program({ directory, cwd: repository }, ["sessions", "show", one, "--versions"]);
    expect(versions.out).toMatch(/^tool +[0-9a-f]{64} +bash$/m);
    expect(await belay("pin", older)).toMatchObject({ code: 0 });
    expect((await belay("diff", "--session", older)).out).toBe("Nothing differs.\n");
    expect((await belay("pin", older)).out).toContain("already");
    const report = await program({ directory, cwd: repository }, ["sessions", "show", older, "--versions", "--json"]);
    const { pins } = JSON.parse(report.out) as { pins: readonly { reason: string }[] };
    expect(pins.map(({ reason }) => reason)).toEqual(["start", "repin"]);
    expect(await belay("pin", older, "--from", "ses_nobody")).toMatchObject({ code: 2 });
  });

  it("that are gone from the store are said to be, with a way on", async () => {
    const { one, older } = await sessions();
    const database = new Sqlite(join(directory, "home", "belay.db"));
    database.exec("DELETE FROM blob_refs; DELETE FROM blobs;");
    database.close();
    for (const argv of [
      ["show", "system", "--session", one],
      ["diff", "--session", older],
    ])
      expect(await belay(...argv)).toMatchObject({
        code: 1,
        err: expect.stringContaining("belay prompts pin") as string,
      });
    expect(await belay("pin", one, "--from", older)).toMatchObject({ code: 1 });
    expect(await belay("pin", older)).toMatchObject({ code: 0 });
    expect((await belay("show", "system", "--session", older)).out).toBe(`${SYSTEM_PROMPT}\n`);
  });
});

/** One of this version, and one of a version whose bash says something else. */
async function sessions(): Promise<{ readonly one: string; readonly older: string }> {
  const home = join(directory, "home");
  const place = { directory, home, repository };
  const host = await testHost({ home, model: scriptedModel([say("One."), say("Two.")]) });
  const one = await start(host, place);
  await one.done;
  const tools = host.tools.map((tool) => (tool.name === "bash" ? { ...tool, description: "Run it." } : tool));
  const older = await start({ ...host, tools }, place);
  await older.done;
  await host.store.close();
  return { one: one.session, older: older.session };
}

async function onGitHub(...argv: readonly string[]): Promise<ProgramEnd> {
  const stream = new PassThrough();
  const texts = stream.setEncoding("utf8").toArray();
  const out = new OutputStream(stream, { colors: false, redraws: false });
  const environment = readEnvironment(
    { BELAY_HOME: join(directory, "home"), HOME: directory, GITHUB_ACTIONS: "true" },
    directory,
  );
  const code = await runProgram(["prompts", ...argv], {
    ...{ environment, cwd: repository, stdin: Readable.from([]) },
    ...{ out, err: out },
  });
  stream.end();
  return { code, out: (await texts).join(""), err: "" };
}
