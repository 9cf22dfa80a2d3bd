/**
 * What around belay could be the boundary that `--sandbox external` declares: a container, a virtual machine, a hosted
 * runner. Looks for evidence and starts nothing. A declaration is the user's word; what is found confirms or contradicts it.
 *
 * X1: evidence is what the machine says (files of the kernel and of container engines), never what a name suggests.
 * X2: a Linux of Windows (WSL) is a virtual machine with the user's drives in it: being one is no evidence.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Read of each file. Bytes: a mount table may be long. */
const READ_CHARS_MAX = 1024 * 1024;

export interface ExternalPlace {
  /** Where `/proc`, `/sys` and the rest are found: `/`. */
  readonly root: string;
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `unknown`: nothing was found, and this is no system whose files would tell. */
export interface ExternalProbe {
  readonly verdict: "confirmed" | "contradicted" | "unknown";
  /** In people's words, the strongest first: `a Docker container (/.dockerenv)`. */
  readonly evidence: readonly string[];
}

/** Does not throw. */
export function probeExternal({ root, platform, environment }: ExternalPlace): ExternalProbe {
  const at = (path: string): string => join(root, path);
  const sources = [markedContainer, namedContainer, ...(isWindowsLinux(at) ? [] : [ownProcesses, machine])];
  const evidence = [
    ...(platform === "linux" ? sources.flatMap((look) => look(at) ?? []) : []),
    ...(environment["RUNNER_ENVIRONMENT"] === "github-hosted"
      ? ["a runner hosted by GitHub (RUNNER_ENVIRONMENT)"]
      : []),
  ];
  if (evidence.length > 0) return { verdict: "confirmed", evidence };
  const told = platform === "linux" && readText(at("/proc/self/mountinfo")) !== null;
  return { verdict: told ? "contradicted" : "unknown", evidence };
}

type At = (path: string) => string;

/** Files that container engines leave. */
function markedContainer(at: At): string | null {
  if (existsSync(at("/.dockerenv"))) return "a Docker container (/.dockerenv)";
  if (existsSync(at("/run/.containerenv"))) return "a Podman container (/run/.containerenv)";
  const said = readText(at("/run/systemd/container"))?.trim();
  return said === undefined || said === "" ? null : `a container (/run/systemd/container says ${word(said)})`;
}

const ENGINES = /\b(docker|containerd|kubepods|libpod|lxc|crio|garden|buildkit)\b/;
/** What an engine mounts over a container's own files. */
const ENGINE_MOUNT = /\/(docker|containerd|kubelet|containers|lxc)\/\S* \/etc\/(?:hosts|hostname|resolv\.conf) /;

/** Names of engines in the control groups and among the mounts of this process. */
function namedContainer(at: At): string | null {
  const group = ENGINES.exec(readText(at("/proc/self/cgroup")) ?? "")?.[1];
  if (group !== undefined) return `a container (a control group of ${group})`;
  const mounts = readText(at("/proc/self/mountinfo")) ?? "";
  const mount = ENGINE_MOUNT.exec(mounts)?.[1];
  return mount === undefined ? null : `a container (files mounted by ${mount})`;
}

/** In the machine's first PID namespace, process 2 is the kernel's own. Not told where others' processes are hidden. */
function ownProcesses(at: At): string | null {
  const mounts = readText(at("/proc/self/mountinfo"));
  if (mounts === null || / \/proc .*hidepid=(?!0|off)/.test(mounts)) return null;
  return readText(at("/proc/2/comm"))?.trim() === "kthreadd" ? null : "processes of its own (a PID namespace)";
}

/** In the words of makers of virtual hardware. */
const MACHINES =
  /\b(QEMU|KVM|VMware|VirtualBox|Amazon EC2|Google Compute Engine|Xen|Virtual Machine|OpenStack|Parallels|BHYVE|Apple Virtualization)\b/i;
/** Rented as a whole: the cloud's name stands on real hardware. */
const WHOLE_MACHINE = /\.metal\b/;

function machine(at: At): string | null {
  if (readText(at("/proc/xen/capabilities"))?.includes("control_d") === true) return null; // the host among them
  const names = ["sys_vendor", "product_name", "board_vendor"].map((name) => readText(at(`/sys/class/dmi/id/${name}`)));
  const hardware = names.join("\n");
  const named = WHOLE_MACHINE.test(hardware) ? undefined : MACHINES.exec(hardware)?.[1];
  if (named !== undefined) return `a virtual machine (${named})`;
  if (/^flags\s*:.*\bhypervisor\b/m.test(readText(at("/proc/cpuinfo")) ?? ""))
    return "a virtual machine (the processor names a hypervisor)";
  return existsSync(at("/sys/hypervisor/type")) ? "a virtual machine (/sys/hypervisor)" : null;
}

/** X2. */
function isWindowsLinux(at: At): boolean {
  return /microsoft/i.test(readText(at("/proc/sys/kernel/osrelease")) ?? "");
}

/** Of a file that somebody else wrote, in a sentence of ours. */
function word(text: string): string {
  return /^[\w.-]{1,40}/.exec(text)?.[0] ?? "something";
}

/** Null when it is not there or may not be read: then it is no evidence. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, "latin1").slice(0, READ_CHARS_MAX);
  } catch {
    return null;
  }
}
