/** `belay permissions list|audit|diff`, with real settings, a real repository and journals as sessions leave them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { build } from "esbuild";
import { beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { systemClock } from "../../../src/host/system-clock.ts";
import { thisProcess } from "../../../src/host/lease-owner.ts";
import type { Clock } from "../../../src/kernel/clock.ts";
import type { Draft } from "../../../src/kernel/events/index.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import type { PermissionRule } from "../../../src/kernel/permissions.ts";
import { FINDING_KINDS } from "../../../src/policy/audit/finding.ts";
import { openJournal } from "../../../src/store/journal.ts";
import { createRedactor } from "../../../src/store/redaction.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { newSummary } from "../../../src/store/summary.ts";
import { memoryVault } from "../../../src/store/vault.ts";
import { testConfig } from "../../support/config.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { repositoryWith, temporaryDirectory, userGit, writeFiles } from "../workspace/given.ts";
import { answered, ids, toolFinished, toolUse } from "./sealed-events.ts";

const DAY_MS = 86_400_000;
const FILE = ".claude/settings.json";

let directory = "";
let repository = "";
beforeEach(() => {
  directory = temporaryDirectory();
  repository = repositoryWith({ [FILE]: settingsText({ allow: ["Bash(npm test)"], deny: ["Read(./.env)"] }) });
});

function settingsText(permissions: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ permissions });
}

function settings(permissions: Readonly<Record<string, unknown>>): void {
  writeFiles(repository, { [FILE]: settingsText(permissions) });
}

function belay(...argv: readonly string[]): Promise<ProgramEnd> {
  return program({ directory, cwd: repository }, ["permissions", ...argv]);
}

interface Shown {
  readonly code: number;
  readonly json: Readonly<Record<string, unknown>> & {
    readonly findings?: readonly Readonly<Record<string, unknown>>[];
  };
}

async function json(...argv: readonly string[]): Promise<Shown> {
  const { code, out, err } = await belay(...argv, "--json");
  if (out === "") throw new Error(err);
  return { code, json: JSON.parse(out) as Shown["json"] }; // printed by the command under test
}

function kindsOf({ json: { findings = [] } }: Shown): readonly unknown[] {
  return findings.map(({ kind }) => kind);
}

function rule(text: string, source: PermissionRule["source"] = "project"): PermissionRule {
  const [behavior = "", ...words] = text.split(" ");
  return { behavior: behavior as PermissionRule["behavior"], rule: words.join(" "), source }; // the tests below write one of the three
}

interface Facts {
  readonly rules?: readonly PermissionRule[];
  readonly source?: string;
  readonly days_ago?: number;
  readonly drafts?: readonly Draft[];
}

async function session({ rules = [], source = repository, days_ago = 0, drafts = [] }: Facts = {}): Promise<SessionId> {
  const clock: Clock = { ...systemClock, now: () => systemClock.now() - days_ago * DAY_MS };
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock });
  const id = ids.session();
  const place = { cwd: source, source, directory: join(directory, "home/sessions", id) };
  const who = { tenant: LOCAL_TENANT, principal: LOCAL_PRINCIPAL, session: id, root: id, trace: ids.trace() };
  await store.createSession({ ...who, place, priority: 0, summary: newSummary("work", "m") });
  const lease = await store.claim({ tenant: LOCAL_TENANT, session: id, owner: thisProcess(), ttl_ms: 60_000 });
  const redactor = createRedactor({ known: [], vault: memoryVault() });
  const journal = await openJournal({ store, tenant: LOCAL_TENANT, session: id, lease, redactor, spans: ids });
  await journal.append([
    { kind: "SessionCreated", data: { title: "work" } },
    { kind: "SessionConfigured", data: { config: testConfig({ permissions: { rules: [...rules], on_ask: "deny" } }) } },
    { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
    ...drafts,
  ]);
  await journal.close();
  await store.close();
  return id;
}

/** So many commands that nobody was there to be asked about. */
function denied(count: number, command: string): readonly Draft[] {
  return Array.from({ length: count }, (): readonly Draft[] => {
    const part = toolUse("bash", { command });
    const judged = {
      call: part.call,
      decision: "deny",
      reason: "nobody is asked here",
      effect: "execute",
      rule: null,
    } as const;
    return [
      ...answered("", [part]).filter(({ kind }) => kind === "ModelCallStarted" || kind === "ModelCallFinished"),
      {
        kind: "ToolJudged",
        data: {
          ...judged,
          parts: [],
          sink: null,
          network_withheld: false,
          brings_in: { untrusted: null, secret: null },
        },
      },
      toolFinished(part, { status: "denied" }),
    ];
  }).flat();
}

describe("belay permissions list", () => {
  it("shows every rule by behaviour, where it is written, and whether it counts", async () => {
    settings({ allow: ["Bash(npm test)", "Bash(sh *)", "Bsh(x)"], deny: ["Read(./.env)"], defaultMode: "plan" });
    writeFiles(directory, {
      "home/settings.json": JSON.stringify({
        permissions: { allow: ["Bash(git log *)", "Bash(python *)"] },
        grants: [{ sink: "network", destination: "a.example.com", label: "untrusted", expires: "2020-01-01" }],
      }),
    });
    const { code, json: shown } = await json("list");
    const facts = (shown["rules"] as readonly Readonly<Record<string, unknown>>[]).map(
      ({ behavior, rule: text, source, file, pointer, counts, why }) =>
        [behavior, text, source, file, pointer, counts, why].join(" | "),
    );
    expect([code, shown["mode"]]).toEqual([0, "plan"]);
    expect(facts).toEqual([
      `deny | Read(./.env) | project | ${FILE} | /permissions/deny/0 | true | `,
      `allow | Bash(npm test) | project | ${FILE} | /permissions/allow/0 | false | It waits for trust: \`belay trust\`.`,
      `allow | Bash(sh *) | project | ${FILE} | /permissions/allow/1 | false | It waits for trust: \`belay trust\`.`,
      `allow | Bsh(x) | project | ${FILE} | /permissions/allow/2 | false | It cannot be read.`,
      "allow | Bash(git log *) | user | $BELAY_HOME/settings.json | /permissions/allow/0 | true | ",
      "allow | Bash(python *) | user | $BELAY_HOME/settings.json | /permissions/allow/1 | false | It is left out. `python` runs whatever it is given.",
    ]);
    expect(shown["grants"]).toMatchObject([
      { destination: "a.example.com", counts: false, why: "It is over.", pointer: "/grants/0" },
    ]);
    const { out } = await belay("list");
    expect(out).toMatch(/^mode: plan\n\n +RULE +SOURCE +FILE +STANDING\ndeny +Read/);
  });

  it("counts what is trusted, and says what was removed since", async () => {
    await program({ directory, cwd: repository }, ["trust", "--yes"]);
    settings({ allow: ["Bash(npm test)"] });
    const { json: shown } = await json("list");
    expect(shown["rules"]).toMatchObject([
      { behavior: "deny", rule: "Read(./.env)", counts: true, pointer: null },
      { behavior: "allow", rule: "Bash(npm test)", counts: true },
    ]);
  });

  it("loads nothing that reads commands", async () => {
    const entry = "src/cli/commands/permissions-list.ts";
    const root = join(import.meta.dirname, "../../..");
    const options = {
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      format: "esm",
      packages: "external",
      logLevel: "silent",
    } as const;
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outdir: "nowhere",
      splitting: true,
      ...options,
    });
    const loaded = new Set([entry]);
    for (const path of loaded)
      for (const { path: to, kind } of metafile.inputs[path]?.imports ?? [])
        if (kind === "import-statement") loaded.add(to);
    expect(loaded).toContain("src/policy/rules/rule.ts");
    expect(
      [...loaded].filter((path) => /tree-sitter|src\/policy\/(?:shell|audit\/history)|better-sqlite3/.test(path)),
    ).toEqual([]);
  });
});

describe("belay permissions audit", () => {
  it("ends with 0 where nothing is wrong, and says what that rests on", async () => {
    await session({ drafts: denied(4, "git log") });
    const { code, out } = await belay("audit");
    expect([code, out]).toEqual([
      0,
      expect.stringContaining("Rests on 1 session of this project in 30 days, and 4 calls judged in them: too few"),
    ]);
    expect(out).toContain("Nothing found.");
  });

  it("ends with 1 where something is, and prints the exact edit as a diff", async () => {
    settings({ allow: ["Bash(npm run *)", "Bash(bash -c *)"] });
    const { code, out } = await belay("audit");
    expect(code).toBe(1);
    expect(out.split("\n").slice(0, 4)).toEqual([
      `high dangerous allow Bash(bash -c *) (${FILE})`,
      "  `bash` runs whatever it is given. belay leaves the rule out; what else reads the file may not.",
      `    @ ${FILE} /permissions/allow/1`,
      '    - "Bash(bash -c *)"',
    ]);
    expect(out).toContain("1 finding: 1 high.");
  });

  it("judges what waits for trust as it will count: a fresh checkout is trusted by nobody", async () => {
    settings({ allow: ["Bash(npm run *)", "Bash(npm run build)"], defaultMode: "bypassPermissions" });
    writeFiles(repository, { ".belay/settings.json": JSON.stringify({ sandbox: { domains: ["*.vercel.app"] } }) });
    expect(kindsOf(await json("audit"))).toEqual(["dangerous", "too_broad", "shadowed"]);
  });

  it("leaves out the kinds that it is told to, and knows no other", async () => {
    settings({ allow: ["Bash(sh *)"] });
    expect((await belay("audit", "--ignore", "dangerous")).code).toBe(0);
    const { code, err } = await belay("audit", "--ignore", "danger");
    expect([code, err]).toEqual([2, expect.stringContaining("There is no kind of finding danger.")]);
    expect((await belay("audit", "--days", "0")).code).toBe(2);
  });

  it("finds in the journals what was denied again and again, and in which file the rule would go", async () => {
    await session({ drafts: denied(3, "git log -3") });
    await session({ drafts: denied(2, "git log") });
    const shown = await json("audit");
    expect([shown.code, shown.json.findings]).toMatchObject([
      1,
      [
        {
          kind: "often_denied",
          edits: [
            {
              file: "$BELAY_HOME/settings.json",
              op: "add",
              pointer: "",
              after: { permissions: { allow: ["Bash(git log *)"] } },
            },
          ],
        },
      ],
    ]);
    expect(shown.json["tools"]).toMatchObject([{ tool: "Bash", judged: 5, stopped: 5, denial_rate: 1 }]);
  });

  it("looks at the sessions of this project and of these days, and at all of them when told to", async () => {
    await session({ drafts: denied(3, "git log") });
    await session({ drafts: denied(3, "git log"), days_ago: 40 });
    await session({ drafts: denied(3, "git log"), source: "/elsewhere" });
    const looked = async (...argv: readonly string[]): Promise<unknown> =>
      (await json("audit", ...argv)).json["looked_at"];
    expect(await looked()).toMatchObject({ sessions: 1, judged: 3, all_projects: false });
    expect(await looked("--days", "60")).toMatchObject({ sessions: 2, judged: 6 });
    expect(await looked("--all-projects")).toMatchObject({
      sessions: 2,
      judged: 6,
      sessions_here: 1,
      all_projects: true,
    });
    expect(kindsOf(await json("audit", "--all-projects"))).toEqual(["often_denied"]);
  });

  it("finds rules that nobody used", async () => {
    for (let i = 0; i < 5; i++)
      await session({ rules: [rule("allow Bash(npm test)")], drafts: denied(10, `make x${i}`) });
    await program({ directory, cwd: repository }, ["trust", "--yes"]);
    expect((await json("audit")).json.findings).toContainEqual(
      expect.objectContaining({
        kind: "never_used",
        pointer: "/permissions/allow/0",
        message: expect.stringContaining("5 sessions") as string,
      }),
    );
  });

  it("names what grew since a commit", async () => {
    settings({ allow: ["Bash(npm test)", "Bash(npm run lint)"] });
    const { json: shown } = await json("audit", "--since", "HEAD");
    expect(shown.findings).toMatchObject([
      {
        kind: "grown",
        severity: "medium",
        message: expect.stringContaining("`Read(./.env)` is no longer denied") as string,
      },
      { kind: "grown", severity: "low", pointer: "/permissions/allow/1", edits: [{ op: "remove" }] },
    ]);
    expect((await belay("audit")).code).toBe(0);
  });

  it("does not let a damaged session keep it from the others", async () => {
    await session({ drafts: denied(5, "git log") });
    const broken = await session({ drafts: denied(5, "git log") });
    const db = new Sqlite(join(directory, "home", "belay.db"));
    db.prepare("update records set body = replace(body, 'git log', 'rm -rf /') where session = ?").run(broken);
    db.close();
    const { json: shown } = await json("audit");
    expect(shown["looked_at"]).toMatchObject({ sessions: 1, damaged: [broken] });
    expect(shown["notes"]).toContainEqual(expect.stringContaining("could not be read"));
  });
});

describe("belay permissions diff", () => {
  it("compares with a day: what the last session before it ran with", async () => {
    const old = await session({
      rules: [rule("allow Bash(make)"), rule("deny Read(./.env)"), rule("allow Bash(x) ", "cli")],
      days_ago: 20,
    });
    const between = await session({ rules: [rule("deny Read(./.env)"), rule("allow Bash(npm test)")], days_ago: 10 });
    await session({ rules: [rule("allow Bash(npm test)")], days_ago: 5 });
    await program({ directory, cwd: repository }, ["trust", "--yes"]);
    const { code, json: shown } = await json("diff", "--since", "2w");
    expect(code).toBe(0);
    expect(shown).toMatchObject({
      since: { session: old, commit: null },
      added: [{ behavior: "allow", rule: "Bash(npm test)", source: "project", first_session: { session: between } }],
      removed: [{ behavior: "allow", rule: "Bash(make)", source: "project" }],
      moved: [],
      mode: null,
    });
    const { out } = await belay("diff", "--since", "2w");
    expect(out.split("\n").slice(1)).toEqual([
      "- allow Bash(make)  (project)",
      expect.stringMatching(new RegExp(`^\\+ allow Bash\\(npm test\\) {2}\\(project, since session ${between} of `)),
      "",
    ]);
  });

  it("compares with the last session here without a moment, and says where there is none", async () => {
    expect((await belay("diff")).out).toMatch(/^note: No session was started here before/);
    await session({ rules: [rule("deny Read(./.env)")] });
    expect((await belay("diff")).out).toMatch(/^since .*:\nNothing changed\.\n$/);
    expect((await belay("diff", "--since", "1w")).out).toMatch(/^note: No session of this project is that old/);
  });

  it("compares with a commit: the project's own files, trusted or not", async () => {
    settings({ ask: ["Bash(npm test)"], deny: ["Read(./.env)"], defaultMode: "acceptEdits" });
    const commit = userGit(repository, "rev-parse", "HEAD").trim();
    const { json: shown } = await json("diff", "--since", "main");
    expect(shown).toMatchObject({
      since: { session: null, commit },
      added: [],
      removed: [],
      moved: [{ rule: "Bash(npm test)", from: { behavior: "allow" }, to: { behavior: "ask" } }],
      mode: { from: null, to: "acceptEdits" },
    });
    userGit(repository, "commit", "-qam", "two");
    expect((await belay("diff", "--since", "HEAD")).out).toContain("Nothing changed.");
    expect((await belay("diff", "--since", "HEAD~1")).out).toContain(
      "~ ask Bash(npm test)  allow (project) → ask (project)",
    );
  });

  it("takes nothing that git would take for something else than a commit", async () => {
    for (const since of ["--output=x", "HEAD..main", "2026-02-31", "nowhere", ":0:x"]) {
      const { code, err } = await belay("diff", `--since=${since}`);
      expect([since, code, err]).toEqual([since, 2, expect.stringMatching(/is no moment|There is no commit/)]);
    }
  });
});

describe("docs/permission-audit.md", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/permission-audit.md"), "utf8");

  it("says what each kind of finding means, and no other", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\|/gm)].map(([, kind]) => kind);
    expect(rows.toSorted()).toEqual([...FINDING_KINDS].sort());
  });

  it("has a job whose commands belay takes", async () => {
    const [, text = ""] = /^```yaml\n([^]*?)^```/m.exec(page) ?? [];
    const { jobs } = parse(text) as {
      readonly jobs: { readonly audit: { readonly steps: readonly { readonly run?: string }[] } };
    }; // else it fails here
    const run = jobs.audit.steps
      .flatMap(({ run: script = "" }) => script.split("\n"))
      .find((line) => line.startsWith("belay "));
    const words = run?.replaceAll(/"\$\{since:-(\w+)\}"/g, "$1").split(" ") ?? [];
    expect(words.slice(0, 3)).toEqual(["belay", "permissions", "audit"]);
    expect(await belay(...words.slice(2))).toMatchObject({ code: 0 });
  });
});
