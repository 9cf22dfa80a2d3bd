/** One session's surroundings in a crash test: a repository, a home, a store; and what is in them when all is over. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Event } from "../../src/kernel/events/index.ts";
import { isUnknown } from "../../src/kernel/fold.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { readEvents } from "../../src/store/journal.ts";
import type { SessionRow } from "../../src/store/port.ts";
import { moneyProblems } from "../support/money.ts";
import { openPlaceStore } from "../support/store-place.ts";
import type { BackEnd, CrashStore } from "./back-ends.ts";
import { makeRepository } from "./work-scenario.ts";

export interface CrashPlace {
  readonly home: string;
  readonly repository: string;
  readonly store: CrashStore["place"];
  remove(): Promise<void>;
}

export async function crashPlace(backEnd: BackEnd): Promise<CrashPlace> {
  const directory = mkdtempSync(join(tmpdir(), "belay-crash-"));
  const repository = join(directory, "repository");
  makeRepository(repository);
  const home = join(directory, "home");
  const { place, drop } = await backEnd.make(home);
  return {
    home,
    repository,
    store: place,
    remove: async () => {
      rmSync(directory, { recursive: true, force: true });
      await drop();
    },
  };
}

/** What is left of a session. */
export interface Remains {
  readonly row: SessionRow;
  readonly events: readonly Event[];
  /** Every file of the session's own tree by its path, and of the user's repository. */
  readonly workspace: Files;
  readonly repository: Files;
  /** Titles of the commits of the user's repository. */
  readonly commits: readonly string[];
  /** In what the ledger and the journal do not agree. */
  readonly money: readonly string[];
}

type Files = Readonly<Record<string, string>>;

export async function remainsOf(place: CrashPlace): Promise<Remains> {
  const store = await openPlaceStore(place.store);
  try {
    // A session that was killed before its first event stays in the list, empty; the work is in the newest.
    const [row] = await store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
    if (row === undefined) throw new Error("there is no session");
    const events: Event[] = [];
    for await (const event of readEvents(store, LOCAL_TENANT, row.session)) if (!isUnknown(event)) events.push(event);
    const log = execFileSync("git", ["-C", place.repository, "log", "--format=%s"], { encoding: "utf8" });
    return {
      row,
      events,
      workspace: filesIn(join(row.place.directory, "tree")),
      repository: filesIn(place.repository),
      // a merge's title names the session, which has another id each time
      commits: log
        .trim()
        .split("\n")
        .map((title) => title.replaceAll(row.session, "SESSION")),
      money: await moneyProblems(store, row.session),
    };
  } finally {
    await store.close();
  }
}

function filesIn(root: string, below = ""): Files {
  const found: Record<string, string> = {};
  if (!existsSync(root)) return found;
  for (const name of readdirSync(join(root, below))) {
    if (name === ".git") continue;
    const path = join(below, name);
    // It names the session, which has another id each time, and is nobody's work.
    if (path === ".belay") continue;
    const stat = lstatSync(join(root, path));
    const executable = (stat.mode & 0o100) !== 0 ? "x" : "-";
    if (stat.isDirectory()) Object.assign(found, { [`${path}/`]: "directory" }, filesIn(root, path));
    else if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(root, path))}`;
    else
      found[path] = `${executable} ${createHash("sha256")
        .update(readFileSync(join(root, path)))
        .digest("hex")}`;
  }
  return found;
}

/** The lines of a log in the tree that the session worked in. */
export function logOf(place: CrashPlace, { row }: Remains, inPlace: boolean): readonly string[] {
  const path = join(inPlace ? place.repository : join(row.place.directory, "tree"), "log.txt");
  return readFileSync(path, "utf8").trimEnd().split("\n");
}
