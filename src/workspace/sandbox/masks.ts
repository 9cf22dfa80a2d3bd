/**
 * What a command must not read or reach although the rest of the system is readable: other people's homes, secrets of
 * the machine, sockets of its services. A list can be incomplete, so it stands behind the other walls: no network, no
 * write outside, HOME hidden as a whole.
 */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { isUnreadable, listQuietly, readQuietly } from "../process/table.ts";

const SECRET_PATHS: readonly string[] = [
  "/etc/shadow",
  "/etc/shadow-",
  "/etc/gshadow",
  "/etc/gshadow-",
  "/etc/sudoers",
  "/etc/sudoers.d",
  "/etc/ssl/private",
  "/etc/krb5.keytab",
  "/etc/wireguard",
  "/etc/NetworkManager/system-connections",
  "/etc/docker/key.json",
  "/etc/kubernetes",
  "/etc/rancher",
  "/var/lib/docker",
  "/var/lib/containerd",
  "/var/lib/kubelet",
  "/var/lib/lxd",
  "/var/lib/private",
  "/var/lib/systemd/credential.secret",
  "/var/spool/cron",
  "/var/spool/mail",
  "/var/mail",
  "/boot",
  "/lost+found",
];

/** Of a home: needed where a home is not hidden as a whole. */
const HOME_SECRETS: readonly string[] = [
  ".ssh",
  ".aws",
  ".azure",
  ".gnupg",
  ".kube",
  ".docker",
  ".netrc",
  ".npmrc",
  ".pypirc",
  ".git-credentials",
  ".gitconfig",
  ".pgpass",
  ".my.cnf",
  ".vault-token",
  ".password-store",
  ".config/gh",
  ".config/gcloud",
  ".config/git",
  ".config/op",
  ".local/share/keyrings",
  ".cargo/credentials",
  ".cargo/credentials.toml",
  ".gem/credentials",
  ".bash_history",
  ".zsh_history",
];

/** Sockets that are covered one by one; a machine with more is no place for an agent without a container. */
const SOCKETS_MAX = 500;

/** Existing secrets, as real paths. */
export function secretPaths(home: string): readonly string[] {
  const host_keys = listQuietly("/etc/ssh")
    .filter((name) => /^ssh_host_.*_key$/.test(name))
    .map((name) => join("/etc/ssh", name));
  const of_home = HOME_SECRETS.map((name) => join(home, name));
  return [...SECRET_PATHS, ...host_keys, ...of_home].flatMap(existing);
}

/** Directories that hold homes, belay's own among them, as real paths. */
export function homes(home: string): readonly string[] {
  return ["/home", "/root", home, ...windowsHomes()].flatMap(existing);
}

/**
 * Sockets that listen at a path: a read-only root does not keep anybody from connecting to them. What is in /run and
 * /tmp is hidden anyway; these are the others.
 */
export function listeningSockets(): readonly string[] {
  const lines = (readQuietly("/proc/net/unix") ?? "").split("\n").slice(1);
  const paths = lines.flatMap((line) => /^(?:\S+\s+){7}(\/.*)$/.exec(line)?.[1] ?? []);
  return [...new Set(paths)].flatMap(existing).slice(0, SOCKETS_MAX);
}

/** Under WSL the Windows drives are mounted here, with everybody's documents. */
function windowsHomes(): readonly string[] {
  return listQuietly("/mnt").map((drive) => join("/mnt", drive, "Users"));
}

function existing(path: string): readonly string[] {
  try {
    if (!existsSync(path)) return [];
    return [realpathSync(path)];
  } catch (error) {
    if (isUnreadable(error)) return [];
    throw error;
  }
}
