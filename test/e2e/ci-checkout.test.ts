/**
 * Checkouts as jobs have them: the files of another user (`actions/checkout` writes as the runner's user, the steps of a
 * container are root's), one commit deep, with HEAD detached, submodules not fetched, `.git` as a file, nobody's identity.
 */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { ciPlace, type CiPlace } from "../support/ci.ts";
import { type CliEnd, reportIn, runCli } from "../support/cli.ts";

const RUNNER = 1001;
const IN_PLACE = ["run", "--sandbox", "external", "-o", "json"];
const CLONE = [...IN_PLACE, "--clone"];
/** Works with every tool that writes, and asks git for the state of things. */
const WORK = [
  {
    call: [
      { tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } },
      { tool: "write", input: { path: "new/deep/file.txt", content: "new\n" } },
      { tool: "bash", input: { command: "git status --short && git log --oneline | wc -l && git diff --stat" } },
    ],
  },
  { say: "Done." },
];

function requireRoot(context: TestContext): void {
  if (process.geteuid?.() === 0) return;
  if (process.env["CI"] === "true") throw new Error("With CI=true nothing is skipped: run it as root, in a container");
  context.skip("only root can make the files of another user");
}

function giveAll(path: string, uid: number): void {
  lchownSync(path, uid, uid);
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) giveAll(join(path, name), uid);
}

/** What a user would type there, as whoever owns it. */
function git(directory: string, ...args: string[]): string {
  const words = ["-c", `safe.directory=${directory}`, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args];
  const environment = { ...process.env, GIT_CONFIG_NOSYSTEM: "1", HOME: "/nonexistent", GIT_ALLOW_PROTOCOL: "file" };
  return execFileSync("git", words, { cwd: directory, encoding: "utf8", env: environment, stdio: "pipe" });
}

const ownerOf = (place: CiPlace, path: string): number => lstatSync(join(place.repository, path)).uid;

/** What the model was told by the last tool. */
function lastResult(place: CiPlace): string {
  return JSON.stringify(place.emulator.requests.at(-1)?.body);
}

function expectDone(end: CliEnd): void {
  expect(end.stderr).not.toContain("dubious ownership");
  expect(reportIn(end)).toMatchObject({ outcome: "completed", error: null });
}

describe("a checkout of another user's", () => {
  it("is worked on in place: git answers there, and what is written is its owner's", async (context) => {
    requireRoot(context);
    const place = await ciPlace(WORK);
    giveAll(place.repository, RUNNER);
    chmodSync(place.directory, 0o755);
    expect(() => execFileSync("git", ["status"], { cwd: place.repository, stdio: "pipe" })).toThrow(
      "dubious ownership",
    );
    expectDone(
      await runCli([...IN_PLACE, "--verify", "git diff --quiet; test $? = 1", "work"], place, place.environment),
    );
    expect(lastResult(place)).toContain("M src/app.js");
    const paths = ["src/app.js", "new", "new/deep", "new/deep/file.txt"];
    expect(paths.map((path) => ownerOf(place, path))).toEqual(paths.map(() => RUNNER));
    const back = await runCli(["rollback", "--reason", "no"], place, place.environment);
    expect(back.code).toBe(0);
    expect(readFileSync(join(place.repository, "src/app.js"), "utf8")).toContain("return 1");
    expect(ownerOf(place, "src/app.js")).toBe(RUNNER);
  });

  it("is cloned, compared, and gets the work back by apply as its owner's files", async (context) => {
    requireRoot(context);
    const place = await ciPlace(WORK);
    giveAll(place.repository, RUNNER);
    expectDone(await runCli([...CLONE, "work"], place, place.environment));
    expect((await runCli(["diff"], place, place.environment)).stdout).toContain("+  return 2;");
    expect((await runCli(["apply"], place, place.environment)).code).toBe(0);
    expect(readFileSync(join(place.repository, "src/app.js"), "utf8")).toContain("return 2");
    for (const path of ["src/app.js", "new", "new/deep/file.txt"]) expect(ownerOf(place, path)).toBe(RUNNER);
  });

  it("gets the work back by merge as a commit on its branch", async (context) => {
    requireRoot(context);
    const place = await ciPlace(WORK);
    giveAll(place.repository, RUNNER);
    expectDone(await runCli([...CLONE, "work"], place, place.environment));
    expect((await runCli(["merge"], place, place.environment)).code).toBe(0);
    expect(git(place.repository, "show", "--name-only", "--format=", "HEAD").trim().split("\n")).toEqual([
      "new/deep/file.txt",
      "src/app.js",
    ]);
    expect(git(place.repository, "fsck", "--strict")).toBe("");
  });

  it("whose configuration would run a program runs none for belay", async (context) => {
    requireRoot(context);
    const place = await ciPlace([{ call: [{ tool: "read", input: { path: "notes.txt" } }] }, { say: "Done." }]);
    const trap = join(place.directory, "trap");
    writeFileSync(trap, `#!/bin/sh\ntouch ${join(place.directory, "sprung")}\n`, { mode: 0o755 });
    appendFileSync(
      join(place.repository, ".git/config"),
      `[core]\n\tfsmonitor = ${trap}\n\thooksPath = ${place.directory}\n`,
    );
    giveAll(place.repository, RUNNER);
    expectDone(await runCli([...CLONE, "work"], place, place.environment));
    expect(readdirSync(place.directory)).not.toContain("sprung");
  });

  it("that belay may only read is cloned all the same, and the refusal of apply names what to do", async (context) => {
    requireRoot(context);
    const place = await ciPlace(WORK);
    mkdirSync(place.home, { recursive: true });
    chmodSync(place.directory, 0o755);
    giveAll(place.home, RUNNER);
    const as_runner = { uid: RUNNER, gid: RUNNER };
    expectDone(await runCli([...CLONE, "work"], place, place.environment, "", as_runner));
    const apply = await runCli(["apply"], place, place.environment, "", as_runner);
    expect(apply.code).not.toBe(0);
    expect(apply.stderr).toContain("permissions");
    expect(git(place.repository, "status", "--short")).toBe("?? uncommitted.txt\n");
  });
});

describe("a checkout", () => {
  it.each([
    [
      "one commit deep",
      (place: CiPlace, at: string) => {
        writeFileSync(join(place.repository, "second"), "2\n");
        git(place.repository, "add", "-A");
        git(place.repository, "commit", "-qm", "second");
        git(place.directory, "clone", "-q", "--depth", "1", `file://${place.repository}`, at);
      },
    ],
    [
      "with HEAD detached",
      (place: CiPlace, at: string) => {
        git(place.directory, "clone", "-q", place.repository, at);
        git(at, "checkout", "-q", "--detach");
      },
    ],
    [
      "with a submodule that was not fetched",
      (place: CiPlace, at: string) => {
        git(place.directory, "clone", "-q", place.repository, at);
        git(at, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", place.repository, "sub");
        git(at, "commit", "-qm", "sub");
        git(at, "submodule", "--quiet", "deinit", "-f", "sub");
      },
    ],
    [
      "that is a worktree, with .git as a file",
      (place: CiPlace, at: string) => {
        git(place.repository, "worktree", "add", "-q", "--detach", at);
      },
    ],
  ] as const)("%s is worked on in place and in a clone", async (_name, make) => {
    const place = await ciPlace([...WORK]);
    const checkout = join(place.directory, "checkout");
    make(place, checkout);
    const at = { ...place, repository: checkout };
    expectDone(await runCli([...CLONE, "work"], at, place.environment));
    expect(readFileSync(join(checkout, "src/app.js"), "utf8")).toContain("return 1");
    expect((await runCli(["apply"], at, place.environment)).code).toBe(0);
    expect(git(checkout, "status", "--short", "src", "new")).toBe(" M src/app.js\n?? new/\n");
    git(checkout, "stash", "-q", "--include-untracked");
    expectDone(await runCli([...IN_PLACE, "work"], at, place.environment));
    expect(git(checkout, "status", "--short", "src", "new")).toBe(" M src/app.js\n?? new/\n");
  });

  it("with HEAD detached has no branch to merge into: that is said, with the way that works", async () => {
    const place = await ciPlace(WORK);
    git(place.repository, "checkout", "-q", "--detach");
    expectDone(await runCli([...CLONE, "work"], place, place.environment));
    const merge = await runCli(["merge"], place, place.environment);
    expect(merge.code).not.toBe(0);
    expect(merge.stderr).toMatch(/HEAD of .* is detached[\s\S]*belay apply/);
  });
});
