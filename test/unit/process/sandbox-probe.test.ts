import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { probeProgram, probeSandbox } from "../../../src/workspace/sandbox/probe.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "belay-probe-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function program(script: string): string {
  const path = join(directory, "bwrap");
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

describe("the probe of the sandbox", () => {
  it("says what to install where there is none", async () => {
    expect(await probeProgram(null)).toEqual({
      mode: "none",
      reason: "bubblewrap is not installed",
      install: "apt-get install bubblewrap",
    });
  });

  it("fails closed where it is installed and does not start, and says why and what to change", async () => {
    const probe = await probeProgram(program('echo "bwrap: setting up uid map: Permission denied" >&2; exit 1'));
    expect(probe).toMatchObject({
      mode: "none",
      reason: "bubblewrap is installed but does not start: bwrap: setting up uid map: Permission denied",
    });
    expect(probe.mode === "none" && probe.install).toMatch(/^the kernel forbids user namespaces/);
    expect(await probeProgram(program("exit 1"))).toMatchObject({ mode: "none" });
  });

  it("does without switching user namespaces off where the version does not know how", async () => {
    const old = program(
      'case "$*" in --version) echo "bubblewrap 0.4.0";; *--disable-userns*) echo "Unknown option" >&2; exit 1;; esac',
    );
    expect(await probeProgram(old)).toEqual({
      mode: "bwrap",
      version: "0.4.0",
      program: old,
      namespaces: ["--unshare-all"],
    });
  });

  it("is made once in a process", () => {
    expect(probeSandbox()).toBe(probeSandbox());
  });
});
