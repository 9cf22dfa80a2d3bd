/**
 * What all settings files come to about permissions, confinement and information flow, and what of them does not count and why.
 *
 * S1: rules are the union of all files. Of single values the strongest file's counts: managed, cli, local, project, user; belay's
 *     before Claude Code's.
 * S2: what a repository's file loosens counts only as far as a person trusted it, word for word; what it tightens counts always.
 * S3: what does not count is named.
 */
import { existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import {
  DEFAULT_CONFINEMENT,
  type Grant,
  GRANTS_MAX,
  type PermissionMode,
  type PermissionRule,
  RULES_MAX,
  type RuleSource,
} from "../kernel/permissions.ts";
import type { FileOrigin, LoadedFile } from "../extension/load.ts";
import { differenceOf, hashOfItems, keyOf, type TrustedDirectory, type TrustItem } from "../extension/trust.ts";
import { NO_BOOK, readTrust, type TrustBook } from "../extension/trust-store.ts";
import { type FoundLimits, type FoundSettings, grantText, itemsOf, NOTHING_SAID } from "./found-settings.ts";
import { invalidSettings } from "./settings-file.ts";
import { readFoundSettings, type SettingsHomes } from "./settings-places.ts";

export { parseGrant } from "./grant.ts";

export interface PermissionRequest extends SettingsHomes {
  /** What the command line says. */
  readonly cli?: {
    readonly rules?: readonly Pick<PermissionRule, "behavior" | "rule">[];
    readonly mode?: PermissionMode;
    readonly grants?: readonly Grant[];
    readonly domains?: readonly string[];
  };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface SettingsFileFacts extends Omit<LoadedFile, "text"> {
  /** Nothing of it waits for trust. */
  readonly counts: boolean;
}

/** How the project's own files stand to what a person trusted. */
export interface TrustStanding {
  /** Absolute, without links; null where no project was looked at. */
  readonly directory: string | null;
  /** When it was trusted, in milliseconds since the epoch; null: never. */
  readonly at: number | null;
  /** All that the project's own files say. */
  readonly items: readonly TrustItem[];
  readonly files: TrustedDirectory["files"];
  /** Of it, what does not count until it is trusted. */
  readonly pending: readonly TrustItem[];
  /** Trusted once and gone now. What of it restricts still does. */
  readonly removed: readonly TrustItem[];
  /** Of all items. */
  readonly hash: string;
  /** A person said no to exactly this. */
  readonly declined: boolean;
}

export interface PermissionSettings {
  readonly rules: readonly PermissionRule[];
  /** Null: nobody said one. */
  readonly mode: PermissionMode | null;
  /** The file that forbids `bypassPermissions`; null: none. */
  readonly bypass_disabled: string | null;
  /** The file because of which nobody else's rules count, those of a person at the terminal included; null: none. */
  readonly managed_only: string | null;
  readonly grants: readonly Grant[];
  readonly domains: readonly string[];
  /** Only what was said. */
  readonly limits: FoundLimits;
  readonly additional_directories: readonly string[];
  readonly allow_read: readonly string[];
  /** Null: nobody said it. */
  readonly public: boolean | null;
  /** One sentence each, without the path of this machine. */
  readonly notes: readonly string[];
  readonly files: readonly SettingsFileFacts[];
  readonly trust: TrustStanding;
}

/** @throws HarnessError `config_invalid` */
export async function readPermissionSettings(request: PermissionRequest): Promise<PermissionSettings> {
  const book = readTrust(request.home);
  const { entry, note } = entryOf(book, request);
  const found = await readFoundSettings(request, entry);
  return new Merge(request, found, { book, entry, note }).result();
}

/** As where there is no file. */
export function noPermissionSettings(): PermissionSettings {
  const homes = { home: "/nonexistent", userHome: "/nonexistent", project: null, git: null, now: 0 };
  return new Merge(homes, [], { book: NO_BOOK, entry: null, note: null }).result();
}

/** A directory that holds belay's own home could have written that list itself. */
function entryOf(
  book: TrustBook,
  { home, userHome, project }: PermissionRequest,
): { readonly entry: TrustedDirectory | null; readonly note: string | null } {
  if (book.damage !== null) return { entry: null, note: `trust.json in belay's home trusts nothing: ${book.damage}` };
  if (project === null) return { entry: null, note: null };
  if (isBelow(withoutLinks(home), project) && !isBelow(withoutLinks(userHome), project))
    return { entry: null, note: "belay's home lies in this directory, so nothing here is trusted" };
  return { entry: book.directories.find(({ path }) => path === project) ?? null, note: null };
}

function withoutLinks(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

function isBelow(path: string, directory: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (at === directory) return true;
    if (dirname(at) === at) return false;
  }
}

/** The weakest first. */
const WEAKEST_FIRST: readonly RuleSource[] = ["user", "project", "local", "cli", "managed"];
/** The tightest first. */
const TIGHTEST_FIRST: readonly PermissionMode[] = ["plan", "dontAsk", "default", "acceptEdits", "bypassPermissions"];

interface TrustedHere {
  readonly book: TrustBook;
  readonly entry: TrustedDirectory | null;
  readonly note: string | null;
}

interface Layer extends FoundSettings {
  readonly source: RuleSource;
}

class Merge {
  readonly #request: PermissionRequest;
  /** The strongest first. */
  readonly #layers: readonly Layer[];
  readonly #here: TrustedHere;
  readonly #trusted: ReadonlySet<string>;
  readonly #pending: TrustItem[] = [];
  readonly #notes: string[] = [];

  constructor(request: PermissionRequest, found: readonly FoundSettings[], here: TrustedHere) {
    this.#request = request;
    this.#layers = layersOf(request, found);
    this.#here = here;
    this.#trusted = new Set(here.entry?.items.map(keyOf));
    if (here.note !== null) this.#notes.push(here.note);
    for (const { file, notes } of found) this.#notes.push(...notes.map((note) => `${file.path}: ${note}`));
  }

  result(): PermissionSettings {
    const bypass_disabled = this.#layers.find((layer) => layer.bypass_disabled)?.file.path ?? null;
    const mode = this.#mode(bypass_disabled);
    const limits = this.#limits();
    const managed_only =
      this.#layers.find((layer) => layer.source === "managed" && layer.managed_only)?.file.path ?? null;
    const standing = this.#standing();
    const rules = this.#rules(managed_only, standing.removed);
    const merged = {
      rules,
      mode,
      bypass_disabled,
      managed_only,
      grants: this.#grants(),
      domains: this.#domains(),
      limits,
      additional_directories: this.#list("directory", ({ directories }) => directories),
      allow_read: this.#list("read", ({ allow_read }) => allow_read),
      public: this.#public(),
    };
    for (const layer of this.#layers) for (const { kind, text } of layer.others) this.#counts(layer, kind, text);
    const waiting = new Set(this.#pending.map(({ file }) => file));
    const files = this.#layers
      .filter(({ source }) => source !== "cli")
      .map(({ file }) => ({ ...file, counts: !waiting.has(file.path) }));
    const pending = [...new Map(this.#pending.map((item) => [keyOf(item), item])).values()];
    return { ...merged, notes: this.#notes, files, trust: { ...standing, pending } };
  }

  /** S2. What does not count is kept for a person to look at. */
  #counts({ source, file }: Layer, kind: TrustItem["kind"], text: string): boolean {
    if (source !== "project" && source !== "local") return true;
    const item = { file: file.path, kind, text };
    if (this.#trusted.has(keyOf(item))) return true;
    this.#pending.push(item);
    return false;
  }

  #standing(): Omit<TrustStanding, "pending"> {
    const { book, entry } = this.#here;
    const own = this.#layers.filter(({ source }) => source === "project" || source === "local");
    const items = own.flatMap(itemsOf);
    const hash = hashOfItems(items);
    const directory = this.#request.project;
    return {
      directory,
      at: entry?.at ?? null,
      items,
      files: own.map(({ file: { path, hash: bytes } }) => ({ path, hash: bytes })),
      removed: differenceOf(items, entry).removed,
      hash,
      declined: book.declined.some((one) => one.path === directory && one.hash === hash),
    };
  }

  #rules(managed_only: string | null, removed: readonly TrustItem[]): readonly PermissionRule[] {
    const rules: PermissionRule[] = [];
    const left_out = new Set<string>();
    for (const layer of this.#layers) {
      const { source, file } = layer;
      for (const { behavior, rule, of_sandbox } of layer.rules) {
        const mine = managed_only === null || source === "managed" || of_sandbox === true;
        if (!mine) left_out.add(file.path);
        else if (behavior !== "allow" || this.#counts(layer, behavior, rule)) rules.push({ behavior, rule, source });
      }
    }
    // T2: they restricted when the rest was trusted.
    for (const { kind, text, file } of managed_only === null ? removed : []) {
      if (kind !== "deny" && kind !== "ask") continue;
      rules.push({ behavior: kind, rule: text, source: "project" });
      this.#notes.push(`${file}: ${kind} ${text} was removed since it was trusted, and counts until that is trusted`);
    }
    for (const path of left_out) this.#notes.push(`${path}: its rules do not count: ${managed_only ?? ""} says so`);
    const unique = [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
    if (unique.length <= RULES_MAX) return unique;
    throw invalidSettings("all files together", [
      `${unique.length} rules are more than the ${RULES_MAX} that there may be`,
    ]);
  }

  /** The weakest first, so that each can be held against what would be without it. */
  #mode(bypass_disabled: string | null): PermissionMode | null {
    let mode: PermissionMode | null = null;
    for (const layer of this.#layers.toReversed()) {
      if (layer.mode === null) continue;
      if (layer.mode === "bypassPermissions" && bypass_disabled !== null)
        this.#notes.push(`${layer.file.path}: bypassPermissions does not count: ${bypass_disabled} disables it`);
      else if (tightness(layer.mode) <= tightness(mode ?? "default") || this.#counts(layer, "mode", layer.mode))
        mode = layer.mode;
    }
    return mode;
  }

  #limits(): FoundLimits {
    const limits: { -readonly [K in keyof FoundLimits]: FoundLimits[K] } = {};
    for (const layer of this.#layers.toReversed()) {
      for (const name of ["processes", "memory_bytes", "disk_bytes"] as const) {
        const value = layer.limits[name];
        if (value === undefined) continue;
        const tighter = value <= (limits[name] ?? DEFAULT_CONFINEMENT[name]);
        if (tighter || this.#counts(layer, "limit", `${name} ${value}`)) limits[name] = value;
      }
    }
    return limits;
  }

  #list(kind: TrustItem["kind"], of: (layer: Layer) => readonly string[]): readonly string[] {
    return [...new Set(this.#layers.flatMap((layer) => of(layer).filter((text) => this.#counts(layer, kind, text))))];
  }

  /** Who denies a host denies it to everybody; a pattern that would let it through goes, too. */
  #domains(): readonly string[] {
    const denied = this.#layers.flatMap(({ denied_domains }) => denied_domains);
    return this.#list("domain", ({ domains }) => domains).filter((domain) => {
      const by = denied.find((one) => covers(domain, one) || covers(one, domain));
      if (by !== undefined) this.#notes.push(`${domain} is not reachable for commands: ${by} is denied`);
      return by === undefined;
    });
  }

  #grants(): readonly Grant[] {
    const grants = new Map<string, Grant>();
    for (const layer of this.#layers) {
      for (const grant of layer.grants) {
        if (grant.expires_at !== null && grant.expires_at <= this.#request.now)
          this.#notes.push(`${layer.file.path}: the grant ${grantText(grant)} is over`);
        else if (this.#counts(layer, "grant", grantText(grant))) grants.set(grant.id, grant);
      }
    }
    if (grants.size <= GRANTS_MAX) return [...grants.values()];
    throw invalidSettings("all files together", [
      `${grants.size} grants are more than the ${GRANTS_MAX} that there may be`,
    ]);
  }

  #public(): boolean | null {
    let found: boolean | null = null;
    for (const layer of this.#layers.toReversed())
      if (layer.public !== null && (!layer.public || this.#counts(layer, "flow", "public true"))) found = layer.public;
    return found;
  }
}

function layersOf({ cli = {} }: PermissionRequest, found: readonly FoundSettings[]): readonly Layer[] {
  const said: FoundSettings = {
    ...NOTHING_SAID,
    rules: cli.rules ?? [],
    mode: cli.mode ?? null,
    grants: cli.grants ?? [],
    domains: cli.domains ?? [],
    file: {
      path: "the command line",
      kind: "settings",
      origin: "user",
      tracked: null,
      ignored: null,
      hash: "",
      trusted: true,
    },
  };
  const layers = [
    ...found.map((one) => ({ ...one, source: sourceOf(one.file.origin) })),
    { ...said, source: "cli" as const },
  ];
  return layers.sort((a, b) => WEAKEST_FIRST.indexOf(b.source) - WEAKEST_FIRST.indexOf(a.source));
}

function sourceOf(origin: FileOrigin): RuleSource {
  return origin;
}

function tightness(mode: PermissionMode): number {
  return TIGHTEST_FIRST.indexOf(mode);
}

/** Whether one pattern of hosts lets the other through. */
function covers(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  return `.${host.replace(/^\*\./, "")}`.endsWith(pattern.slice(1));
}
