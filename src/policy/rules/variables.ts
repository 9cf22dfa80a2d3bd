/** Variables in commands: which may be set without a question, and which carry what should not be printed. */
import type { ShellAssignment, ShellWord } from "../shell/reading.ts";
import { HARMLESS_VARIABLES, isOrdinaryVariable } from "../shell/variables.ts";

/** Change how a program prints or how much, as those of the reader do. */
const MORE_HARMLESS: ReadonlySet<string> = new Set([
  ...[
    "RUST_BACKTRACE",
    "RUST_LOG",
    "LOG_LEVEL",
    "PYTHONHASHSEED",
    "CARGO_TERM_COLOR",
    "TERM",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "GOOS",
    "GOARCH",
    "LANGUAGE",
    "LC_NUMERIC",
    "LC_TIME",
  ],
]);

/** A sentence, or null where it is harmless. */
export function assignmentProblem({ name, value }: ShellAssignment, where: "alone" | "before"): string | null {
  if (where === "alone" && isOrdinaryVariable(name)) return null;
  const harmless = HARMLESS_VARIABLES.has(name) || MORE_HARMLESS.has(name);
  if (!harmless) return `\`${name}=\` may change what programs do.`;
  // A path in such a variable is a file that a program would load (a locale, a time zone, a terminal).
  if (!value.plain || !/^(?![/:.])[\w.,:@%+=/-]*$/.test(value.text) || value.text.includes(".."))
    return `The value of \`${name}=\` is no plain word.`;
  if (name !== "TZ" && value.text.includes("/")) return `The value of \`${name}=\` is a path.`;
  return null;
}

const SECRET_NAME =
  /KEY|TOKEN|SECRET|PASS|PWD_|CRED|AUTH|PRIVATE|SIGNATURE|COOKIE|SESSION_|DATABASE_URL|DSN|CONNECTION/;
const OPEN_NAMES: ReadonlySet<string> = new Set(["AUTHOR", "KEYS", "KEYBOARD"]);

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && name === name.toUpperCase() && !OPEN_NAMES.has(name);
}

/** A word that would hand a secret of the environment to a program, which may print or send it: a sentence, or null. */
export function leaksVariable({ text, plain }: ShellWord): string | null {
  if (plain) return null;
  for (const [, name = ""] of text.matchAll(/\$\{?[!#]?([A-Za-z_]\w*)/g)) {
    if (isSecretName(name)) return `\`$${name}\` may be a secret.`;
  }
  return /\$\{!/.test(text) ? "Which variable is meant is known only when it runs." : null;
}

/** `npm run env` needs no script of that name. */
function isEnvScript(texts: readonly string[]): boolean {
  const [verb, script] = texts.filter((text) => !text.startsWith("-"));
  return script === "env" && /^(?:run|run-script|rum|urn)$/.test(verb ?? "");
}

/** What jq's program would read besides its input: the environment, and files of its own. */
export function leaksByProgram([program, ...words]: readonly ShellWord[]): string | null {
  if (program?.text === "printenv") {
    const named = words.find(({ text }) => isSecretName(text));
    return named === undefined ? null : `\`${named.text}\` may be a secret.`;
  }
  const texts = words.map(({ text }) => text);
  if (program?.text === "kubectl" && texts.some((text) => /(?:^|,)secrets?(?:$|[/,.])/i.test(text)))
    return "It shows secrets of a cluster.";
  if (program?.text === "gh" && texts.find((text) => !text.startsWith("-")) === "auth")
    return "It shows or changes a login.";
  if (/^(?:npm|pnpm|yarn|bun)$/.test(program?.text ?? "") && isEnvScript(texts))
    return "It prints the environment, in which secrets may be.";
  if (program?.text !== "jq") return null;
  const reads = words.some(({ text }) => /\benv\b|\$ENV\b|\binclude\b|\bimport\b|\binput_filename\b/.test(text));
  return reads ? "The program of `jq` reads the environment or another file." : null;
}
