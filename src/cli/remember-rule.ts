/**
 * Writes an allow rule into the user's settings: what `always` means. Never into a repository.
 *
 * M1: everything else in the file stays as it is written, to the byte; what is changed is looked at once more before it is kept.
 * M2: the file is whole at every instant, and two at once lose nothing: they write one after the other.
 * M3: a file that cannot be understood is left alone, and so is one that a dangerous rule would go to.
 */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { HarnessError } from "../kernel/harness-error.ts";
import { RULE_CHARS_MAX } from "../kernel/permissions.ts";
import { dangerOf } from "../policy/rules/dangerous.ts";
import { systemClock } from "../host/system-clock.ts";
import { insertInto } from "./json-insert.ts";
import { userSettingsPath } from "./settings-file.ts";
import { writeWhole } from "./whole-file.ts";

/** How long another writer is waited for, in milliseconds; a write takes a few. */
const LOCK_WAIT_MS = 5_000;
const LOCK_POLL_MS = 25;
/** A lock that is older was left behind, in milliseconds: nobody holds it that long. */
const LOCK_STALE_MS = 30_000;

const PLACE = ["permissions", "allow"] as const;

/**
 * @param home belay's own directory
 * @returns the file; `added` is false where the rule is there already
 * @throws HarnessError `config_invalid`, `file_failed`, `usage` for a rule that may not be remembered
 */
export async function rememberRule(
  home: string,
  rule: string,
): Promise<{ readonly path: string; readonly added: boolean }> {
  requireHarmless(rule);
  const path = userSettingsPath(home);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return locked(path, async () => {
    const before = await textOf(path);
    const after = withRule(before ?? "{}\n", rule, path);
    if (after === null) return { path, added: false };
    await writeWhole(path, path, (to) => written(to, after));
    return { path, added: true };
  });
}

/** @throws HarnessError `usage` */
function requireHarmless(rule: string): void {
  const danger = rule.length > RULE_CHARS_MAX ? "It is too long." : (dangerOf(rule)?.reason ?? null);
  if (danger === null) return;
  throw new HarnessError(
    "usage",
    `The rule ${rule.slice(0, 200)} is not remembered: ${danger}`,
    "Allow this call alone, or name a narrower rule in the settings.",
  );
}

/** Null where the rule is there already. M1. */
function withRule(text: string, rule: string, path: string): string | null {
  const before = parsed(text, path);
  const { permissions = {}, ...others } = before;
  if (!isObject(permissions)) throw unusable(path, "permissions is no object");
  const { allow = [], ...rest } = permissions;
  if (!Array.isArray(allow)) throw unusable(path, "permissions.allow is no list");
  if (allow.includes(rule)) return null;
  const after = insertInto(text, PLACE, rule);
  const wanted = { ...others, permissions: { ...rest, allow: [...(allow as readonly unknown[]), rule] } };
  if (!isDeepStrictEqual(parsed(after, path), wanted))
    throw unusable(path, "it is written in a way that a rule cannot be added to safely");
  return after;
}

function parsed(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unusable(path, `it is no JSON: ${error.message}`, error);
  }
  if (!isObject(value)) throw unusable(path, "it is no JSON object");
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unusable(path: string, why: string, cause?: unknown): HarnessError {
  return new HarnessError(
    "config_invalid",
    `No rule was added to ${path}: ${why}.`,
    "Correct the file, or add the rule to permissions.allow in it by hand.",
    cause === undefined ? undefined : { cause },
  );
}

/** Null where there is no such file. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new HarnessError("file_failed", `${path} cannot be read (${codeOf(error)}).`, "Make it readable.", {
      cause: error,
    });
  }
}

function written(to: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    to.on("error", reject);
    to.on("close", resolve);
    to.end(text);
  });
}

/** M2. */
async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  for (let waited = 0; !(await taken(lock)); waited += LOCK_POLL_MS) {
    if (waited >= LOCK_WAIT_MS)
      throw new HarnessError(
        "file_failed",
        `${path} is being changed by another process (${lock}).`,
        "Try again; remove that file when no belay is at work.",
      );
    await systemClock.sleep(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    const handle = await open(lock, "wx", 0o600);
    await handle.close();
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST")
      throw new HarnessError(
        "file_failed",
        `${lock} cannot be made (${codeOf(error)}).`,
        "Make its directory writable.",
        {
          cause: error,
        },
      );
    await removeStale(lock);
    return false;
  }
}

/** Moved aside first and looked at again: what somebody else took in between is put back. */
async function removeStale(lock: string): Promise<void> {
  const aside = `${lock}.${randomBytes(4).toString("hex")}`;
  try {
    const seen = await stat(lock);
    if (systemClock.now() - seen.mtimeMs <= LOCK_STALE_MS) return;
    await rename(lock, aside);
    const moved = await stat(aside);
    if (moved.ino !== seen.ino || moved.mtimeMs !== seen.mtimeMs) await link(aside, lock);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "EEXIST") throw error; // gone meanwhile, or taken: looked at again
  } finally {
    await rm(aside, { force: true });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}
