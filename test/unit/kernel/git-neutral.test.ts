/** What a repository's configuration names is not started while somebody looks, with what `GIT_NEUTRAL` pins. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GIT_NEUTRAL, gitEnvironment } from "../../../src/kernel/git-neutral.ts";

let root = "";
const proof = (): string => join(root, "proof");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "belay-git-neutral-"));
  const evil = join(root, "evil.sh");
  writeFileSync(evil, `#!/bin/sh\ntouch ${proof()}\n`, { mode: 0o755 });
  git(["init", "-q"], {});
  writeFileSync(join(root, "a"), "a\n");
  git(["add", "a"], {});
  git(["-c", "user.name=x", "-c", "user.email=x@localhost", "commit", "-qm", "x"], {});
  writeFileSync(join(root, "a"), "b\n");
  for (const key of ["core.fsmonitor", "core.pager", "pager.log", "gpg.program", "core.sshCommand", "core.editor"]) {
    git(["config", key, evil], {});
  }
  git(["config", "log.showSignature", "true"], {});
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function git(args: readonly string[], env: Readonly<Record<string, string>>): void {
  const base = {
    PATH: process.env["PATH"] ?? "",
    HOME: root,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  execFileSync("git", args, { cwd: root, env: { ...base, ...env }, stdio: "ignore" });
}

describe("git in a repository whose configuration names programs", () => {
  it("starts one of them without it, so that the proof can fail", () => {
    git(["status"], {});
    expect(existsSync(proof())).toBe(true);
  });

  it.each([
    ["status"],
    ["diff"],
    ["log"],
    ["log", "-p"],
    ["show"],
    ["branch", "-a"],
    ["blame", "a"],
    ["stash", "list"],
  ])("%s starts none with it", (...args) => {
    rmSync(proof(), { force: true });
    git(args, gitEnvironment());
    expect(existsSync(proof())).toBe(false);
  });
});

it("knows the keys that cannot be pinned, because their names are free", () => {
  for (const key of ["diff.external", "diff.x.textconv", "filter.lfs.smudge", "merge.x.driver", "include.path"]) {
    expect(key).toMatch(GIT_NEUTRAL.unpinnable);
  }
  expect("diff.algorithm").not.toMatch(GIT_NEUTRAL.unpinnable);
});
