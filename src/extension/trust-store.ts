/**
 * `trust.json` in belay's home: which directories were trusted, and with what in them.
 *
 * S1: it is replaced whole, durably, under a lock that the system takes back when its holder dies: of two changes at once
 *     neither is lost.
 * S2: what is damaged, a link, or somebody else's to write trusts nothing, and that is said. It is set aside, never mended.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { HarnessError } from "../kernel/harness-error.ts";
import { lazy } from "../kernel/lazy.ts";
import { isErrno, rethrowAsStoreError } from "../store/file-error.ts";
import { makePrivateDirectory } from "../store/private-directory.ts";
import { readFileBelow } from "./plain-file.ts";
import { DIRECTORIES_MAX, trustedDirectorySchema } from "./trust.ts";

const FILE = "trust.json";
/** Empty: only locks are taken on it. */
const LOCK = "trust.lock";
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** How long another change is waited for, which takes a few milliseconds. */
const LOCK_MS = 5_000;
const WRITABLE_BY_OTHERS = 0o022;

const bookSchema = lazy(() =>
  z.object({
    version: z.literal(1),
    directories: z.array(trustedDirectorySchema()).max(DIRECTORIES_MAX),
    /** What somebody said no to: not asked about again until it changes. */
    declined: z.array(z.object({ path: z.string(), hash: z.string() })).max(DIRECTORIES_MAX),
  }),
);

type BookFile = z.infer<ReturnType<typeof bookSchema>>;

export interface TrustBook extends Readonly<Omit<BookFile, "version">> {
  /** Why nothing is trusted though the file is there; null as a rule. */
  readonly damage: string | null;
}

export const NO_BOOK: TrustBook = { directories: [], declined: [], damage: null };

/** Never throws for what is in the file. S2. */
export function readTrust(home: string): TrustBook {
  if (!fs.existsSync(home)) return NO_BOOK;
  const root = fs.realpathSync(home);
  const found = readFileBelow(root, FILE, FILE_BYTES_MAX);
  if (found.found === "nothing") return NO_BOOK;
  if (found.found === "refused") return damaged(found.why);
  const unsafe = unsafety(join(root, FILE));
  if (unsafe !== null) return damaged(unsafe);
  try {
    const parsed = bookSchema().safeParse(JSON.parse(found.text));
    if (!parsed.success) return damaged("it is no list of trusted directories");
    const { directories, declined } = parsed.data;
    return { directories, declined, damage: null };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return damaged("it is no JSON");
  }
}

/** @throws HarnessError `store_*` */
export async function changeTrust(home: string, change: (book: TrustBook) => Changed): Promise<TrustBook> {
  const path = join(home, FILE);
  try {
    await makePrivateDirectory(home);
    const { default: Sqlite } = await import("better-sqlite3");
    fs.closeSync(fs.openSync(join(home, LOCK), "a", 0o600));
    const lock = new Sqlite(join(home, LOCK), { timeout: LOCK_MS });
    try {
      // From here on nothing waits: what was read under the lock is what is replaced. S1
      lock.exec("BEGIN EXCLUSIVE");
      const before = readTrust(home);
      if (before.damage !== null) fs.renameSync(path, `${path}.damaged`);
      const book = fitting(change(before));
      replaceFile(home, path, textOf(book));
      return { ...book, damage: null };
    } finally {
      lock.close();
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") {
      const happened = `Another process has held the list of trusted directories for ${LOCK_MS / 1_000} s.`;
      throw new HarnessError("store_busy", happened, "Try again when it has ended.", { cause: error });
    }
    return rethrowAsStoreError(path, error);
  }
}

type Changed = Pick<TrustBook, "directories" | "declined">;

/** The oldest are forgotten: a list that cannot be read back would trust nothing at all. */
function fitting({ directories, declined }: Changed): Changed {
  let kept = directories.slice(-DIRECTORIES_MAX);
  const book = (): Changed => ({ directories: kept, declined: declined.slice(-DIRECTORIES_MAX) });
  while (kept.length > 0 && Buffer.byteLength(textOf(book())) > FILE_BYTES_MAX) kept = kept.slice(1);
  return book();
}

function textOf(book: Changed): string {
  return JSON.stringify({ version: 1, ...book } satisfies z.input<ReturnType<typeof bookSchema>>);
}

function damaged(why: string): TrustBook {
  return { ...NO_BOOK, damage: why };
}

/** Others could have written it. */
function unsafety(path: string): string | null {
  const stat = fs.lstatSync(path);
  if (stat.isSymbolicLink()) return "it is a link";
  const uid = process.geteuid?.() ?? stat.uid;
  if (stat.uid !== uid && stat.uid !== 0) return "it belongs to another user";
  return (stat.mode & WRITABLE_BY_OTHERS) === 0 ? null : "other users may write it";
}

function replaceFile(home: string, path: string, text: string): void {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = fs.openSync(temporary, "wx", 0o600);
    try {
      fs.writeFileSync(fd, text);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  const directory = fs.openSync(home, "r");
  try {
    fs.fsyncSync(directory);
  } catch (error) {
    if (!isErrno(error)) throw error; // some file systems sync no directory
  } finally {
    fs.closeSync(directory);
  }
}
