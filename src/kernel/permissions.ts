/** What a session may do, as it was configured: journaled, so that every judgement can be repeated from the journal alone. */
import * as z from "zod";
import { lazy } from "./lazy.ts";

export const PERMISSION_MODES = ["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"] as const;
export type PermissionMode = (typeof PERMISSION_MODES)[number];

/** Rules of one session. */
export const RULES_MAX = 2_000;
export const RULE_CHARS_MAX = 2_000;
export const GRANTS_MAX = 200;

export const RULE_SOURCES = ["managed", "cli", "local", "project", "user", "session"] as const;
/** Who wrote a rule. `session`: a person, while the session ran. */
export type RuleSource = (typeof RULE_SOURCES)[number];

export const ruleSchema = lazy(() =>
  z.object({
    behavior: z.enum(["allow", "ask", "deny"]),
    /** In the grammar of Claude Code: `Bash(npm run *)`. */
    rule: z.string().max(RULE_CHARS_MAX),
    source: z.enum(RULE_SOURCES),
  }),
);
export type PermissionRule = Readonly<z.infer<ReturnType<typeof ruleSchema>>>;

/** Where something can leave the session, or outlive it. */
export const SINKS = ["network", "push", "mcp", "comment", "memory", "configuration"] as const;
export type Sink = (typeof SINKS)[number];

export const grantSchema = lazy(() =>
  z.object({
    id: z.string(),
    sink: z.enum(SINKS),
    /** A host (`api.example.com`, `*.example.com`), a remote, a server, a path: what the sink is told apart by. Never `*` alone. */
    destination: z.string(),
    /** What the session may have taken in or hold when it acts there. `secret` includes `untrusted`. */
    label: z.enum(["untrusted", "secret"]),
    /** Milliseconds since the epoch; null is until it is taken away. */
    expires_at: z.int().nullable(),
  }),
);
/** A yes that was written beforehand, for work that nobody watches. */
export type Grant = Readonly<z.infer<ReturnType<typeof grantSchema>>>;

export const permissionsSchema = lazy(() =>
  z.object({
    rules: z.array(ruleSchema()).max(RULES_MAX),
    /** What becomes of a question: a person at the terminal, a structured denial, or the end of the run as `needs_approval`. */
    on_ask: z.enum(["prompt", "deny", "wait"]),
  }),
);

export const flowSchema = lazy(() =>
  z.object({
    grants: z.array(grantSchema()).max(GRANTS_MAX),
    /** Why the workspace holds text of strangers (a fork's code); null where it is the user's own history. */
    untrusted: z.string().nullable(),
    /** Nothing in the workspace is private: anybody may read it already. */
    public: z.boolean(),
  }),
);

export const confinementSchema = lazy(() =>
  z.object({
    /** Hosts that sandboxed commands may reach (`registry.example.com`, `*.example.com`); none where empty and the network is off. */
    domains: z.array(z.string()).max(500),
    /** Those of them that the command line said: they stay when the session goes on. */
    said_domains: z.array(z.string()).max(500),
    /** Files of the workspace that hold secrets by their name (`.env`) and that commands may read all the same. */
    readable_secrets: z.array(z.string()).max(500),
    /** Of one command with everything it starts. */
    processes: z.int().positive(),
    memory_bytes: z.int().positive(),
    /** Written below the workspace and its temporary directory by one command. */
    disk_bytes: z.int().positive(),
  }),
);

export type Permissions = Readonly<z.infer<ReturnType<typeof permissionsSchema>>>;
export type FlowPolicy = Readonly<z.infer<ReturnType<typeof flowSchema>>>;
export type ConfinementLimits = Readonly<z.infer<ReturnType<typeof confinementSchema>>>;

const MIB = 1024 * 1024;

export const NO_RULES: Permissions = { rules: [], on_ask: "prompt" };
export const DEFAULT_FLOW: FlowPolicy = { grants: [], untrusted: null, public: false };
export const DEFAULT_CONFINEMENT: ConfinementLimits = {
  domains: [],
  said_domains: [],
  readable_secrets: [],
  processes: 1_024,
  memory_bytes: 8 * 1024 * MIB,
  disk_bytes: 16 * 1024 * MIB,
};
