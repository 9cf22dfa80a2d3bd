/**
 * Whether commands can be confined here: by really running something in the sandbox, once in a process. A sandbox that
 * is installed and does not start counts as none (fail closed), and the reason says what to do.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { lazy } from "../../kernel/lazy.ts";
import { findProgram } from "../process/programs.ts";

/** For the sandbox to run `true`. It takes 5 ms on a machine at rest. */
const PROBE_LIMIT_MS = 10_000;

export type SandboxProbe = BwrapProbe | { readonly mode: "none"; readonly reason: string; readonly install: string };

export interface BwrapProbe {
  readonly mode: "bwrap";
  readonly version: string;
  /** Absolute path of the program. */
  readonly program: string;
  /** The arguments that give every namespace, as far as this machine and version can. */
  readonly namespaces: readonly string[];
}

/** With user namespaces switched off inside: less of the kernel can be reached. bubblewrap 0.8 and later. */
const ALL_AND_LOCKED = ["--unshare-all", "--unshare-user", "--disable-userns"] as const;
const ALL = ["--unshare-all"] as const;

const MISSING = { mode: "none", reason: "bubblewrap is not installed", install: "apt-get install bubblewrap" } as const;

/** Runs the probe on the first call and remembers the answer. Does not throw. */
export const probeSandbox: () => Promise<SandboxProbe> = lazy(() => probeProgram(findProgram("bwrap")));

/** @param program absolute path of bwrap, or null when there is none */
export async function probeProgram(program: string | null): Promise<SandboxProbe> {
  if (program === null) return MISSING;
  const version = versionOf(program);
  version.catch(() => undefined); // awaited, and its failure seen, where the sandbox starts
  let complaint = "";
  for (const namespaces of [ALL_AND_LOCKED, ALL]) {
    const tried = await attempt(program, namespaces);
    if (tried.ok) return { mode: "bwrap", version: await version, program, namespaces };
    complaint = tried.complaint;
  }
  return {
    mode: "none",
    reason: `bubblewrap is installed but does not start: ${complaint}`,
    install: remedyFor(complaint),
  };
}

async function attempt(
  program: string,
  namespaces: readonly string[],
): Promise<{ readonly ok: boolean; readonly complaint: string }> {
  const root = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"];
  const argv = [
    ...namespaces,
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    ...root,
    "--",
    "/bin/sh",
    "-c",
    ":",
  ];
  try {
    await promisify(execFile)(program, argv, { timeout: PROBE_LIMIT_MS, env: {} });
    return { ok: true, complaint: "" };
  } catch (error) {
    const stderr =
      error instanceof Error && "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim() : "";
    return { ok: false, complaint: (stderr || String(error)).split("\n")[0]?.slice(0, 300) ?? "" };
  }
}

async function versionOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ["--version"], { timeout: PROBE_LIMIT_MS, env: {} });
  return stdout.trim().replace(/^bubblewrap /, "");
}

/** The words are bubblewrap's own. */
function remedyFor(complaint: string): string {
  // "bwrap: No permissions to create new namespace, …", "bwrap: setting up uid map: Permission denied",
  // "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted"
  if (/namespace|uid map|RTM_NEWADDR|Operation not permitted|Permission denied/i.test(complaint)) {
    return (
      "the kernel forbids user namespaces to this user: allow them (sysctl kernel.unprivileged_userns_clone=1, or " +
      "kernel.apparmor_restrict_unprivileged_userns=0), or in a container add --security-opt seccomp=unconfined"
    );
  }
  return "make `bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc true` work";
}
