/** Variables that may be set without a question. Allow lists: what a variable means to the programs after it is not known. */
import type { ShellAssignment } from "./reading.ts";

/** Change how programs print and in what language, and nothing about what they do or load. */
export const HARMLESS_VARIABLES: ReadonlySet<string> = new Set([
  "CI",
  "CLICOLOR",
  "CLICOLOR_FORCE",
  "COLUMNS",
  "FORCE_COLOR",
  "GIT_TERMINAL_PROMPT",
  "LANG",
  "LC_ALL",
  "LC_COLLATE",
  "LC_CTYPE",
  "LINES",
  "NODE_ENV",
  "NO_COLOR",
  "TZ",
]);

/** As scripts write them; no program is known to read one. */
const SCRIPT_NAMES: ReadonlySet<string> = new Set([
  ...["N", "F", "FILE", "FILES", "BRANCH", "COMMIT", "SHA", "HASH", "RESULT", "STATUS", "COUNT", "TOTAL"],
]);

/**
 * A name as loops use it: short, lower case, without `_`. Bash gives none of these a meaning, and no program reads one from
 * its environment (`http_proxy`, `npm_config_script_shell` have a `_`; `PATH`, `IFS` are upper case).
 */
export function isOrdinaryVariable(name: string): boolean {
  return name === "_" || SCRIPT_NAMES.has(name) || /^[a-z][a-z0-9]{0,15}$/.test(name);
}

/** One of these with a value that names no file: a locale or a time zone that begins with a path is loaded from there. */
export function isHarmlessAssignment({ name, value }: ShellAssignment): boolean {
  return HARMLESS_VARIABLES.has(name) && value.plain && !/^[/.:]|\.\./.test(value.text);
}
