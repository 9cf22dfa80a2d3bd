/** The permissions of one directory, and asking a person whether what its own files say may count. */
import { realpathSync } from "node:fs";
import { rememberable, type TrustItem } from "../extension/trust.ts";
import { changeTrust } from "../extension/trust-store.ts";
import { systemClock } from "../host/system-clock.ts";
import { findRepository } from "../workspace/prepare/source.ts";
import type { Face } from "./face.ts";
import { createGitFacts } from "./git-facts.ts";
import {
  type PermissionRequest,
  type PermissionSettings,
  readPermissionSettings,
  type TrustStanding,
} from "./permission-settings.ts";
import { askLine, type AskOptions } from "./question.ts";
import { plural } from "./view/format.ts";
import { paintFor } from "./view/paint.ts";
import { safeLine } from "./view/safe-text.ts";

/** What the engine has no use for yet: trusting it starts nothing. */
const UNUSED: ReadonlySet<TrustItem["kind"]> = new Set(["hook", "mcp", "environment"]);

export interface Asked {
  /** Absolute; it is there. */
  readonly cwd: string;
  readonly cli?: PermissionRequest["cli"];
}

/** What the files say, without asking anybody. @throws HarnessError `config_invalid` */
export function permissionsOf(
  { environment }: Pick<Face, "environment">,
  { cwd, cli }: Asked,
): Promise<PermissionSettings> {
  const { home, userHome, all } = environment;
  const repository = findRepository(cwd);
  return readPermissionSettings({
    home,
    userHome,
    project: repository?.top ?? realpathSync(cwd),
    git: repository === null ? null : createGitFacts(repository, all["PATH"]),
    ...(cli === undefined ? {} : { cli }),
    now: systemClock.now(),
  });
}

export interface SettleOptions extends Asked {
  /** Somebody who can be asked. */
  readonly person: boolean;
  /** One line, for the person or the log. */
  readonly say: (line: string) => void;
  readonly ask?: AskOptions;
}

/**
 * For a run: asks once about what waits for trust, where somebody is there; elsewhere says in one line what does not count.
 * @throws HarnessError `config_invalid`, `store_*`
 */
export async function settledPermissions(face: Face, options: SettleOptions): Promise<PermissionSettings> {
  const { person, say } = options;
  const found = await permissionsOf(face, options);
  const settings = person && isOpen(found) ? await asked(face, options, found) : found;
  for (const note of settings.notes) say(`! ${safeLine(note)}`);
  const line = pendingLine(settings.trust);
  if (line !== null) say(line);
  return settings;
}

function isOpen({ trust }: PermissionSettings): boolean {
  return trust.pending.length > 0 && !trust.declined;
}

async function asked(face: Face, options: SettleOptions, found: PermissionSettings): Promise<PermissionSettings> {
  const paint = paintFor(face.out.colors);
  const { trust } = found;
  options.say(
    `${paint.yellow("?")} ${safeLine(trust.directory ?? "")} has settings of its own that wait for your trust:`,
  );
  for (const line of differenceLines(trust)) options.say(line);
  const answer = await askLine(face, "  Trust them, exactly as they are? [y/N] ", options.ask);
  if (!/^y(es)?$/i.test(answer.trim())) {
    await decline(face.environment.home, trust);
    return found;
  }
  await recordTrust(face.environment.home, trust);
  // Read once more: what changed meanwhile was not shown, and does not count.
  return permissionsOf(face, options);
}

/** Exactly what was shown. */
export async function recordTrust(home: string, { directory, items, files }: TrustStanding): Promise<void> {
  if (directory === null) return;
  const entry = { path: directory, at: systemClock.now(), items: [...rememberable(items)], files: [...files] };
  await changeTrust(home, ({ directories, declined }) => ({
    directories: [...directories.filter(({ path }) => path !== directory), entry],
    declined: declined.filter(({ path }) => path !== directory),
  }));
}

async function decline(home: string, { directory, hash }: TrustStanding): Promise<void> {
  if (directory === null) return;
  await changeTrust(home, ({ directories, declined }) => ({
    directories,
    declined: [...declined.filter(({ path }) => path !== directory), { path: directory, hash }],
  }));
}

/** `! 2 allow rules and 1 hook of .claude/settings.json do not count: …`; null when nothing waits. */
export function pendingLine({ pending, at }: TrustStanding): string | null {
  if (pending.length === 0) return null;
  const kinds = [...new Set(pending.map(({ kind }) => kind))];
  const counts = kinds.map((kind) => plural(pending.filter((item) => item.kind === kind).length, NAMES[kind]));
  const files = [...new Set(pending.map(({ file }) => file))];
  const why = at === null ? "this directory is not trusted" : "they changed since this directory was trusted";
  return `! Without effect: ${listed(counts)} of ${listed(files)}: ${why}. \`belay trust\` shows them.`;
}

const NAMES: { readonly [Kind in TrustItem["kind"]]: string } = {
  allow: "allow rule",
  ask: "ask rule",
  deny: "deny rule",
  mode: "permission mode",
  directory: "additional directory",
  domain: "domain",
  read: "readable path",
  limit: "limit",
  grant: "grant",
  flow: "declaration",
  hook: "hook",
  mcp: "MCP server",
  environment: "environment variable",
};

function listed(texts: readonly string[]): string {
  const last = texts.at(-1) ?? "";
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(", ")} and ${last}`;
}

/** What would be trusted now that is not, and what was and is gone. */
export function differenceLines({ pending, removed }: TrustStanding): readonly string[] {
  return [...pending.map((item) => itemLine("+", item)), ...removed.map((item) => itemLine("-", item))];
}

/** Shown whole: what is cut off is not seen. */
export function itemLine(sign: string, { kind, text, file }: TrustItem): string {
  const unused = UNUSED.has(kind) ? ", not used by this belay" : "";
  return `  ${sign} ${NAMES[kind]} ${safeLine(text)}  (${file}${unused})`;
}
