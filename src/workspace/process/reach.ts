/**
 * What belongs to a command and how far a kill reaches: a PID namespace (everything, surely) or a process group
 * (everything that did not leave it).
 */
import { constants, setPriority } from "node:os";
import type { ProcessIdentity } from "../../kernel/process-identity.ts";
import { isAlive } from "./identity.ts";
import { innermostPid, namespaceMembers, familyMembers, signalProcess } from "./table.ts";

export interface Reach {
  /** Pids of running processes of the command itself, without belay's own around it. */
  members(): readonly number[];
  /** KILL for all of it. */
  killAll(): void;
  /** Whether nothing of it runs any more. */
  isGone(): boolean;
}

/**
 * @param identity the first process of the namespace: when it dies, the kernel kills the rest.
 * @param own how many of the first processes are belay's own: the sandbox's first, the supervising script, a relay
 */
export function namespaceReach(identity: ProcessIdentity, own: number): Reach {
  const { namespace } = identity;
  const all = (): readonly number[] =>
    namespace === null ? [] : namespaceMembers(namespace).map((member) => member.pid);
  return {
    members: () => all().filter((pid) => (innermostPid(pid) ?? 0) > own),
    killAll: () => {
      if (!isAlive(identity)) return;
      // It ends the others when it gets its turn, which may be long among thousands. Only root may put it first.
      if (process.geteuid?.() === 0) hurry(identity.pid);
      signalProcess(identity.pid, "SIGKILL");
    },
    isGone: () => !isAlive(identity) && all().length === 0,
  };
}

function hurry(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Gone, or not allowed here: then it ends in its turn.
  }
}

/** @param identity the supervising script, leader of its group; @param watch the pid of the watch beside it */
export function groupReach(identity: ProcessIdentity, watch: () => number | null): Reach {
  const all = (): readonly number[] => familyMembers(identity.pid).map((member) => member.pid);
  return {
    members: () => all().filter((pid) => pid !== identity.pid && pid !== watch()),
    killAll: () => {
      for (const pid of all()) signalProcess(pid, "SIGKILL");
    },
    isGone: () => all().length === 0,
  };
}
