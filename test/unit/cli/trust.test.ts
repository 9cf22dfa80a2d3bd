/** `belay trust`: what is shown, what is remembered, and what a run asks a person once. */
import * as fs from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, it } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import type { Face } from "../../../src/cli/face.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { permissionsOf, settledPermissions } from "../../../src/cli/project-trust.ts";
import { readTrust } from "../../../src/extension/trust-store.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { repositoryWith, temporaryDirectory, userGit, writeFiles } from "../workspace/given.ts";

const ALLOW = { permissions: { allow: ["Bash(npm test)"], deny: ["Read(./.env)"] } };

let directory = "";
let repository = "";
beforeEach(() => {
  directory = temporaryDirectory();
  repository = repositoryWith({ ".claude/settings.json": JSON.stringify(ALLOW), "sub/a.txt": "a" });
});

const trust = (...args: readonly string[]): Promise<ProgramEnd> =>
  program({ directory, cwd: repository }, ["trust", ...args]);
const trustedPaths = (): readonly string[] => readTrust(join(directory, "home")).directories.map(({ path }) => path);
const pending = async (): Promise<number> => (await permissionsOf(faceOf(), { cwd: repository })).trust.pending.length;
const settings = (content: unknown): void =>
  writeFiles(repository, { ".claude/settings.json": JSON.stringify(content) });

/** Somebody who types this at the question. */
function faceOf(typed = ""): Face {
  const stdin = Object.assign(new PassThrough(), { isTTY: true as const });
  const out = new OutputStream(new PassThrough().resume(), { colors: false, redraws: false });
  // After what was typed ahead is thrown away.
  stdin.once("resume", () => stdin.once("resume", () => stdin.write(typed)));
  return {
    environment: readEnvironment({ BELAY_HOME: join(directory, "home"), HOME: directory }, directory),
    cwd: repository,
    stdin,
    out,
    err: out,
  };
}

describe("belay trust", () => {
  it("shows what would count, and trusts it when told to", async () => {
    const shown = [
      `${repository} is not trusted. Without effect until it is:`,
      "  + allow rule Bash(npm test)  (.claude/settings.json)",
      "Counts already:",
      "    deny rule Read(./.env)  (.claude/settings.json)",
    ];
    const asked = await trust();
    expect(asked.out.trimEnd().split("\n")).toEqual(shown);
    expect([asked.code, asked.err]).toEqual([2, expect.stringContaining("Nobody is here to be asked")]);
    expect([trustedPaths(), await pending()]).toEqual([[], 1]);

    const end = await trust("--yes");
    expect(end).toEqual({ code: 0, out: [...shown, "Trusted, exactly as it is: 2 items.", ""].join("\n"), err: "" });
    expect([trustedPaths(), await pending()]).toEqual([[repository], 0]);
    expect((await trust()).out).toContain(`${repository} is trusted as it is.`);
  });

  it("shows the difference when files changed since", async () => {
    await trust("--yes");
    settings({ permissions: { allow: ["Bash(npm test)", "Bash(make \u202e)", "Bash(make x)"] } });
    expect((await trust("--yes")).out.split("\n").slice(0, 4)).toEqual([
      expect.stringContaining('settings.json: permissions.allow has "Bash(make'),
      `! .claude/settings.json: deny Read(./.env) was removed since it was trusted, and counts until that is trusted`,
      `${repository} changed since it was trusted:`,
      "  + allow rule Bash(make x)  (.claude/settings.json)",
    ]);
    expect(await pending()).toBe(0);
  });

  it("is about the whole repository, from any directory of it, and about a directory without one", async () => {
    await program({ directory, cwd: repository }, ["trust", "sub", "--yes"]);
    const plain = temporaryDirectory();
    writeFiles(plain, { ".belay/settings.json": JSON.stringify(ALLOW) });
    await trust(plain, "-y");
    expect(trustedPaths()).toEqual([repository, plain]);
    expect((await trust(join(plain, "none"))).code).toBe(2);
  });

  it("with --json says all that and changes nothing without --yes", async () => {
    const before = JSON.parse((await trust("--json")).out) as Record<string, unknown>;
    expect(before).toMatchObject({
      directory: repository,
      trusted: false,
      pending: [{ file: ".claude/settings.json", kind: "allow", text: "Bash(npm test)" }],
      files: [{ path: ".claude/settings.json", origin: "project", tracked: true, trusted: false, counts: false }],
    });
    expect(trustedPaths()).toEqual([]);
    expect(JSON.parse((await trust("--json", "--yes")).out)).toMatchObject({ trusted: true, hash: before["hash"] });
    expect(trustedPaths()).toEqual([repository]);
  });

  it("lists what is trusted, whether it changed, and revokes it, also where it is gone", async () => {
    expect((await trust("--list")).out).toBe("No directory is trusted.\n");
    const other = repositoryWith({ ".claude/settings.json": JSON.stringify(ALLOW) });
    await trust("--yes");
    await trust(other, "--yes");
    settings({ permissions: { allow: ["Bash(make)"] } });
    fs.rmSync(other, { recursive: true });
    const { directories } = JSON.parse((await trust("--list", "--json")).out) as { directories: unknown };
    expect(directories).toMatchObject([
      { path: repository, items: 2, state: "changed" },
      { path: other, items: 2, state: "gone" },
    ]);
    expect((await trust("--list")).out).toMatch(/^TRUSTED +ITEMS +NOW +DIRECTORY\n.*changed.*\n.*gone/);
    expect((await trust("--revoke", other)).out).toBe(`${other} is trusted no longer.\n`);
    expect((await trust("--revoke")).out).toBe(`${repository} is trusted no longer.\n`);
    expect((await trust("--revoke")).out).toBe(`${repository} was not trusted.\n`);
    expect([trustedPaths(), await pending()]).toEqual([[], 1]);
  });

  it("remembers nothing where nothing needs it", async () => {
    settings({ permissions: { deny: ["Read(./.env)"] } });
    expect((await trust("--yes")).out).toContain(`${repository} only restricts: that counts without trust.`);
    settings({});
    expect((await trust("--yes")).out).toContain("nothing is to be trusted");
    expect(trustedPaths()).toEqual([]);
  });
});

describe("a run", () => {
  const line =
    "! Without effect: 1 allow rule of .claude/settings.json: this directory is not trusted. `belay trust` shows them.";

  async function settled(
    typed: string,
    person = true,
  ): Promise<{ readonly said: readonly string[]; readonly allows: number }> {
    const said: string[] = [];
    const ask = { output: new PassThrough().resume() };
    const { rules } = await settledPermissions(faceOf(typed), {
      cwd: repository,
      person,
      say: (text) => said.push(text),
      ask,
    });
    return { said, allows: rules.filter(({ behavior }) => behavior === "allow").length };
  }

  it("that nobody watches goes on without them, and says so in one line", async () => {
    expect(await settled("", false)).toEqual({ said: [line], allows: 0 });
    expect(trustedPaths()).toEqual([]);
  });

  it("asks a person, and a yes counts at once and from then on", async () => {
    const first = await settled("y\n");
    expect(first.said).toEqual([
      expect.stringContaining(`${repository} has settings of its own that wait for your trust:`),
      "  + allow rule Bash(npm test)  (.claude/settings.json)",
    ]);
    expect(first.allows).toBe(1);
    expect(await settled("")).toEqual({ said: [], allows: 1 });
  });

  it("asks once: after a no it only says it, until the files change", async () => {
    expect((await settled("n\n")).said).toHaveLength(3);
    expect(await settled("y\n")).toEqual({ said: [line], allows: 0 });
    settings({ permissions: { allow: ["Bash(make)"] } });
    userGit(repository, "status");
    expect((await settled("y\n")).allows).toBe(1);
  });
});
