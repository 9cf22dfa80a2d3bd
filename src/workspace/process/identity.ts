/**
 * Names processes beyond doubt, and proves those of an earlier belay dead: a resume may redo a call only when nothing of
 * the first attempt can still write.
 *
 * I1: a process is signalled only while its whole identity (pid, start time, boot) is that of a running process.
 * I2: `dead` is said only when nothing of the tree can be alive: another boot, or an empty PID namespace.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessIdentity } from "../../kernel/process-identity.ts";
import {
  bootId,
  hasCode,
  innermostPid,
  isRunning,
  namespaceMembers,
  namespaceOf,
  familyMembers,
  signalProcess,
  statOf,
} from "./table.ts";

/** How long `endProcess` waits for a killed tree to be gone. Milliseconds. */
export const END_PROCESS_LIMIT_MS = 2_000;
const END_POLL_MS = 20;

/**
 * The identity of a running process. `namespace` is null when it shares ours: then nothing but its process group holds
 * its children together.
 */
export function identityOf(pid: number): ProcessIdentity {
  const namespace = namespaceOf(pid);
  return {
    pid,
    start_time: statOf(pid)?.start_time ?? null,
    boot_id: bootId(),
    namespace: namespace === namespaceOf("self") ? null : namespace,
  };
}

/** Whether that very process runs. A zombie does not, nor does anything of an earlier boot. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.boot_id !== bootId()) return false;
  if (identity.start_time === null) return existsByPidAlone(identity.pid);
  const stat = statOf(identity.pid);
  return stat !== null && isRunning(stat) && stat.start_time === identity.start_time;
}

/**
 * Ends a process and everything it started, and proves it. `unprovable` where only a process group held it together (a
 * child that left the group cannot be found) and where the tree was still there at the limit. Does not throw.
 */
export async function endProcess(identity: ProcessIdentity): Promise<"dead" | "unprovable"> {
  if (identity.boot_id !== null && identity.boot_id !== bootId()) return "dead";
  if (identity.namespace === null) {
    await endGroup(identity);
    return "unprovable";
  }
  const { namespace } = identity;
  const gone = await until(() => {
    if (isAlive(identity)) signalProcess(identity.pid, "SIGKILL");
    return !isAlive(identity) && isNamespaceGone(namespace, identity);
  });
  return gone ? "dead" : "unprovable";
}

/**
 * The kernel reuses the numbers of namespaces: one whose first process is another than ours is another namespace. A
 * namespace without its first process takes no new processes, and those it has are being killed by the kernel.
 */
function isNamespaceGone(namespace: string, identity: ProcessIdentity): boolean {
  const members = namespaceMembers(namespace);
  const first = members.find((member) => innermostPid(member.pid) === 1);
  if (first !== undefined) return first.pid !== identity.pid || first.start_time !== identity.start_time;
  return members.length === 0;
}

async function endGroup(identity: ProcessIdentity): Promise<void> {
  const leader = statOf(identity.pid);
  // Somebody else has the pid now, so the kernel has seen our group empty before it gave the number away.
  if (leader !== null && leader.start_time !== identity.start_time) return;
  await until(() => {
    const members = familyMembers(identity.pid);
    for (const member of members) signalProcess(member.pid, "SIGKILL");
    return members.length === 0;
  });
}

async function until(done: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < END_PROCESS_LIMIT_MS; waited += END_POLL_MS) {
    if (done()) return true;
    await sleep(END_POLL_MS);
  }
  return done();
}

/** Without /proc there is no start time: the pid is all there is, and a doubt counts as alive. */
function existsByPidAlone(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, "ESRCH")) return false;
    if (hasCode(error, "EPERM")) return true;
    throw error;
  }
}
