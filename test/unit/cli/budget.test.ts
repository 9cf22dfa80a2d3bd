/** `belay budget`, and what a run says about money before it starts: the real command, a real store in a home of its own. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/host/system-clock.ts";
import type { LedgerScope } from "../../../src/kernel/ledger-scopes.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { nanoDollars, NO_MONEY } from "../../../src/kernel/money.ts";
import type { Store } from "../../../src/store/port.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";

let directory = "";
let cwd = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-budget-"));
  cwd = join(directory, "project");
  await mkdir(cwd);
  await writeFile(join(cwd, "a.txt"), "a\n");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function belay(...argv: readonly string[]): Promise<ProgramEnd> {
  return program({ directory, cwd }, argv);
}

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock: systemClock });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** A call that was reserved and settled in all periods and in a session. */
async function spent(session: string, dollars: number, tokens: number): Promise<void> {
  await withStore(async (store) => {
    const day = new Date(await store.now()).toISOString().slice(0, 10);
    const scopes = ["tenant", `month:${day.slice(0, 7)}`, `day:${day}`, `session:${session}`].map(
      (scope): LedgerScope => ({
        scope,
        cost: null,
        tokens: null,
        strict: false,
        opening: { cost: NO_MONEY, tokens: 0 },
      }),
    );
    const cost = nanoDollars(dollars * 1e9);
    const call = `call-${session}`;
    await store.moveLedger(LOCAL_TENANT, { reserve: [{ call, scopes, cost, tokens }], settle: [] });
    const settled = { call, cost, tokens, unknown_cost: NO_MONEY, unknown_tokens: 0 };
    await store.moveLedger(LOCAL_TENANT, { reserve: [], settle: [settled] });
  });
}

describe("belay budget", () => {
  it("sets what is named, keeps the rest, and clears what is named", async () => {
    const caps = (): Promise<unknown> => withStore((store) => store.tenantCaps(LOCAL_TENANT));
    expect((await belay("budget", "set", "--daily", "20", "--monthly", "300")).out).toBe(
      "The cap of a day is $20.00.\nThe cap of a month is $300.00.\n",
    );
    expect((await belay("budget", "set", "--daily-tokens", "2M")).out).toBe(
      "The cap of a day is $20.00 and 2,000,000 tokens.\n",
    );
    const day = { cost: 20e9, tokens: 2_000_000 };
    expect(await caps()).toEqual({ day, month: { cost: 300e9, tokens: null } });
    await belay("budget", "clear", "--monthly");
    expect(await caps()).toEqual({ day });
    await belay("budget", "clear");
    expect(await caps()).toEqual({});
  });

  it("refuses what is no cap, and changes nothing then", async () => {
    for (const wrong of [["--daily", "-1"], ["--daily", "0"], ["--total-tokens", "x"], ["--daily"]])
      expect((await belay("budget", "set", "--monthly", "5", ...wrong)).code).toBe(2);
    expect((await belay("budget", "set")).err).toContain("No cap was named.");
    expect(await withStore((store) => store.tenantCaps(LOCAL_TENANT))).toEqual({});
  });

  it("shows caps, what was spent in each period, and the dearest sessions first, within 80 columns", async () => {
    await spent("ses_01aaaaaaaaaaaaaaaaaaaaaaaa", 0.5, 100);
    await spent("ses_01bbbbbbbbbbbbbbbbbbbbbbbb", 2, 4_000);
    await belay("budget", "set", "--daily", "20");
    const { out } = await belay("budget");
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^PERIOD +CAP +SPENT +UNKNOWN +RESERVED +LEFT$/);
    expect(out).toMatch(/^today +\$20\.00 +\$2\.50 +\$0\.00 +\$0\.00 +\$17\.50$/m);
    expect(out).toMatch(/^this month +- +\$2\.50 /m);
    expect(out).toMatch(/^ {2}tokens +- +4\.1k /m);
    expect(lines.filter((line) => line.startsWith("ses_")).map((line) => line.split(/ +/).slice(0, 2))).toEqual([
      ["ses_01bbbbbbbbbbbbbbbbbbbbbbbb", "$2.00"],
      ["ses_01aaaaaaaaaaaaaaaaaaaaaaaa", "$0.500"],
    ]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it("shows the same as JSON, to the nano-dollar", async () => {
    await spent("ses_01aaaaaaaaaaaaaaaaaaaaaaaa", 0.000_000_003, 1);
    const { out } = await belay("budget", "show", "--json");
    const shown: unknown = JSON.parse(out);
    expect(shown).toMatchObject({
      money: "nano-dollars",
      complete: true,
      periods: [{ period: "day", cost: 3 }, { period: "month" }, { period: "total", scope: "tenant", tokens: 1 }],
      sessions: [{ scope: "session:ses_01aaaaaaaaaaaaaaaaaaaaaaaa", cost: 3, calls: 1 }],
    });
  });
});

describe("a run with a model whose price is not known", () => {
  const RUN = ["run", "do it", "--no-sandbox", "--model", "ollama/qwen3"];

  it("is refused under a cap of money before anything starts, with the text that sets the price", async () => {
    const { code, err } = await belay(...RUN, "--budget", "2.00");
    expect(code).not.toBe(0);
    expect(err).toContain("The price of ollama/qwen3 is not known, and a cap of money for session was asked for.");
    const settings = join(directory, "home", "settings.json");
    expect(err).toContain(`Set it in ${settings}`);
    const [pasted = ""] = /\{.*\}/.exec(err) ?? [];
    await mkdir(join(directory, "home"), { recursive: true });
    await writeFile(settings, pasted);
    const models = await belay("models", "--json");
    expect(models.code).toBe(0);
    const sessions = await withStore((store) => store.listSessions({ tenant: LOCAL_TENANT, directory: cwd, limit: 1 }));
    expect(sessions).toEqual([]);
  });

  it("is refused under a cap of the day as well", async () => {
    await belay("budget", "set", "--daily", "20");
    const { code, err } = await belay(...RUN);
    expect([code === 0, err]).toEqual([false, expect.stringContaining("`belay budget` has a cap of money (day)")]);
  });

  it("is refused where it is no allowed model, by its alias too", async () => {
    await mkdir(join(directory, "home"), { recursive: true });
    const settings = { aliases: { local: "ollama/qwen3" }, models: { allowed: ["anthropic/*"] } };
    await writeFile(join(directory, "home", "settings.json"), JSON.stringify(settings));
    const { code, err } = await belay("run", "do it", "--no-sandbox", "--model", "local");
    expect([code === 0, err]).toEqual([false, expect.stringContaining("ollama/qwen3 is not allowed by")]);
  });
});
