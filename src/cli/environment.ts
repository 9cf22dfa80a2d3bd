/**
 * The process environment, read in one place. Keys and addresses of providers come from here only: never from a file of the
 * repository, which is somebody else's input.
 */
import { isAbsolute, join, resolve } from "node:path";
import { urlPassword } from "../model/connection.ts";
import { providerVariables, type ProviderVariables } from "../model/provider-table.ts";
import { type Ci, ciOf } from "./ci.ts";

export interface Environment {
  /** belay's home: the journal, the workspaces. */
  readonly home: string;
  /** The user's home directory. */
  readonly userHome: string;
  /** Keys and addresses of the providers of models. */
  readonly providers: ProviderVariables;
  readonly noColor: boolean;
  /** Colours also where there is no terminal, such as in a log of CI. */
  readonly forceColor: boolean;
  readonly dumbTerminal: boolean;
  /** Null when no service of continuous integration runs this. */
  readonly ci: Ci | null;
  /** Values that must never be written to a journal. */
  readonly secrets: readonly { readonly name: string; readonly value: string }[];
  /** All of it, for those who hand on an allow list. */
  readonly all: Readonly<Record<string, string | undefined>>;
}

const SECRET_NAME =
  /KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|(?:^|_)(?:PASS|PAT|AUTH|DSN|COOKIE|SAS|WEBHOOK)(?:_|$)|_PWD(?:_|$)|CONNECTION_?STRING/i;
/** Where a shell stands and stood. */
const NO_SECRETS: ReadonlySet<string> = new Set(["PWD", "OLDPWD"]);
/** Shorter values are words like `true`; replacing them would damage every text. Characters. */
const SECRET_CHARS_MIN = 8;

/** @param userHome as the system's user database says, for an environment without HOME */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>, userHome: string): Environment {
  const home = filled(env["HOME"]) ?? userHome;
  return {
    home: belayHome(env, home),
    userHome: home,
    providers: providersIn(env),
    noColor: filled(env["NO_COLOR"]) !== undefined,
    forceColor: [env["FORCE_COLOR"], env["CLICOLOR_FORCE"]].some(isOn),
    dumbTerminal: env["TERM"] === "dumb",
    ci: ciOf(env),
    secrets: secretsIn(env),
    all: env,
  };
}

/** $BELAY_HOME, or `belay` below $XDG_DATA_HOME or ~/.local/share. A relative XDG path is ignored, as its standard says. */
function belayHome(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const named = filled(env["BELAY_HOME"]);
  // Sessions keep paths below it, and are resumed from other directories.
  if (named !== undefined) return resolve(named);
  const data = filled(env["XDG_DATA_HOME"]);
  return join(data !== undefined && isAbsolute(data) ? data : join(home, ".local", "share"), "belay");
}

function providersIn(env: Readonly<Record<string, string | undefined>>): ProviderVariables {
  return Object.fromEntries(
    providerVariables().flatMap((name) => {
      const value = filled(env[name]);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** By the names of the variables; and the passwords that stand in addresses, whatever they are called. */
function secretsIn(env: Readonly<Record<string, string | undefined>>): Environment["secrets"] {
  return Object.entries(env).flatMap(([name, value]) =>
    [
      SECRET_NAME.test(name) && !NO_SECRETS.has(name) && !isAbsolute(value ?? "") ? value : null,
      urlPassword(value),
    ].flatMap((secret) =>
      secret !== undefined && secret !== null && secret.length >= SECRET_CHARS_MIN ? [{ name, value: secret }] : [],
    ),
  );
}

/** `FORCE_COLOR=` and `FORCE_COLOR=1` both ask; 0 and false do not. */
function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== "0" && value !== "false";
}

function filled(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
