/** Where settings about permissions are looked for, the strongest first, and reading them. */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type GitFacts,
  type Loaded,
  type LoadedFile,
  loadFiles,
  type Place,
  type RefusedFile,
} from "../extension/load.ts";
import type { TrustedDirectory } from "../extension/trust.ts";
import { saidInClaudes, saidInMcp } from "./claude-settings.ts";
import { type FoundSaid, type FoundSettings, saidInBelays } from "./found-settings.ts";
import {
  FILE_BYTES_MAX,
  invalidSettings,
  MANAGED_FILE,
  parseManagedSettings,
  parseProjectSettings,
  parseUserSettings,
  userSettingsPath,
} from "./settings-file.ts";

/** Claude Code's, where only root can write. */
const MANAGED_CLAUDE_FILE = "/etc/claude-code/managed-settings.json";

export interface SettingsHomes {
  /** belay's own directory. */
  readonly home: string;
  readonly userHome: string;
  /** The top of the repository, or the directory, absolute and without links; null where nothing of a project is read. */
  readonly project: string | null;
  /** Null outside a repository. */
  readonly git: GitFacts | null;
  /** For tests, which are not root: nothing of the environment leads here. */
  readonly managed?: { readonly belay: string; readonly claude: string };
}

type Dialect = "belay" | "claude" | "mcp";

interface SettingsPlace extends Place {
  readonly dialect: Dialect;
}

/** @throws HarnessError `config_invalid`: what a file denies must be known */
export async function readFoundSettings(
  homes: SettingsHomes,
  entry: TrustedDirectory | null,
): Promise<readonly FoundSettings[]> {
  const places = placesOf(homes);
  const known = new Set(entry?.files.map(({ path, hash }) => `${hash} ${path}`));
  const trusted = ({ path, hash }: Pick<LoadedFile, "path" | "hash">): boolean => known.has(`${hash} ${path}`);
  const loaded = await loadFiles(places, { git: homes.git, trusted });
  requireReadable(loaded);
  return loaded.files.map(({ text, ...file }) => {
    const place = places.find(({ shown }) => shown === file.path);
    const absolute = place === undefined ? file.path : join(place.root, place.path);
    return { file, ...said(place?.dialect ?? "claude", { text, file, absolute }) };
  });
}

/** A server's description denies nothing; a settings file might. */
function requireReadable({ refused }: Loaded): void {
  const [first] = refused.filter(({ kind }: RefusedFile) => kind === "settings");
  if (first === undefined) return;
  throw invalidSettings(first.absolute, [`${first.why}, so what it denies is not known`]);
}

function said(
  dialect: Dialect,
  {
    text,
    file,
    absolute,
  }: { readonly text: string; readonly file: Omit<LoadedFile, "text">; readonly absolute: string },
): FoundSaid {
  if (dialect === "mcp") return saidInMcp(text);
  if (dialect === "claude") return saidInClaudes(text, absolute);
  if (file.origin === "managed") {
    const settings = parseManagedSettings(absolute, text);
    const managed_only = settings.allowManagedPermissionRulesOnly === true;
    return { ...saidInBelays(settings, absolute), managed_only };
  }
  const parse = file.origin === "user" ? parseUserSettings : parseProjectSettings;
  return saidInBelays(parse(absolute, text), absolute);
}

function placesOf({ home, userHome, project, managed }: SettingsHomes): readonly SettingsPlace[] {
  const of = (
    [origin, dialect]: readonly [Place["origin"], Dialect],
    [root, path]: readonly [string, string],
    shown: string,
  ): SettingsPlace => {
    const kind = dialect === "mcp" ? "mcp" : "settings";
    return { kind, origin, dialect, root, path, shown, bytes_max: FILE_BYTES_MAX };
  };
  const { belay = MANAGED_FILE, claude = MANAGED_CLAUDE_FILE } = managed ?? {};
  const split = (path: string): readonly [string, string] => [dirname(path), path.slice(dirname(path).length + 1)];
  const theirs = [
    of(["managed", "belay"], split(belay), MANAGED_FILE),
    of(["managed", "claude"], split(claude), MANAGED_CLAUDE_FILE),
  ];
  const users = [
    of(["user", "belay"], split(userSettingsPath(home)), "$BELAY_HOME/settings.json"),
    of(["user", "claude"], [userHome, CLAUDE], `~/${CLAUDE}`),
  ];
  if (project === null) return [...theirs, ...users];
  return [
    ...theirs,
    of(["local", "belay"], [project, ".belay/settings.local.json"], ".belay/settings.local.json"),
    of(["local", "claude"], [project, ".claude/settings.local.json"], ".claude/settings.local.json"),
    of(["project", "belay"], [project, ".belay/settings.json"], ".belay/settings.json"),
    // In the home directory itself this is the user's own file, which stands below.
    ...(isSame(project, userHome) ? [] : [of(["project", "claude"], [project, CLAUDE], CLAUDE)]),
    of(["project", "mcp"], [project, ".mcp.json"], ".mcp.json"),
    ...users,
  ];
}

const CLAUDE = ".claude/settings.json";

function isSame(project: string, userHome: string): boolean {
  try {
    return realpathSync(userHome) === project;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false; // a home that is not there
    throw error;
  }
}
