/**
 * Errors of PostgreSQL and of the way to it, as the store's own kinds. SQLSTATE codes are known here and nowhere else.
 *
 * E1: a message names the server without user or password; what a driver's error says is kept as the cause.
 */
import type { ErrorKind } from "../../kernel/error-kind.ts";
import { HarnessError } from "../../kernel/harness-error.ts";

/** As the server sends it. */
export interface ServerError extends Error {
  /** SQLSTATE: five characters. */
  readonly code: string;
  readonly severity: string;
  readonly constraint?: string;
  readonly detail?: string;
}

/**
 * What became of the attempt:
 * - `refused`: the server undid it and says that it will never do it;
 * - `passing`: the server undid it, or it never began; again it may succeed;
 * - `unknown`: the answer was lost. It may have taken effect.
 */
export type Fate = "refused" | "passing" | "unknown";

type StoreKind =
  | Extract<ErrorKind, "store_busy" | "store_full" | "store_read_only" | "store_io" | "store_corrupt">
  | "config_invalid"
  | "internal";

interface Meaning {
  readonly kind: StoreKind;
  readonly passing: boolean;
  readonly happened: string;
  readonly todo: string;
}

const AGAIN = "Nothing was written; try again.";
const RESUME = "Everything acknowledged is kept: repair it, then resume.";
const meaning = (kind: StoreKind, happened: string, todo: string): Meaning => ({
  kind,
  happened,
  todo,
  passing: false,
});
const passing = (kind: StoreKind, happened: string, todo: string): Meaning => ({ kind, happened, todo, passing: true });

/** By the beginning of the SQLSTATE, longest first: two characters are a whole class. */
const STATES: readonly (readonly [state: string, meaning: Meaning])[] = [
  // A blob that was put, referred to or pruned by two at the same moment: again, each sees what the other did.
  ["23", passing("store_busy", "Another writer changed the same rows", AGAIN)],
  ["40", passing("store_busy", "Another writer was in the way", AGAIN)],
  ["55P03", passing("store_busy", "Another writer held a row for too long", AGAIN)],
  ["57014", passing("store_busy", "A statement took longer than it may", AGAIN)],
  [
    "53300",
    passing(
      "store_busy",
      "The database has no connection left",
      "Raise its max_connections, or run fewer belays at a time.",
    ),
  ],
  [
    "53100",
    meaning(
      "store_full",
      "The database's disk is full",
      "Free space there, then resume: everything acknowledged is kept.",
    ),
  ],
  [
    "53400",
    meaning(
      "store_full",
      "The database reached a limit of its configuration",
      "Raise it, then resume: everything acknowledged is kept.",
    ),
  ],
  ["53", passing("store_busy", "The database is short of memory", AGAIN)],
  [
    "25006",
    meaning("store_read_only", "The database takes no writes", "Name the primary server, not a replica, then resume."),
  ],
  [
    "42501",
    meaning(
      "store_read_only",
      "The user may not do this in the database",
      "Grant the user CREATE on the database, or the schema of belay and all in it.",
    ),
  ],
  ["57P03", passing("store_io", "The database is starting or stopping", RESUME)],
  ["57P", passing("store_io", "The database ended the connection", RESUME)],
  ["08", passing("store_io", "The connection to the database was lost", RESUME)],
  ["58", meaning("store_io", "The database failed to read or to write", "Look at its log and its disk, then resume.")],
  [
    "28P01",
    meaning("config_invalid", "The database refused the password", "Correct user and password in BELAY_STORE."),
  ],
  [
    "28",
    meaning(
      "config_invalid",
      "The database refused the user",
      "Correct user and password in BELAY_STORE, or the server's pg_hba.conf.",
    ),
  ],
  [
    "3D000",
    meaning(
      "config_invalid",
      "The server has no database of this name",
      "Create it, or correct the name in BELAY_STORE.",
    ),
  ],
  [
    "XX001",
    meaning(
      "store_corrupt",
      "The database is damaged",
      "Restore it from a backup; events before the damage can be exported.",
    ),
  ],
  ["XX002", meaning("store_corrupt", "An index of the database is damaged", "Have it rebuilt (REINDEX), then resume.")],
  // Our statements fit our tables; when one does not compile, the tables are not what they were.
  [
    "42",
    meaning("store_corrupt", "The tables of the store are not what they were", "Restore the store from a backup."),
  ],
  ["3F000", meaning("store_corrupt", "The schema of the store is gone", "Restore the store from a backup.")],
];

const UNREACHABLE = passing(
  "store_io",
  "The database does not answer",
  "See that it runs and can be reached, then resume: everything acknowledged is kept.",
);
const NO_NAME = meaning("config_invalid", "The database's host name is not known", "Correct the host in BELAY_STORE.");
const NO_TLS = meaning(
  "config_invalid",
  "The database cannot be reached by TLS as the address asks",
  "Correct sslmode and sslrootcert in BELAY_STORE, or the server's certificate.",
);
const DEFECT = meaning("internal", "The database refused a statement", "Report this as a defect of belay.");

/** Codes of the system, of Node's TLS and resolver. */
const NAME_CODES: ReadonlySet<string> = new Set(["ENOTFOUND", "EAI_NONAME"]);
const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH)/;
/** The driver says this without a code. */
const TLS_TEXT = /does not support SSL|error establishing an SSL/;

export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && "code" in error && "severity" in error && typeof error.code === "string";
}

/** @param sent whether the attempt had a connection: before that nothing can have happened. */
export function fateOf(error: Error, sent: boolean): Fate {
  const { passing } = meaningOf(error);
  if (!sent) return passing ? "passing" : "refused";
  // ERROR is the server's word that it undid the transaction; after FATAL, or no word at all, nobody knows.
  if (isServerError(error) && error.severity === "ERROR") return passing ? "passing" : "refused";
  return "unknown";
}

/** @param where host, port and database. @param outcome what is to be said about a lost answer */
export function asStoreError(error: Error, where: string, outcome = ""): HarnessError {
  const { kind, happened, todo } = meaningOf(error);
  return new HarnessError(kind, `${happened} (${where}: ${shortOf(error)}).${outcome}`, todo, { cause: error });
}

function meaningOf(error: Error): Meaning {
  if (isServerError(error)) return STATES.find(([state]) => error.code.startsWith(state))?.[1] ?? DEFECT;
  const code = codeOf(error);
  if (NAME_CODES.has(code)) return NO_NAME;
  return TLS_CODE.test(code) || TLS_TEXT.test(error.message) ? NO_TLS : UNREACHABLE;
}

function shortOf(error: Error): string {
  return codeOf(error) || error.message;
}

/** Of several addresses that all failed (`localhost` has two) the first says why. */
function codeOf(error: Error): string {
  if ("code" in error && typeof error.code === "string") return error.code;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? codeOf(first) : "";
}
