/** What all settings files come to: which file wins, what waits for trust, and what a file that cannot be understood means. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { createGitFacts } from "../../../src/cli/git-facts.ts";
import {
  noPermissionSettings,
  parseGrant,
  type PermissionRequest,
  type PermissionSettings,
  readPermissionSettings,
} from "../../../src/cli/permission-settings.ts";
import { recordTrust } from "../../../src/cli/project-trust.ts";
import { readSettings } from "../../../src/cli/resolved-settings.ts";
import { findRepository } from "../../../src/workspace/prepare/source.ts";
import { repositoryWith, temporaryDirectory, userGit } from "../workspace/given.ts";

const NOW = Date.parse("2026-06-01T00:00:00Z");

let userHome = "";
let project = "";
beforeEach(() => {
  userHome = temporaryDirectory();
  project = repositoryWith({ "a.txt": "a\n", ".gitignore": "*.local.json\n" });
});

const home = (): string => join(userHome, "belay");
/** Where each of the files is. */
const FILES = {
  managed: () => join(userHome, "managed/belay.json"),
  managed_claude: () => join(userHome, "managed/claude.json"),
  user: () => join(home(), "settings.json"),
  user_claude: () => join(userHome, ".claude/settings.json"),
  project: () => join(project, ".belay/settings.json"),
  project_claude: () => join(project, ".claude/settings.json"),
  local: () => join(project, ".belay/settings.local.json"),
  local_claude: () => join(project, ".claude/settings.local.json"),
  mcp: () => join(project, ".mcp.json"),
} as const;
type Files = { readonly [Name in keyof typeof FILES]?: unknown };

/** As JSON, or as the text itself. */
function given(files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = FILES[name as keyof typeof FILES](); // entries of an object with these keys
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  }
}

function read(changes: Partial<PermissionRequest> = {}): Promise<PermissionSettings> {
  const repository = findRepository(project);
  return readPermissionSettings({
    home: home(),
    userHome,
    project,
    git: repository === null ? null : createGitFacts(repository),
    managed: { belay: FILES.managed(), claude: FILES.managed_claude() },
    now: NOW,
    ...changes,
  });
}

async function trusted(): Promise<PermissionSettings> {
  await recordTrust(home(), (await read()).trust);
  return read();
}

const permissions = (lists: Readonly<Record<string, unknown>>): unknown => ({ permissions: lists });
const rulesOf = ({ rules }: PermissionSettings): readonly string[] =>
  rules.map(({ behavior, rule, source }) => `${source} ${behavior} ${rule}`);
const pendingOf = ({ trust }: PermissionSettings): readonly string[] =>
  trust.pending.map(({ file, kind, text }) => `${file}: ${kind} ${text}`);

describe("rules", () => {
  it("are the union of all files, with who wrote them", async () => {
    given({
      managed: permissions({ deny: ["Bash(rm *)"] }),
      managed_claude: permissions({ ask: ["WebFetch"] }),
      user: permissions({ allow: ["Bash(git status)"] }),
      user_claude: permissions({ allow: ["Read(./docs/**)"] }),
      project: permissions({ deny: ["Read(./.env)"] }),
      project_claude: permissions({ ask: ["Bash(npm publish)"] }),
      local: permissions({ deny: ["Edit(/dist/**)"] }),
      local_claude: permissions({ deny: ["Bash(make)"] }),
    });
    expect(rulesOf(await read({ cli: { rules: [{ behavior: "allow", rule: "Bash(ls)" }] } }))).toEqual([
      "managed deny Bash(rm *)",
      "managed ask WebFetch",
      "cli allow Bash(ls)",
      "local deny Edit(/dist/**)",
      "local deny Bash(make)",
      "project deny Read(./.env)",
      "project ask Bash(npm publish)",
      "user allow Bash(git status)",
      "user allow Read(./docs/**)",
    ]);
  });

  it("of a project that allow wait for trust, those that restrict do not", async () => {
    const lists = { allow: ["Bash(npm test)"], ask: ["Bash(git push)"], deny: ["Read(./.env)"] };
    given({ project: permissions(lists), local_claude: permissions({ allow: ["Bash(make)"] }) });
    const before = await read();
    expect(rulesOf(before)).toEqual(["project deny Read(./.env)", "project ask Bash(git push)"]);
    expect(pendingOf(before)).toEqual([
      ".claude/settings.local.json: allow Bash(make)",
      ".belay/settings.json: allow Bash(npm test)",
    ]);
    expect(before.files.map(({ path, origin, trusted: is, counts }) => [path, origin, is, counts])).toEqual([
      [".claude/settings.local.json", "local", false, false],
      [".belay/settings.json", "project", false, false],
    ]);
    const after = await trusted();
    expect(rulesOf(after)).toContain("project allow Bash(npm test)");
    expect(rulesOf(after)).toContain("local allow Bash(make)");
    expect([pendingOf(after), after.files.every(({ trusted: is, counts }) => is && counts)]).toEqual([[], true]);
  });

  it("that were added after the directory was trusted wait again, and what was trusted goes on", async () => {
    given({ project: permissions({ allow: ["Bash(npm test)"] }) });
    await trusted();
    given({ project: permissions({ allow: ["Bash(npm test)", "Bash(npm run deploy)"] }) });
    const swapped = await read();
    expect(rulesOf(swapped)).toEqual(["project allow Bash(npm test)"]);
    expect(pendingOf(swapped)).toEqual([".belay/settings.json: allow Bash(npm run deploy)"]);
    expect(swapped.files[0]).toMatchObject({ trusted: false, counts: false });
  });

  it("that restricted when the rest was trusted do so until their removal is trusted", async () => {
    given({ project: permissions({ allow: ["Bash(git *)"], deny: ["Bash(git push *)"] }) });
    await trusted();
    given({ project: permissions({ allow: ["Bash(git *)"] }) });
    const weakened = await read();
    expect(rulesOf(weakened)).toEqual(["project allow Bash(git *)", "project deny Bash(git push *)"]);
    expect(weakened.notes).toEqual([
      ".belay/settings.json: deny Bash(git push *) was removed since it was trusted, and counts until that is trusted",
    ]);
    expect(rulesOf(await trusted())).toEqual(["project allow Bash(git *)"]);
  });

  it("of a local file that git tracks are the repository's", async () => {
    given({ local_claude: permissions({ deny: ["Bash(make)"], defaultMode: "plan" }) });
    userGit(project, "add", "-f", ".claude/settings.local.json");
    expect(rulesOf(await read())).toEqual(["project deny Bash(make)"]);
  });

  it("of nobody else count where the machine says so, and that is named", async () => {
    given({
      managed_claude: { allowManagedPermissionRulesOnly: true, ...Object(permissions({ allow: ["Bash(ls)"] })) },
      user: permissions({ allow: ["Bash(make)"] }),
      project_claude: { permissions: { deny: ["Read"] }, sandbox: { filesystem: { denyRead: ["/srv"] } } },
    });
    const found = await read({ cli: { rules: [{ behavior: "allow", rule: "Bash(id)" }] } });
    expect(rulesOf(found)).toEqual([
      "managed allow Bash(ls)",
      "project deny Read(//srv)",
      "project deny Read(//srv/**)",
    ]);
    expect(found.managed_only).toBe("/etc/claude-code/managed-settings.json");
    expect(found.notes.join("\n")).toMatch(/settings\.json: its rules do not count: \/etc\/claude-code/);
    given({ user: { allowManagedPermissionRulesOnly: true } });
    await expect(read()).rejects.toThrow("allowManagedPermissionRulesOnly is not known");
  });
});

describe("single values", () => {
  it("are of the strongest file, belay's before Claude Code's", async () => {
    const order = ["user_claude", "user", "project", "local", "managed_claude", "managed"] as const;
    const modes = ["dontAsk", "default", "acceptEdits", "bypassPermissions", "plan", "dontAsk"];
    const seen: unknown[] = [];
    for (const [n, name] of order.entries()) {
      given({ [name]: permissions({ defaultMode: modes[n] }) });
      seen.push((await trusted()).mode);
    }
    expect(seen).toEqual(modes);
    fs.rmSync(dirname(FILES.managed()), { recursive: true });
    expect((await read({ cli: { mode: "plan" } })).mode).toBe("plan");
  });

  it("of a project count without trust only where they tighten", async () => {
    given({ project: permissions({ defaultMode: "acceptEdits" }) });
    expect(await read()).toMatchObject({ mode: null });
    expect(pendingOf(await read())).toEqual([".belay/settings.json: mode acceptEdits"]);
    given({ project: permissions({ defaultMode: "plan" }) });
    expect([(await read()).mode, pendingOf(await read())]).toEqual(["plan", []]);
    given({ user: permissions({ defaultMode: "plan" }), project: permissions({ defaultMode: "default" }) });
    expect([(await read()).mode, pendingOf(await read())]).toEqual(["plan", [".belay/settings.json: mode default"]]);

    given({
      project: { sandbox: { processes: 10, memory: "1T" }, flow: { public: true } },
      user: { sandbox: { disk: "1G" } },
    });
    expect(await read()).toMatchObject({ limits: { processes: 10, disk_bytes: 2 ** 30 }, public: null });
    expect((await trusted()).limits).toEqual({ processes: 10, memory_bytes: 2 ** 40, disk_bytes: 2 ** 30 });
    expect((await read()).public).toBe(true);
  });

  it("bypassPermissions can be disabled by anybody", async () => {
    given({
      user: permissions({ defaultMode: "bypassPermissions" }),
      project_claude: permissions({ disableBypassPermissionsMode: "disable" }),
    });
    expect(await read({ cli: { mode: "bypassPermissions" } })).toMatchObject({
      mode: null,
      bypass_disabled: ".claude/settings.json",
    });
  });
});

describe("what opens the sandbox or the flow", () => {
  it("counts from the user, and from a project after trust", async () => {
    const open = {
      sandbox: { domains: ["registry.example.com", "*.example.com"], allow_read: ["~/.npmrc"] },
      grants: [{ sink: "network", destination: "registry.example.com", label: "untrusted", expires: "2027-01-01" }],
      permissions: { additionalDirectories: ["../other"] },
    };
    given({ project: open });
    expect(await read()).toMatchObject({ domains: [], allow_read: [], grants: [], additional_directories: [] });
    const whole = {
      domains: ["registry.example.com", "*.example.com"],
      allow_read: ["~/.npmrc"],
      additional_directories: ["../other"],
      grants: [parseGrant("network:registry.example.com:untrusted:2027-01-01")],
    };
    expect(await trusted()).toMatchObject(whole);
    fs.rmSync(FILES.project());
    given({ user: open });
    expect(await read()).toMatchObject(whole);
  });

  it("is taken away by whoever denies it", async () => {
    given({
      user: { sandbox: { domains: ["a.example.com", "*.example.com", "example.org"] } },
      project_claude: { sandbox: { network: { deniedDomains: ["a.example.com"] } } },
    });
    const found = await read();
    expect(found.domains).toEqual(["example.org"]);
    expect(rulesOf(found)).toEqual(["project deny WebFetch(domain:a.example.com)"]);
  });

  it("ends: a grant that is over is named and counts no more", async () => {
    given({ user: { grants: [{ sink: "push", destination: "origin", label: "secret", expires: "2026-06-01" }] } });
    expect(await read()).toMatchObject({ grants: [], notes: [expect.stringContaining("is over")] });
  });
});

describe("Claude Code's settings", () => {
  it("are read for what has a counterpart, and what else of a sandbox they hold is named", async () => {
    given({
      user_claude: {
        model: "opus",
        permissions: { allow: ["Bash(npm run *)", 7, "Bash("], deny: ["FutureTool(x)"], defaultMode: "auto" },
        sandbox: {
          enabled: true,
          network: { allowedDomains: ["Example.com", "*"], allowUnixSockets: ["/x"] },
          filesystem: { denyRead: ["/etc/ssl/", "secrets", "~/.ssh"], denyWrite: ["./x"], allowWrite: ["/tmp"] },
          credentials: { files: [{ path: "~/.netrc", mode: "mask" }], envVars: [] },
        },
      },
    });
    const found = await read();
    expect(rulesOf(found)).toEqual([
      "user allow Bash(npm run *)",
      ...["//etc/ssl", "./secrets", "~/.ssh", "~/.netrc"].flatMap((at) => [
        `user deny Read(${at})`,
        `user deny Read(${at}/**)`,
      ]),
      "user deny Edit(./x)",
      "user deny Edit(./x/**)",
    ]);
    expect([found.domains, found.mode]).toEqual([["example.com"], null]);
    for (const named of [
      "permissions.allow holds what is no text",
      'permissions.allow has "Bash("',
      'permissions.deny has "FutureTool(x)": belay has no such tool',
      'permissions.defaultMode "auto" is no mode',
      "sandbox.enabled has no counterpart",
      "sandbox.network.allowUnixSockets has",
      "sandbox.filesystem.allowWrite has",
      "sandbox.credentials.envVars has",
      'sandbox.network.allowedDomains has "*"',
    ])
      expect(found.notes.filter((note) => note.startsWith(`~/.claude/settings.json: ${named}`))).toHaveLength(1);
  });

  it("name what would start something, for trust", async () => {
    const hook = { matcher: "Bash", hooks: [{ type: "command", command: "./x.sh" }] };
    given({
      project_claude: {
        hooks: { PreToolUse: [hook] },
        env: { A: "1" },
        apiKeyHelper: "./k",
        enableAllProjectMcpServers: true,
      },
      mcp: { mcpServers: { s: { command: "./server" } } },
    });
    const found = await read();
    expect(pendingOf(found)).toEqual([
      '.claude/settings.json: hook PreToolUse {"hooks":[{"command":"./x.sh","type":"command"}],"matcher":"Bash"}',
      '.claude/settings.json: environment A "1"',
      ".claude/settings.json: mcp enableAllProjectMcpServers true",
      '.mcp.json: mcp s {"command":"./server"}',
    ]);
    expect(found.notes).toEqual([".claude/settings.json: apiKeyHelper: belay never runs that"]);
  });

  it("of the home directory are the user's own there, too", async () => {
    given({ user_claude: permissions({ allow: ["Bash(ls)"] }) });
    const found = await read({ project: userHome, git: null });
    expect(rulesOf(found)).toEqual(["user allow Bash(ls)"]);
    expect(found.files.map(({ path }) => path)).toEqual(["~/.claude/settings.json"]);
  });
});

describe("a file that cannot be understood", () => {
  const cases: readonly (readonly [string, keyof typeof FILES, unknown, RegExp])[] = [
    ["no JSON", "project_claude", '{\n "permissions": {,}\n}', /it is no JSON: line 2, column 18/],
    ["no object", "user_claude", "[]", /it is no JSON object, so its deny rules are not known/],
    ["permissions that are none", "project_claude", { permissions: [] }, /permissions is no object, so what it denies/],
    [
      "deny rules that are none",
      "local_claude",
      permissions({ deny: "Read" }),
      /permissions\.deny is no list of texts/,
    ],
    ["a deny rule that is none", "project_claude", permissions({ deny: ["Bash("] }), /permissions\.deny has "Bash\("/],
    ["a tool misspelt", "project_claude", permissions({ deny: ["Bassh(rm *)"] }), /Was `Bash` meant/],
    [
      "a denied path that is none",
      "user_claude",
      { sandbox: { filesystem: { denyRead: [1] } } },
      /denyRead is no list/,
    ],
    [
      "a key that belay does not know",
      "project",
      permissions({ alow: [] }),
      /line 3, permissions\.alow is not known; known are allow/,
    ],
    ["a project's model", "project", { model: {} }, /model is not known; known are permissions, grants, sandbox, flow/],
    [
      "a grant for everything",
      "user",
      { grants: [{ sink: "network", destination: "*", label: "secret" }] },
      /must name somebody/,
    ],
    ["a domain for everything", "user", { sandbox: { domains: ["*"] } }, /sandbox\.domains\[0\]: It must be a host/],
    ["a deny rule of belay's own that is none", "managed", permissions({ deny: ["Bash("] }), /permissions\.deny has/],
  ];
  it.each(cases)("refuses, and names the file: %s", async (_, name, content, named) => {
    given({ [name]: content });
    const failure = expect(read()).rejects;
    await failure.toMatchObject({ kind: "config_invalid", message: expect.stringMatching(named) as string });
    await expect(read()).rejects.toThrow(FILES[name]());
  });

  it("also when it is a pipe, leads out, or is too large; and nothing of what a link led to is repeated", async () => {
    const path = FILES.project_claude();
    fs.mkdirSync(dirname(path));
    execFileSync("mkfifo", [path]);
    await expect(read()).rejects.toThrow("it is no file, so what it denies is not known");
    fs.rmSync(path);
    fs.symlinkSync("/etc/passwd", path);
    await expect(read()).rejects.toThrow("it leads out of the directory");
    fs.rmSync(path);
    fs.writeFileSync(path, " ".repeat(256 * 1024 + 1));
    await expect(read()).rejects.toThrow("it has more than 262144 bytes");
    fs.rmSync(path);
    fs.writeFileSync(join(project, ".env"), "canary-9f3a");
    fs.symlinkSync("../.env", path);
    await expect(read()).rejects.toThrow(/it is no JSON\./);
    await expect(read()).rejects.not.toThrow("canary");
  });

  it("but an empty file of Claude Code's says nothing, and a description of servers denies nothing", async () => {
    given({ user_claude: "\n", mcp: "{" });
    expect(await read()).toMatchObject({ rules: [], notes: [".mcp.json: it is no JSON"] });
  });
});

describe("trust", () => {
  it("is of the directory's real path alone", async () => {
    given({ project: permissions({ allow: ["Bash(make)"] }) });
    await trusted();
    const other = repositoryWith({});
    fs.cpSync(join(project, ".belay"), join(other, ".belay"), { recursive: true });
    expect(rulesOf(await read({ project: other }))).toEqual([]);
  });

  it("does not come from a directory that holds belay's own home", async () => {
    given({ project: permissions({ allow: ["Bash(make)"] }) });
    const inside = join(project, "belay-home");
    await recordTrust(inside, (await read()).trust);
    const found = await read({ home: inside });
    expect(rulesOf(found)).toEqual([]);
    expect(found.notes).toEqual(["belay's home lies in this directory, so nothing here is trusted"]);
  });

  it("is nobody's when its list is damaged, and that is named", async () => {
    given({ project: permissions({ allow: ["Bash(make)"] }) });
    await trusted();
    fs.writeFileSync(join(home(), "trust.json"), "{");
    const found = await read();
    expect([rulesOf(found), found.notes]).toEqual([[], ["trust.json in belay's home trusts nothing: it is no JSON"]]);
  });
});

it("belay's own files hold models and budgets beside all that", () => {
  given({
    user: {
      budget: { session: "2.00" },
      permissions: { allow: ["Bash(ls)"], defaultMode: "plan" },
      sandbox: { memory: "1.5GiB" },
      flow: { public: false },
    },
  });
  expect(readSettings(home(), FILES.managed()).caps).toHaveLength(1);
});

it("where nothing is said there is nothing", async () => {
  const { trust, ...rest } = await read();
  const { trust: none, ...nothing } = noPermissionSettings();
  expect(rest).toEqual(nothing);
  expect(trust).toEqual({ ...none, directory: project });
});
