import { describe, expect, it } from "vitest";
import {
  changeOf,
  configOf,
  confinement,
  filledText,
  requireSameConfinement,
  type Surroundings,
  type RunOptions,
  wholeNumber,
  workspaceChoice,
} from "../../../src/cli/settings.ts";
import type { ExternalProbe } from "../../../src/workspace/sandbox/external.ts";
import { DEFAULT_LIMITS } from "../../../src/kernel/limits.ts";
import { testConfig } from "../../support/config.ts";

const OPTIONS: RunOptions = { output: "text" };
const CHOICE = { provider: "anthropic", model: "claude-sonnet-4-5" } as const;
const NONE = { mode: "none", reason: "bubblewrap is not installed", install: "apt-get install bubblewrap" } as const;
const BWRAP = { mode: "bwrap" } as const;
const BARE = { verdict: "contradicted", evidence: [] } as const;
const CONTAINER = { verdict: "confirmed", evidence: ["a Docker container (/.dockerenv)"] } as const;
const UNTOLD = { verdict: "unknown", evidence: [] } as const;

function around(sandbox: Surroundings["sandbox"], terminal: boolean, found: ExternalProbe = BARE): Surroundings {
  return { sandbox, terminal, external: () => found };
}

describe("the sandbox", () => {
  it("is on where there is one", () => {
    expect(confinement(OPTIONS, around(BWRAP, false))).toEqual({ mode: "bwrap", approval: "sandbox" });
  });

  it("is replaced by a question for each command where somebody can be asked", () => {
    expect(confinement(OPTIONS, around(NONE, true))).toEqual({ mode: "none", approval: "ask" });
  });

  it("is missed where nobody can be asked: the run refuses, and says how to get it", () => {
    expect(() => confinement(OPTIONS, around(NONE, false))).toThrow(/apt-get install bubblewrap.*--no-sandbox/);
  });

  it("is off only when that was said aloud, also where there is one", () => {
    for (const sandbox of [false, "none"] as const)
      expect(confinement({ sandbox }, around(BWRAP, true))).toEqual({ mode: "none", approval: "allow" });
  });

  it("that was asked for by name is not replaced by questions", () => {
    expect(() => confinement({ sandbox: "bwrap" }, around(NONE, true))).toThrow("bubblewrap is not installed");
  });

  it("is around belay where that is declared, and the machine confirms it or cannot tell", () => {
    for (const found of [CONTAINER, UNTOLD])
      expect(confinement({ sandbox: "external" }, around(BWRAP, false, found))).toEqual({
        mode: "external",
        approval: "sandbox",
      });
  });

  it("is not around belay on a bare machine, whatever was declared", () => {
    expect(() => confinement({ sandbox: "external" }, around(BWRAP, true, BARE))).toThrow(
      /there is no sign of one.*--no-sandbox/,
    );
  });

  it("that does not start in a container names the declaration, and what it means", () => {
    expect(() => confinement(OPTIONS, around(NONE, false, CONTAINER))).toThrow(
      /--sandbox external: belay runs in a Docker container.*the network included.*none is repeated/,
    );
    expect(() => confinement(OPTIONS, around(NONE, false, BARE))).not.toThrow("external");
  });

  it("stays on in every permission mode", () => {
    const config = configOf(
      { ...OPTIONS, choice: CHOICE, permissionMode: "bypassPermissions" },
      { mode: "bwrap", approval: "sandbox" },
      "clone",
    );
    expect(config).toMatchObject({
      permission_mode: "bypassPermissions",
      sandbox: { mode: "bwrap", network: false },
      approval: "sandbox",
    });
  });
});

describe("the configuration of a run", () => {
  const confined = { mode: "bwrap", approval: "sandbox" } as const;

  it("has safe defaults", () => {
    expect(configOf({ ...OPTIONS, choice: CHOICE }, confined, "clone")).toMatchObject({
      ...CHOICE,
      limits: DEFAULT_LIMITS,
      sandbox: { mode: "bwrap", network: false },
      workspace: { mode: "clone", base: null },
      setup: null,
      verify: null,
    });
  });

  it("works in a copy where there is no repository, and in place when asked", () => {
    const here = { isRepository: true, ci: null };
    expect(workspaceChoice(OPTIONS, confined, here)).toEqual({ mode: "clone", why: null });
    expect(workspaceChoice(OPTIONS, confined, { ...here, isRepository: false })).toEqual({ mode: "copy", why: null });
    expect(workspaceChoice({ inPlace: true }, confined, here)).toEqual({ mode: "in_place", why: null });
  });

  it("works in place by itself only in CI with a boundary around belay, and says why and the way out", () => {
    const external = { mode: "external", approval: "sandbox" } as const;
    const job = { isRepository: true, ci: { name: "GitLab CI", github: false } };
    expect(workspaceChoice({}, external, job)).toEqual({
      mode: "in_place",
      why: expect.stringMatching(/GitLab CI.*--clone/) as string,
    });
    expect(workspaceChoice({ clone: true }, external, job).mode).toBe("clone");
    expect(workspaceChoice({ base: "main" }, external, job).mode).toBe("clone");
    expect(workspaceChoice({}, confined, job).mode).toBe("clone");
    expect(workspaceChoice({}, external, { ...job, ci: null }).mode).toBe("clone");
  });

  it("says of a boundary around belay that commands may use the network: belay cannot keep them from it", () => {
    const external = { mode: "external", approval: "sandbox" } as const;
    expect(configOf({ ...OPTIONS, choice: CHOICE }, external, "in_place").sandbox).toEqual({
      mode: "external",
      network: true,
    });
  });

  it("refuses a base revision without a clone", () => {
    for (const mode of ["copy", "in_place"] as const)
      expect(() => configOf({ ...OPTIONS, choice: CHOICE, base: "main" }, confined, mode)).toThrow(
        "--base needs a private clone",
      );
  });

  it("changes on resume only what was said", () => {
    const before = testConfig({ verify: "npm test" });
    expect(changeOf({ output: "text" })(before)).toEqual(before);
    expect(changeOf({ output: "text", maxTurns: 7, maxMinutes: 5, model: "m" })(before)).toEqual({
      ...before,
      model: "m",
      limits: { ...before.limits, turns: 7, active_ms: 300_000 },
    });
  });
});

describe("a number on the command line", () => {
  it.each(["0", "-1", "1.5", "1e3", "ten", "", "101", "99999999999999999999"])("is refused when it is %j", (text) => {
    expect(() => wholeNumber(100)(text)).toThrow("whole number from 1 to 100");
  });

  it("is taken up to its bound", () => {
    expect([wholeNumber(100)("1"), wholeNumber(100)("100")]).toEqual([1, 100]);
  });
});

describe("a command, a revision or a message of the command line", () => {
  it.each(["", " ", "\t\n"])("is not %j: an empty verification would always pass", (text) => {
    expect(() => filledText(text)).toThrow("It must not be empty.");
  });

  it("is taken as it is", () => {
    expect(filledText(" npm test")).toBe(" npm test");
  });
});

describe("a session that is resumed", () => {
  const confined = { sandbox: { mode: "bwrap", network: false }, approval: "sandbox" } as const;
  const asking = { sandbox: { mode: "none", network: false }, approval: "ask" } as const;

  it("needs the sandbox it was configured with, and the person it asks", () => {
    expect(() => requireSameConfinement(confined, around(NONE, true))).toThrow(
      /there is none here: bubblewrap is not installed/,
    );
    expect(() => requireSameConfinement(asking, around(NONE, false))).toThrow(/nobody is here/);
    requireSameConfinement(confined, around(BWRAP, false));
    requireSameConfinement(asking, around(NONE, true));
  });

  it("needs the boundary around belay that it was configured for", () => {
    const external = { sandbox: { mode: "external", network: true }, approval: "sandbox" } as const;
    expect(() => requireSameConfinement(external, around(BWRAP, true, BARE))).toThrow(
      /was configured for a container or a virtual machine around belay, and there is no sign of one/,
    );
    requireSameConfinement(external, around(NONE, false, CONTAINER));
  });
});
