import { describe, expect, it } from "vitest";
import {
  changeOf,
  configOf,
  confinement,
  DEFAULT_MODEL,
  filledText,
  requireSameConfinement,
  type RunOptions,
  wholeNumber,
} from "../../../src/cli/settings.ts";
import { DEFAULT_LIMITS } from "../../../src/kernel/limits.ts";
import { testConfig } from "../../support/config.ts";

const OPTIONS: RunOptions = { output: "text", sandbox: true };
const NONE = { mode: "none", reason: "bubblewrap is not installed", install: "apt-get install bubblewrap" } as const;
const BWRAP = { mode: "bwrap" } as const;

describe("the sandbox", () => {
  it("is on where there is one", () => {
    expect(confinement(OPTIONS, { sandbox: BWRAP, terminal: false })).toEqual({ mode: "bwrap", approval: "sandbox" });
  });

  it("is replaced by a question for each command where somebody can be asked", () => {
    expect(confinement(OPTIONS, { sandbox: NONE, terminal: true })).toEqual({ mode: "none", approval: "ask" });
  });

  it("is missed where nobody can be asked: the run refuses, and says how to get it", () => {
    expect(() => confinement(OPTIONS, { sandbox: NONE, terminal: false })).toThrow(
      /apt-get install bubblewrap.*--no-sandbox/,
    );
  });

  it("is off only when that was said aloud, also where there is one", () => {
    expect(confinement({ sandbox: false }, { sandbox: BWRAP, terminal: true })).toEqual({
      mode: "none",
      approval: "allow",
    });
  });

  it("stays on in every permission mode", () => {
    const config = configOf(
      { ...OPTIONS, permissionMode: "bypassPermissions" },
      { mode: "bwrap", approval: "sandbox" },
      true,
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
    expect(configOf(OPTIONS, confined, true)).toMatchObject({
      model: DEFAULT_MODEL,
      limits: DEFAULT_LIMITS,
      sandbox: { mode: "bwrap", network: false },
      workspace: { mode: "clone", base: null },
      setup: null,
      verify: null,
    });
  });

  it("works in a copy where there is no repository, and in place when asked", () => {
    expect(configOf(OPTIONS, confined, false).workspace.mode).toBe("copy");
    expect(configOf({ ...OPTIONS, inPlace: true }, confined, true).workspace.mode).toBe("in_place");
  });

  it("refuses a base revision without a clone", () => {
    expect(() => configOf({ ...OPTIONS, base: "main" }, confined, false)).toThrow("--base needs a private clone");
    expect(() => configOf({ ...OPTIONS, base: "main", inPlace: true }, confined, true)).toThrow(
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
    expect(() => requireSameConfinement(confined, { sandbox: NONE, terminal: true })).toThrow(
      /there is none here: bubblewrap is not installed/,
    );
    expect(() => requireSameConfinement(asking, { sandbox: NONE, terminal: false })).toThrow(/nobody is here/);
    requireSameConfinement(confined, { sandbox: BWRAP, terminal: false });
    requireSameConfinement(asking, { sandbox: NONE, terminal: true });
  });
});
