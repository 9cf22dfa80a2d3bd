import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createGit, forUserRepository, lineOf } from "../../../src/workspace/git/git.ts";
import { gitSettings, PATH, repositoryWith, temporaryDirectory } from "./given.ts";

const git = createGit(gitSettings);

describe("the git wrapper", () => {
  test("answers with output and exit code, and fails with the end of what git said", async () => {
    const repository = { git_dir: join(repositoryWith({ a: "a" }), ".git") };
    expect(lineOf(await git({ repository, args: ["cat-file", "-t", "HEAD"] }))).toBe("commit");
    expect((await git({ repository, args: ["rev-parse", "--verify", "-q", "none"], codes: [1] })).code).toBe(1);
    await expect(git({ repository, args: ["cat-file", "-p", "none"] })).rejects.toMatchObject({
      kind: "git_failed",
      message: expect.stringMatching(/cat-file failed with exit code 128: fatal: .*none/) as string,
    });
  });

  test("says when there is no git, and when there is no such directory", async () => {
    const repository = { git_dir: temporaryDirectory() };
    const missing = createGit({ ...gitSettings, path: repository.git_dir });
    await expect(missing({ repository, args: ["version"] })).rejects.toMatchObject({ kind: "git_missing" });
    await expect(git({ repository, cwd: "/no/such", args: ["version"] })).rejects.toMatchObject({ kind: "git_failed" });
  });

  test("GIT3: ends a call at its limit and on abort, with everything it started", async () => {
    const directory = temporaryDirectory();
    const program = join(directory, "slow-git");
    fs.writeFileSync(program, `#!/bin/sh\nsleep 1000 & echo $! > ${directory}/pid\nwait\n`, { mode: 0o755 });
    const slow = createGit({ ...gitSettings, program });
    const repository = { git_dir: directory };
    await expect(slow({ repository, args: ["x"], limit_ms: 300 })).rejects.toMatchObject({ kind: "git_failed" });
    const stop = new AbortController();
    const running = slow({ repository, args: ["x"], signal: stop.signal });
    stop.abort();
    await expect(running).rejects.toMatchObject({ kind: "git_failed" });
    const pid = Number(fs.readFileSync(join(directory, "pid"), "utf8"));
    const state = (): string => {
      try {
        return /\) (\w)/.exec(fs.readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "gone";
      } catch {
        return "gone"; // no such process
      }
    };
    if (fs.existsSync("/proc/self/stat")) expect(["gone", "Z", "X"]).toContain(state());
  });

  test("GIT1: nothing of the environment, the user's or the system's configuration gets in", async () => {
    const directory = temporaryDirectory();
    const program = join(directory, "env-git");
    fs.writeFileSync(program, "#!/bin/sh\nenv\n", { mode: 0o755 });
    const { output } = await createGit({ ...gitSettings, program })({
      repository: { git_dir: directory },
      args: ["x"],
    });
    const names = output
      .toString()
      .split("\n")
      .map((line) => line.split("=")[0] ?? "")
      .filter((name) => !/^(GIT_|PWD$|_$|SHLVL$|OLDPWD$|$)/.test(name));
    expect(names.sort()).toEqual(["HOME", "LC_ALL", "PATH", "SSH_ASKPASS", "TZ", "XDG_CONFIG_HOME"]);
    expect(output.toString()).toContain(`PATH=${PATH}`);
    const { output: system } = await git({
      repository: { git_dir: directory },
      args: ["config", "--list", "--show-scope"],
    });
    expect(system.toString()).not.toMatch(/^(system|global|local)/m);
  });

  test("in a user's repository only plumbing may run", async () => {
    const ask = forUserRepository(git);
    const repository = { git_dir: join(repositoryWith({ a: "a" }), ".git") };
    for (const command of ["status", "add", "checkout", "diff", "commit", "fetch", "gc", "stash"]) {
      expect(() => ask({ repository, args: [command] })).toThrow(
        expect.objectContaining({ kind: "internal" }) as Error,
      );
    }
  });
});
