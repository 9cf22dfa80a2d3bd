/**
 * The environment of a command: an allow list, so that a key in belay's own environment reaches no command, whatever it
 * is called.
 */
import { gitEnvironment, type GitNeutral } from "../../kernel/git-neutral.ts";
import { isAbsolute, join } from "node:path";
import { lstatIfThere } from "../files/rooted.ts";

/** Handed on when set. Nothing here names a host, a file or a credential. */
const HANDED_ON: readonly string[] = ["LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "CI"];
const HANDED_ON_PREFIX = "LC_";
/** How to reach the network from here; nothing where there is none. Not when the value holds a password. */
const HANDED_ON_WITH_NETWORK: readonly string[] = [
  ...["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "npm_config_registry", "PIP_INDEX_URL"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
];

export interface EnvironmentRequest {
  /** The workspace, absolute. */
  readonly root: string;
  /** belay's own environment; only the allow list is read from it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly path: string;
  readonly home: string;
  readonly tmp: string;
  readonly bash: string;
  readonly interactive: boolean;
  readonly network: boolean;
  /** Where tool chains stand that would look for themselves in HOME: `RUSTUP_HOME`, `PYENV_ROOT` … */
  readonly toolchains: Readonly<Record<string, string>>;
  /** Goes over what is handed on: how to reach the proxy of a command that may reach some hosts. */
  readonly proxy?: Readonly<Record<string, string>>;
  readonly uid: number | null;
}

export function commandEnvironment(request: EnvironmentRequest): Record<string, string> {
  const handed_on = Object.entries(request.environment).flatMap(([name, value]) =>
    value !== undefined && isHandedOn(name, value, request.network) ? [[name, value] as const] : [],
  );
  return {
    ...Object.fromEntries(handed_on),
    ...request.toolchains,
    ...request.proxy,
    PATH: absoluteEntries(request.path),
    HOME: request.home,
    TMPDIR: request.tmp,
    SHELL: request.bash,
    TERM: request.interactive ? "xterm" : "dumb",
    // Nobody is there to page through text or to type a password.
    PAGER: "cat",
    ...gitEnvironment(trusting(request.root)),
    // One user id is mapped into the sandbox: unpacking as root must not try to give files to another.
    ...(request.uid === 0 ? { TAR_OPTIONS: "--no-same-owner" } : {}),
  };
}

/**
 * A checkout that another user owns (a container's step as root, the files of the runner's) is one that git refuses, lest its
 * configuration runs programs as somebody else. A command runs the workspace's own programs anyway: for exactly this
 * directory that protects nothing. git 2.38 and later listen to it.
 */
function trusting(root: string): GitNeutral["configuration"] {
  const us = process.geteuid?.();
  const owners = [root, join(root, ".git")].map((path) => lstatIfThere(path)?.uid ?? us);
  return owners.every((owner) => owner === us) ? [] : [["safe.directory", root]];
}

function isHandedOn(name: string, value: string, network: boolean): boolean {
  if (HANDED_ON.includes(name) || name.startsWith(HANDED_ON_PREFIX)) return true;
  return network && HANDED_ON_WITH_NETWORK.includes(name) && !value.includes("@");
}

/** A relative entry would let the workspace decide which program `git` is; so would `node_modules/.bin`, which `npx` finds anyway. */
function absoluteEntries(path: string): string {
  const entries = path.split(":").filter(isAbsolute);
  return entries.length > 0 ? entries.join(":") : "/usr/local/bin:/usr/bin:/bin";
}
