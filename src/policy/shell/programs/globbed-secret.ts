/** Whether a glob that a search is given would name a file of secrets: to `rg -g` and to git a `*` stands for a leading dot, too. */
import { isSecretPath } from "../../../kernel/secret-paths.ts";

const NAMES: readonly string[] = [
  ...[".env", ".env.local", ".env.production", ".env.development", ".envrc", ".netrc", ".pgpass", ".git-credentials"],
  ...["id_rsa", "id_ed25519", "id_ecdsa", ".pypirc", ".vault-token", "credentials.json"],
];
/** Characters of one name. */
const NAME_CHARS_MAX = 200;

/** @returns the name of a secret that it stands for. A `*` alone is no search for secrets. */
export function globbedSecret(glob: string): string | null {
  if (glob.startsWith("!")) return null;
  const name = glob.slice(Math.max(glob.lastIndexOf("/"), glob.lastIndexOf(":")) + 1);
  if (/^\**$/.test(name)) return null;
  if (isSecretPath(name)) return name;
  if (!/[*?[{]/.test(name)) return null;
  if (name.length > NAME_CHARS_MAX) return ".env";
  const pattern = patternOf(name);
  return NAMES.find((secret) => pattern.test(secret)) ?? null;
}

/** Loose: what stands in brackets is any letter. */
function patternOf(name: string): RegExp {
  const source = name
    .replaceAll(/\[[^\]]*\]|\[/g, "?")
    .replaceAll(/[.+^$()|\\\]]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, ".*")
    .replaceAll("?", ".");
  const open = source.split("{").length;
  const closed = source.split("}").length;
  const braced =
    open === closed
      ? source.replaceAll("{", "(?:").replaceAll("}", ")").replaceAll(",", "|")
      : source.replaceAll(/[{}]/g, ".*");
  return new RegExp(`^(?:${braced})$`, "i");
}
