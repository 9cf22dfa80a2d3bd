/**
 * The process environment, read in one place. Keys and addresses of providers come from here only: never from a file of the
 * repository, which is somebody else's input.
 */
import { isAbsolute, join, resolve } from "node:path";

export interface Environment {
  /** belay's home: the journal, the workspaces. */
  readonly home: string;
  /** The user's home directory. */
  readonly userHome: string;
  readonly apiKey: string | undefined;
  readonly authToken: string | undefined;
  readonly baseUrl: string | undefined;
  readonly noColor: boolean;
  readonly dumbTerminal: boolean;
  /** Values that must never be written to a journal. */
  readonly secrets: readonly { readonly name: string; readonly value: string }[];
  /** All of it, for those who hand on an allow list. */
  readonly all: Readonly<Record<string, string | undefined>>;
}

const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/i;
/** Shorter values are words like `true`; replacing them would damage every text. Characters. */
const SECRET_CHARS_MIN = 8;

/** @param userHome as the system's user database says, for an environment without HOME */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>, userHome: string): Environment {
  const home = filled(env["HOME"]) ?? userHome;
  return {
    home: belayHome(env, home),
    userHome: home,
    apiKey: filled(env["ANTHROPIC_API_KEY"]),
    authToken: filled(env["ANTHROPIC_AUTH_TOKEN"]),
    baseUrl: filled(env["ANTHROPIC_BASE_URL"]),
    noColor: filled(env["NO_COLOR"]) !== undefined,
    dumbTerminal: env["TERM"] === "dumb",
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

function secretsIn(env: Readonly<Record<string, string | undefined>>): Environment["secrets"] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= SECRET_CHARS_MIN && SECRET_NAME.test(name) && !isAbsolute(value)
      ? [{ name, value }]
      : [],
  );
}

function filled(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}
