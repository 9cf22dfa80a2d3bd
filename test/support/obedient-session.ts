/** Sessions of the obedient model: the real engine, tools, git and sandbox, with the outside on loopback. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ApprovalQuestion, Host } from "../../src/engine/host.ts";
import { startSession } from "../../src/engine/session.ts";
import { createLocalHost } from "../../src/host/local-host.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import type { SessionConfig } from "../../src/kernel/config.ts";
import { textPart } from "../../src/kernel/content.ts";
import type { Event } from "../../src/kernel/events/index.ts";
import type { SessionId } from "../../src/kernel/ids.ts";
import { layoutOf } from "../../src/workspace/layout.ts";
import { oneModel } from "../../src/model/model.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { testConfig } from "./config.ts";
import { type Instruction, instruct64, obedientModel } from "./obedient-model.ts";
import type { Outside, Page } from "./obedient-outside.ts";
import { eventsOf } from "./session.ts";

/** In the workspace, in a file of secrets, in the environment of who runs belay. */
const MARKERS = ["PRIVATE0A1B2C3D4E5F6071", "PRIVATE8899AABBCCDDEEFF", "PRIVATE1029384756ABCDEF"] as const;

export interface Grounds {
  readonly directory: string;
  readonly repository: string;
  /** Nothing of a session's belongs there. */
  readonly elsewhere: string;
  /** Nobody is there to be asked. */
  readonly alone: Host;
  /** Somebody says yes to everything. */
  readonly agreed: Host;
  /** What they were asked. */
  readonly questions: ApprovalQuestion[];
  remove(): void;
}

/** @param files of the repository, besides its own */
export async function makeGrounds(outside: Outside, files: Readonly<Record<string, string>> = {}): Promise<Grounds> {
  const directory = mkdtempSync(join(tmpdir(), "belay-obedient-"));
  const repository = join(directory, "repository");
  const elsewhere = join(directory, "elsewhere");
  mkdirSync(elsewhere);
  const own = {
    "package.json": JSON.stringify({ name: "project", version: "1.0.0", scripts: { test: "node test.js" } }),
    "test.js": "console.log('passed');\n",
    "src/app.js": "export const answer = 1;\n",
    "README.md": "# Project\n",
    ".gitignore": "node_modules/\n",
    "CLAUDE.md": "Be brief.\n",
    "private/plan.txt": `${MARKERS[0]}\n`,
    ".env": `TOKEN=${MARKERS[1]}\n`,
  };
  for (const [path, content] of Object.entries({ ...own, ...files })) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), content);
  }
  const git = (...args: readonly string[]): void => {
    execFileSync("git", ["-C", repository, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args], {
      stdio: "ignore",
    });
  };
  git("init", "-q", "-b", "main");
  git("add", "-A", "-f");
  git("commit", "-qm", "start");
  const questions: ApprovalQuestion[] = [];
  const home = join(directory, "home");
  mkdirSync(home, { mode: 0o700 });
  const store = await openSqliteStore({ path: join(home, "belay.db"), clock: systemClock });
  const alone = createLocalHost({
    store,
    models: oneModel(obedientModel()),
    home,
    userHome: join(directory, "user"),
    environment: { PATH: process.env["PATH"], LANG: "C.UTF-8", DEPLOY_TOKEN: MARKERS[2] },
    version: "0.0.0-test",
  });
  const host: Host = {
    ...alone,
    tools: alone.tools.map((tool) => (tool.name === "web_fetch" ? outside.webFetch : tool)),
  };
  return {
    ...{ directory, repository, elsewhere, questions },
    alone: host,
    agreed: {
      ...host,
      prompter: {
        ask: (question) => {
          questions.push(question);
          return Promise.resolve({ answer: "once", by: "tester", reason: null, rule: null });
        },
        askBudget: () => Promise.resolve({ approved: true, by: "tester" }),
      },
    },
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const DOCS_RULES = ["WebFetch(domain:docs.example)", "WebFetch(domain:*.cdn.example)"] as const;

export interface Played {
  readonly session: SessionId;
  readonly events: readonly Event[];
  /** The session's own copy of the repository. */
  readonly tree: string;
}

/** A user asks for steps, and the model goes on from there. */
export async function play(
  host: Host,
  grounds: Grounds,
  steps: readonly Instruction[],
  facts: Partial<SessionConfig> = {},
  { rules = DOCS_RULES, said = "" }: { readonly rules?: readonly string[]; readonly said?: string } = {},
): Promise<Played> {
  const live = await startSession(host, {
    // In code: an address in it is not one that the user wrote.
    task: [textPart(`Please: ${instruct64(...steps)} ${said}`, { from: "user" })],
    title: "please",
    config: obedientConfig(facts, rules, host.prompter === null ? "deny" : "prompt"),
    place: {
      cwd: grounds.repository,
      source: grounds.repository,
      sessions: join(grounds.directory, "home", "sessions"),
    },
  });
  await live.done;
  return playedOf(host, grounds, live.session);
}

export async function playedOf(host: Host, grounds: Grounds, session: SessionId): Promise<Played> {
  const directory = join(grounds.directory, "home", "sessions", session);
  return { session, events: await eventsOf(host, session), tree: layoutOf(directory).tree };
}

function obedientConfig(
  facts: Partial<SessionConfig>,
  rules: readonly string[],
  on_ask: "deny" | "prompt",
): SessionConfig {
  return testConfig({
    provider: "obedient",
    sandbox: { mode: "bwrap", network: false },
    permissions: { rules: rules.map((rule) => ({ behavior: "allow", rule, source: "user" })), on_ask },
    ...facts,
  });
}

/** What every file of a directory holds. */
export function contentsOf(directory: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true }).sort((a, b) =>
    join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\0${entry.isFile() ? readFileSync(path, "base64") : ""}\0`);
  }
  return hash.digest("hex");
}

export function isThere(tree: string, path: string, content: string): boolean {
  const file = join(tree, path);
  return existsSync(file) && statSync(file).isFile() && readFileSync(file, "utf8").includes(content);
}

/** Whether a text holds any marker, in a spelling that somebody could read again. */
export function holdsMarker(text: string): boolean {
  const lower = text.toLowerCase();
  const plain = lower.replaceAll(/%([0-9a-f]{2})/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  );
  return MARKERS.some((marker) =>
    [
      marker,
      Buffer.from(marker).toString("base64").replace(/=+$/, ""),
      Buffer.from(marker).toString("hex"),
      [...marker].reverse().join(""),
      marker.slice(0, 12),
      marker.slice(-12),
    ].some((spelt) => lower.includes(spelt.toLowerCase()) || plain.includes(spelt.toLowerCase())),
  );
}

export function addPages(outside: Outside, pages: Readonly<Record<string, Page>> = {}): void {
  for (const [at, page] of Object.entries(pages)) outside.pages.set(at, page);
}
