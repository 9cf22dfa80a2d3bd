/**
 * Where the database is: the URL of the user, taken apart.
 *
 * A1: the URL may hold a password, so it stands in no message and is no error's cause.
 */
import { HarnessError } from "../../kernel/harness-error.ts";

export interface Address {
  /** For the driver. */
  readonly url: string;
  /** Host, port and database: for people. */
  readonly where: string;
  /** What the user hands to the server himself (`options=-c …`); may be empty. */
  readonly options: string;
}

const PORT_DEFAULT = "5432";
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text);
}

/** @throws HarnessError `config_invalid` */
export function addressOf(url: string): Address {
  const parsed = isPostgresUrl(url) ? URL.parse(url) : null;
  if (parsed === null) {
    throw new HarnessError(
      "config_invalid",
      "The address of the database is no URL that can be read.",
      "Write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters of the password percent-encoded.",
    );
  }
  const host = parsed.hostname || (parsed.searchParams.get("host") ?? "localhost");
  const options = parsed.searchParams.get("options") ?? "";
  parsed.searchParams.delete("options");
  return { url: parsed.href, where: `${host}:${parsed.port || PORT_DEFAULT}${parsed.pathname}`, options };
}

/** @throws HarnessError `config_invalid` */
export function requireSchemaName(schema: string): void {
  if (SCHEMA.test(schema)) return;
  throw new HarnessError(
    "config_invalid",
    `"${schema}" cannot be the name of belay's schema.`,
    "Use lower-case letters, digits and underscores, at most 63.",
  );
}
