/**
 * Which files of a workspace hold secrets, by their names: commands and file tools cannot read them. A name is a guess in both
 * directions, so the table holds names that are almost only used for secrets; where the same name is ordinary in most
 * projects (`.npmrc`, `*.pem`), its content decides.
 */
import { foldedNames } from "./folded-path.ts";

/** `.env`, `.env.production`, `.envrc`; not the examples that projects hand out. */
const ENVIRONMENT = /^\.env(?:rc)?(?:[._-].*)?$/;
const HANDED_OUT = /\.(?:example|sample|template|tmpl|dist|defaults?)$/;

const NAMES: ReadonlySet<string> = new Set([
  ...["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk"],
  ...[".netrc", "_netrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".vault-token"],
  ...["credentials.json", "application_default_credentials.json", "client_secret.json"],
]);
const PATTERNS: readonly RegExp[] = [/^service[-_]?account.*\.json$/, /\.(?:kdbx|ppk)$/];
/** The last two names of a path. */
const IN_DIRECTORY: ReadonlySet<string> = new Set([
  ...[".aws/credentials", ".docker/config.json", ".kube/config", ".config/gh/hosts.yml", ".cargo/credentials"],
  ...[".cargo/credentials.toml", "gh/hosts.yml", ".gem/credentials"],
]);

/** Only with such content. */
const BY_CONTENT: readonly { readonly name: RegExp; readonly content: RegExp }[] = [
  { name: /\.(?:pem|key|p8)$/, content: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/ },
  // A value that is taken from the environment (`${NPM_TOKEN}`) is no secret.
  {
    name: /^\.(?:npmrc|yarnrc)$/,
    content: /^[^#;\n]*_(?:authToken|auth|password)\b["']?\s*[=\s]\s*(?!\s*["']?\$\{)["']?\S/im,
  },
  { name: /^\.yarnrc\.yml$/, content: /^\s*npmAuth(?:Token|Ident)\s*:\s*(?!["']?\$\{)\S/im },
];

/** Keys in such directories are made for tests, and the tests need them. */
const FOR_TESTS: ReadonlySet<string> = new Set([
  ...["test", "tests", "__tests__", "spec", "specs", "fixtures", "__fixtures__", "testdata", "examples", "example"],
]);

/** @param path relative or absolute, with `/` or `\` */
export function isSecretPath(path: string): boolean {
  const names = foldedNames(path);
  const name = names.at(-1) ?? "";
  if (ENVIRONMENT.test(name)) return !HANDED_OUT.test(name);
  return (
    NAMES.has(name) || PATTERNS.some((pattern) => pattern.test(name)) || IN_DIRECTORY.has(names.slice(-2).join("/"))
  );
}

/** What a file of this name must contain to be a secret; null where its name says nothing. Secrets by name alone are not asked about. */
export function secretContent(path: string): RegExp | null {
  const names = foldedNames(path);
  if (names.some((name) => FOR_TESTS.has(name))) return null;
  const name = names.at(-1) ?? "";
  return BY_CONTENT.find((each) => each.name.test(name))?.content ?? null;
}
