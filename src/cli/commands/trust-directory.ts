/** What `belay trust` does: shows what a directory's own files say, and remembers that somebody trusted exactly that. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { TrustedDirectory } from "../../extension/trust.ts";
import { changeTrust, readTrust } from "../../extension/trust-store.ts";
import { systemClock } from "../../host/system-clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { findRepository } from "../../workspace/prepare/source.ts";
import type { Face } from "../face.ts";
import { type PermissionSettings, readPermissionSettings, type TrustStanding } from "../permission-settings.ts";
import { differenceLines, itemLine, permissionsOf, recordTrust } from "../project-trust.ts";
import { askLine, hasPerson } from "../question.ts";
import { formatAge, plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";
import { tableLines } from "../view/table.ts";

export interface TrustOptions {
  readonly yes?: true;
  readonly list?: true;
  readonly revoke?: true;
  readonly json?: true;
}

/** Nobody looks at a table that is wider; programs take --json. */
const UNLIMITED_COLUMNS = 10_000;

/** @throws HarnessError `usage`, `config_invalid`, `store_*` */
export async function trustCommand(named: string | undefined, options: TrustOptions, face: Face): Promise<number> {
  if (options.list === true && options.revoke === true)
    throw new HarnessError("usage", "--list and --revoke are two commands.", "Say one of them.");
  if (options.list === true) return listTrusted(options, face);
  if (options.revoke === true) return revoke(resolve(face.cwd, named ?? "."), options, face);
  return trust(resolve(face.cwd, named ?? "."), options, face);
}

async function trust(directory: string, options: TrustOptions, face: Face): Promise<number> {
  if (!existsSync(directory) || !statSync(directory).isDirectory())
    throw new HarnessError("usage", `${directory} is no directory.`, "Name one that is there.");
  const settings = await permissionsOf(face, { cwd: directory });
  const { trust: standing, notes } = settings;
  if (options.json !== true) show(settings, face);
  const settled = standing.pending.length === 0 && standing.removed.length === 0;
  const wanted = !settled && (options.yes === true || (options.json !== true && (await isWanted(face))));
  if (wanted) await recordTrust(face.environment.home, standing);
  if (options.json === true) {
    const { directory: path, hash, items, pending, removed } = standing;
    const files = settings.files.filter(({ origin }) => origin === "project" || origin === "local");
    const trusted = wanted || (settled && items.length > 0);
    face.out.json(JSON.stringify({ directory: path, trusted, hash, items, pending, removed, files, notes }));
  } else if (wanted) face.out.line(`Trusted, exactly as it is: ${plural(standing.items.length, "item")}.`);
  else if (!settled) face.out.line("Nothing was changed.");
  return 0;
}

function show({ trust: standing, notes }: PermissionSettings, { out }: Face): void {
  const { directory, items, pending, removed, at } = standing;
  const path = safeLine(directory ?? "");
  for (const note of notes) out.line(`! ${safeLine(note)}`);
  if (items.length === 0 && removed.length === 0)
    return out.line(`${path} has no settings of its own: nothing is to be trusted.`);
  if (pending.length === 0 && removed.length === 0) {
    out.line(at === null ? `${path} only restricts: that counts without trust.` : `${path} is trusted as it is.`);
    for (const item of items) out.line(itemLine(" ", item));
    return;
  }
  out.line(
    at === null ? `${path} is not trusted. Without effect until it is:` : `${path} changed since it was trusted:`,
  );
  for (const line of differenceLines(standing)) out.line(line);
  const held = new Set(pending);
  const counting = items.filter((item) => ![...held].some((one) => isSame(one, item)));
  if (counting.length > 0) out.line("Counts already:");
  for (const item of counting) out.line(itemLine(" ", item));
}

type Item = TrustStanding["items"][number];

function isSame(a: Item, b: Item): boolean {
  return a.file === b.file && a.kind === b.kind && a.text === b.text;
}

/** @throws HarnessError `usage` where nobody can be asked */
async function isWanted(face: Face): Promise<boolean> {
  if (!hasPerson(face))
    throw new HarnessError("usage", "Nobody is here to be asked.", "Look at what is listed, then say --yes.");
  return /^y(es)?$/i.test((await askLine(face, "Trust it, exactly as it is? [y/N] ")).trim());
}

async function listTrusted(options: TrustOptions, face: Face): Promise<number> {
  const { home } = face.environment;
  const { directories, damage } = readTrust(home);
  const rows = await Promise.all(directories.map((entry) => rowOf(entry, face)));
  if (options.json === true) {
    face.out.json(JSON.stringify({ directories: rows, damage }));
    return 0;
  }
  if (damage !== null) face.err.line(`belay: trust.json in ${safeLine(home)} trusts nothing: ${damage}.`);
  if (rows.length === 0) face.out.line("No directory is trusted.");
  else {
    const now = systemClock.now();
    const cells = rows.map(({ at, items, state, path }) => [
      formatAge(Math.max(0, now - at)),
      `${items}`,
      state,
      safeLine(path),
    ]);
    const columns = face.out.isTerminal ? face.out.columns() : UNLIMITED_COLUMNS;
    for (const line of tableLines(["TRUSTED", "ITEMS", "NOW", "DIRECTORY"], cells, columns)) face.out.line(line);
  }
  return 0;
}

interface Row {
  readonly path: string;
  readonly at: number;
  readonly items: number;
  readonly state: "as trusted" | "changed" | "gone" | "cannot be read";
}

async function rowOf({ path, at, items }: TrustedDirectory, { environment }: Face): Promise<Row> {
  const row = { path, at, items: items.length };
  if (!existsSync(path)) return { ...row, state: "gone" };
  const { home, userHome } = environment;
  try {
    // Whether git tracks a file changes whose it is, not what it says.
    const { trust: now } = await readPermissionSettings({
      home,
      userHome,
      project: path,
      git: null,
      now: systemClock.now(),
    });
    return { ...row, state: now.pending.length + now.removed.length === 0 ? "as trusted" : "changed" };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { ...row, state: "cannot be read" };
  }
}

/** Also of a directory that is gone. */
async function revoke(directory: string, options: TrustOptions, face: Face): Promise<number> {
  const here = existsSync(directory) ? (findRepository(directory)?.top ?? realpathSync(directory)) : directory;
  let revoked = false;
  const isMeant = ({ path }: Pick<TrustedDirectory, "path">): boolean => path === here || path === directory;
  if (readTrust(face.environment.home).directories.some(isMeant)) {
    await changeTrust(face.environment.home, ({ directories, declined }) => ({
      directories: directories.filter((one) => !isMeant(one)),
      declined,
    }));
    revoked = true;
  }
  if (options.json === true) face.out.json(JSON.stringify({ directory: here, revoked }));
  else face.out.line(revoked ? `${safeLine(here)} is trusted no longer.` : `${safeLine(here)} was not trusted.`);
  return 0;
}
