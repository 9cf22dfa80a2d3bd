import { describe, expect, it } from "vitest";
import { noPermissionSettings, type PermissionSettings } from "../../../src/cli/permission-settings.ts";
import { noSettings, type Settings } from "../../../src/cli/resolved-settings.ts";
import { startPolicy } from "../../../src/cli/session-policy.ts";
import { changeOf, configOf as configured, type StartChoice } from "../../../src/cli/session-config.ts";
import {
  type CommonOptions,
  confinement,
  filledText,
  requireSameConfinement,
  type Surroundings,
  type RunOptions,
  wholeNumber,
  workspaceChoice,
} from "../../../src/cli/settings.ts";
import type { ExternalProbe } from "../../../src/workspace/sandbox/external.ts";
import { DEFAULT_BUDGET, NO_CAP } from "../../../src/kernel/budget.ts";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { DEFAULT_LIMITS } from "../../../src/kernel/limits.ts";
import { NO_FALLBACK } from "../../../src/kernel/model-policy.ts";
import { nanoDollars } from "../../../src/kernel/money.ts";
import { testConfig } from "../../support/config.ts";

const OPTIONS: RunOptions = { output: "text" };
const CHOICE = { provider: "anthropic", model: "claude-sonnet-4-5" } as const;
const NONE = { mode: "none", reason: "bubblewrap is not installed", install: "apt-get install bubblewrap" } as const;
const BWRAP = { mode: "bwrap" } as const;
const BARE = { verdict: "contradicted", evidence: [] } as const;
const CONTAINER = { verdict: "confirmed", evidence: ["a Docker container (/.dockerenv)"] } as const;
const UNTOLD = { verdict: "unknown", evidence: [] } as const;

const SETTINGS = noSettings("/home/a/belay");
const CONFINED = { mode: "bwrap", approval: "sandbox" } as const;

const NO_PERMISSION_SETTINGS: PermissionSettings = noPermissionSettings();
/** As the settings come to, the command line being one of them. */
const policyOf = (options: Partial<RunOptions>): StartChoice["policy"] =>
  startPolicy(options, { ...NO_PERMISSION_SETTINGS, mode: options.permissionMode ?? null }, true);

const configOf = (
  options: Partial<RunOptions>,
  choice: Partial<StartChoice> = {},
  settings: Settings = SETTINGS,
): ReturnType<typeof configured> =>
  configured(
    { ...OPTIONS, ...options },
    { model: CHOICE, confined: CONFINED, workspace: "clone", policy: policyOf(options), ...choice },
    settings,
  );
/** Somebody is there, and no settings say anything about permissions. */
const changing = (options: CommonOptions, settings: Settings): ReturnType<typeof changeOf> =>
  changeOf(options, { settings, permissions: NO_PERMISSION_SETTINGS, person: true });
const sameConfinement = (
  config: Pick<SessionConfig, "sandbox" | "approval">,
  here: Surroundings,
): ReturnType<typeof requireSameConfinement> => requireSameConfinement({ ...testConfig(), ...config }, here);
const money = (dollars: number): ReturnType<typeof nanoDollars> => nanoDollars(dollars * 1e9);
const before: SessionConfig = testConfig({ verify: "npm test", models: NO_FALLBACK, budget: DEFAULT_BUDGET });

describe("--phase", () => {
  it("names a phase that the session goes through, where it goes through phases", () => {
    const phase = [{ name: "plan", amount: { tokens: 10_000 } as never }]; // only the name is looked at
    expect(() => configOf({ phases: ["explore"], phase })).toThrow("does not go through");
    expect(configOf({ phases: ["explore", "plan"], phase }).phases.map(({ name }) => name)).toEqual([
      "explore",
      "plan",
    ]);
    expect(configOf({ phase }).phases).toEqual([]);
  });
});

describe("--context-window", () => {
  it("is refused where it leaves no room beside an answer", () => {
    expect(() => configOf({ contextWindow: 8_000 })).toThrow("no room beside an answer");
    expect(configOf({ contextWindow: 16_000 }).context.window).toBe(16_000);
    expect(() => changing({ ...OPTIONS, contextWindow: 100 }, SETTINGS)(before)).toThrow("no room beside an answer");
  });
});

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
    expect(configOf({ permissionMode: "bypassPermissions" })).toMatchObject({
      permission_mode: "bypassPermissions",
      sandbox: { mode: "bwrap", network: false },
      approval: "sandbox",
    });
  });
});

describe("the configuration of a run", () => {
  it("has safe defaults", () => {
    expect(configOf({})).toMatchObject({
      ...CHOICE,
      models: NO_FALLBACK,
      budget: {
        caps: [{ ...NO_CAP, scope: "session", cost: money(5), strict: false }],
        alert_at: 0.8,
        turn_alert: null,
      },
      limits: DEFAULT_LIMITS,
      sandbox: { mode: "bwrap", network: false },
      workspace: { mode: "clone", base: null },
      setup: null,
      verify: null,
    });
  });

  it("works in a copy where there is no repository, and in place when asked", () => {
    const here = { isRepository: true, ci: null };
    expect(workspaceChoice(OPTIONS, CONFINED, here)).toEqual({ mode: "clone", why: null });
    expect(workspaceChoice(OPTIONS, CONFINED, { ...here, isRepository: false })).toEqual({ mode: "copy", why: null });
    expect(workspaceChoice({ inPlace: true }, CONFINED, here)).toEqual({ mode: "in_place", why: null });
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
    expect(workspaceChoice({}, CONFINED, job).mode).toBe("clone");
    expect(workspaceChoice({}, external, { ...job, ci: null }).mode).toBe("clone");
  });

  it("says of a boundary around belay that commands may use the network: belay cannot keep them from it", () => {
    const external = { mode: "external", approval: "sandbox" } as const;
    expect(configOf({}, { confined: external, workspace: "in_place" }).sandbox).toEqual({
      mode: "external",
      network: true,
    });
  });

  it("refuses a base revision without a clone", () => {
    for (const mode of ["copy", "in_place"] as const)
      expect(() => configOf({ base: "main" }, { workspace: mode })).toThrow("--base needs a private clone");
  });

  it("changes on resume only what was said", () => {
    expect(changing({ output: "text" }, SETTINGS)(before)).toEqual(before);
    expect(changing({ output: "text", maxTurns: 7, maxMinutes: 5, model: "m" }, SETTINGS)(before)).toEqual({
      ...before,
      model: "m",
      limits: { ...before.limits, turns: 7, active_ms: 300_000 },
    });
  });
});

describe("the caps of a session", () => {
  const capsOf = (options: Partial<RunOptions>, settings?: Settings): SessionConfig["budget"]["caps"] =>
    configOf(options, {}, settings).budget.caps;

  it("are strict where money was asked for, and stand beside each other by scope", () => {
    expect(
      capsOf({
        budget: money(2),
        turnBudget: money(0.5),
        phase: [
          { name: "plan", amount: { cost: null, tokens: 10_000 } },
          { name: "plan", amount: { cost: money(1), tokens: null } },
        ],
        group: [{ name: "team", cost: money(9) }],
      }),
    ).toEqual([
      { ...NO_CAP, scope: "session", cost: money(2), strict: true },
      { ...NO_CAP, scope: "turn", cost: money(0.5), strict: true },
      { ...NO_CAP, scope: "phase:plan", cost: money(1), tokens: 10_000, strict: true },
      { ...NO_CAP, scope: "group:team", cost: money(9), strict: true },
    ]);
  });

  it("come from the command line first, then from the user, and never above what the machine allows", () => {
    const user: Settings = {
      ...SETTINGS,
      caps: [{ ...NO_CAP, scope: "session", cost: money(8), strict: true }],
    };
    const machine = { from: "/etc/x.json", caps: [{ ...NO_CAP, scope: "session", cost: money(3), strict: true }] };
    expect(capsOf({}, user)[0]).toMatchObject({ cost: money(8), strict: true });
    expect(capsOf({ budget: money(9) }, user)[0]).toMatchObject({ cost: money(9) });
    expect(capsOf({}, { ...user, ceiling: machine })).toEqual([
      { ...NO_CAP, scope: "session", cost: money(3), strict: true },
    ]);
    expect(capsOf({ budget: money(2) }, { ...user, ceiling: machine })[0]).toMatchObject({ cost: money(2) });
    expect(() => capsOf({ budget: money(4) }, { ...user, ceiling: machine })).toThrow(
      /cap of \$4\.00 for session is more than the \$3\.00 that \/etc\/x\.json allows/,
    );
  });

  it("of the machine hold for a session that is resumed, however it was started", () => {
    const ceiling = {
      from: "/etc/x.json",
      caps: [{ ...NO_CAP, scope: "phase:plan", tokens: 500 }],
    };
    const change = changing({ output: "text" }, { ...SETTINGS, ceiling });
    expect(change(before).budget.caps).toEqual([...DEFAULT_BUDGET.caps, ceiling.caps[0]]);
  });

  it("are raised by a resume, and nothing else with them", () => {
    const change = changing({ output: "text", budget: money(10) }, SETTINGS);
    expect(change(before)).toEqual({
      ...before,
      budget: { ...DEFAULT_BUDGET, caps: [{ ...NO_CAP, scope: "session", cost: money(10), strict: true }] },
    });
  });

  it("give no alert before they are reached where none is wanted", () => {
    const settings = { ...SETTINGS, budget: { alert_at: 0.5, turn_alert: money(1) } };
    expect(configOf({}, {}, settings).budget).toMatchObject({ alert_at: 0.5, turn_alert: money(1) });
    expect(configOf({ alert: false }, {}, settings).budget).toMatchObject({ alert_at: null, turn_alert: null });
    expect(configOf({ turnAlert: money(2) }, {}, settings).budget).toMatchObject({ turn_alert: money(2) });
  });
});

describe("the models of a session", () => {
  const settings: Settings = {
    ...SETTINGS,
    aliases: { fast: "anthropic/claude-haiku-4-5" },
    model: { fallback: ["fast"], patience: 5_000, phases: { plan: "openai/gpt-5.5" } },
  };
  const fast = { provider: "anthropic", model: "claude-haiku-4-5" };
  const gpt = { provider: "openai", model: "gpt-5.5" };

  it("are those of the settings, by their aliases, unless the command line says others", () => {
    expect(configOf({}, {}, settings).models).toEqual({
      ...NO_FALLBACK,
      fallback: [fast],
      patience_ms: 5_000,
      phases: { plan: gpt },
    });
    expect(
      configOf({ fallback: ["gpt-5.5", "fast"], fallbackOn: ["budget"], patience: 0 }, {}, settings).models,
    ).toMatchObject({ fallback: [gpt, fast], fallback_on: ["budget"], patience_ms: 0 });
    expect(changing({ output: "text", model: "fast" }, settings)(before)).toMatchObject(fast);
  });

  it("name what leads nowhere", () => {
    expect(() => configOf({ fallback: ["slow"] }, {}, settings)).toThrow(
      '"slow" is neither provider/model nor an alias',
    );
  });

  it("are refused where they are not allowed, wherever they are named", () => {
    const allowed = [{ patterns: ["anthropic/*"], from: "/etc/x.json" }];
    const narrow: Settings = { ...SETTINGS, aliases: settings.aliases, allowed };
    expect(configOf({ fallback: ["fast"] }, {}, narrow).models.fallback).toEqual([fast]);
    const asked: readonly (() => unknown)[] = [
      () => configOf({}, { model: { provider: "openai", model: "gpt-5.5" } }, narrow),
      () => configOf({ fallback: ["gpt-5.5"] }, {}, narrow),
      () => configOf({}, {}, { ...settings, allowed }),
      () => changing({ output: "text", model: "gpt-5.5" }, narrow)(before),
      () => changing({ output: "text" }, narrow)({ ...before, models: { ...NO_FALLBACK, fallback: [gpt] } }),
    ];
    for (const ask of asked)
      expect(ask).toThrow(/openai\/gpt-5\.5 is not allowed by \/etc\/x\.json\. Choose one of: anthropic\/\*/);
  });

  it("of a phase is left to the session's own on a resume where it is not allowed any more", () => {
    const allowed = [{ patterns: ["anthropic/*"], from: "/etc/x.json" }];
    const change = changing({ output: "text" }, { ...SETTINGS, allowed });
    const phases = { plan: gpt, work: fast };
    expect(change({ ...before, models: { ...NO_FALLBACK, phases } }).models.phases).toEqual({ work: fast });
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
    expect(() => sameConfinement(confined, around(NONE, true))).toThrow(
      /there is none here: bubblewrap is not installed/,
    );
    expect(() => sameConfinement(asking, around(NONE, false))).toThrow(/nobody is here/);
    sameConfinement(confined, around(BWRAP, false));
    sameConfinement(asking, around(NONE, true));
  });

  it("needs the boundary around belay that it was configured for", () => {
    const external = { sandbox: { mode: "external", network: true }, approval: "sandbox" } as const;
    expect(() => sameConfinement(external, around(BWRAP, true, BARE))).toThrow(
      /was configured for a container or a virtual machine around belay, and there is no sign of one/,
    );
    sameConfinement(external, around(NONE, false, CONTAINER));
  });
});
